import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.emotions import LABELS
from fer_core.evaluation.metrics import ClearFaces, Proportion, interval_95, measure, measure_people

ANGRY, HAPPY, NEUTRAL, SAD = (LABELS.index(label) for label in ("angry", "happy", "neutral", "sad"))


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 500)
    logits = rng.normal(size=(500, 7)) + 1.5 * np.eye(7)[labels]
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True), labels


def votes(**columns: int) -> np.ndarray:
    """Votes of one face, uint8 (10,)."""
    return np.array([columns.get(column, 0) for column in VOTE_COLUMNS], np.uint8)


def probs(label: int, score: float) -> np.ndarray:
    """Scores of one face, float (7,): `score` for one expression, the rest shared equally."""
    return np.where(np.arange(7) == label, score, (1 - score) / 6)


def test_figures_equal_scikit_learns(scored):
    probs, labels = scored
    metrics = measure(probs, labels)
    predicted = probs.argmax(1)
    assert metrics.accuracy == sklearn_metrics.accuracy_score(labels, predicted)
    assert metrics.macro_f1 == pytest.approx(sklearn_metrics.f1_score(labels, predicted, average="macro"))
    assert np.array_equal(metrics.confusion, sklearn_metrics.confusion_matrix(labels, predicted))
    assert metrics.balanced_accuracy == pytest.approx(sklearn_metrics.balanced_accuracy_score(labels, predicted))
    assert metrics.top2 == pytest.approx(sklearn_metrics.top_k_accuracy_score(labels, probs, k=2))
    assert metrics.log_loss == pytest.approx(sklearn_metrics.log_loss(labels, probs))


def test_figures_by_expression_equal_scikit_learns(scored):
    probs, labels = scored
    by_label = measure(probs, labels).by_label
    report = sklearn_metrics.classification_report(labels, probs.argmax(1), target_names=LABELS, output_dict=True)
    assert tuple(by_label) == LABELS
    for label, figures in by_label.items():
        assert (figures.precision, figures.recall, figures.f1, figures.support) == pytest.approx(
            tuple(report[label][name] for name in ("precision", "recall", "f1-score", "support"))
        )


def test_interval_is_wilsons():
    """81 of 263 gives 25.5 % to 36.6 % in Newcombe's (1998) table of the score method."""
    assert interval_95(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_permuting_the_rows_changes_nothing(scored):
    probs, labels = scored
    order = np.random.default_rng(1).permutation(len(labels))
    assert measure(probs, labels) == measure(probs[order], labels[order])


def test_an_expression_that_never_occurs_scores_zero_not_nan():
    metrics = measure(np.eye(7)[[0, 0]], np.array([0, 0]))
    assert metrics.by_label["happy"].f1 == 0.0
    assert metrics.balanced_accuracy == 1.0


def test_clear_faces_by_hand():
    """Eight votes are enough and seven are not; a wrong answer is confident from a score of a half on."""
    faces = [
        (votes(happiness=8, neutral=2), probs(HAPPY, 0.9)),
        (votes(happiness=10), probs(NEUTRAL, 0.5)),
        (votes(happiness=10), probs(SAD, 0.4)),
        (votes(sadness=9), probs(SAD, 0.3)),
        (votes(happiness=7, neutral=3), probs(SAD, 0.9)),
        (votes(contempt=10), probs(SAD, 0.9)),
    ]
    people = measure_people(np.stack([p for _, p in faces]), np.stack([v for v, _ in faces]), np.full(6, HAPPY))
    assert people.clear == ClearFaces(
        images=4,
        accuracy=0.5,
        accuracy_95=interval_95(2, 4),
        balanced_accuracy=pytest.approx((1 / 3 + 1) / 2),
        confident_errors=0.25,
    )


def test_clear_neutral_faces_called_negative_by_hand():
    said = [NEUTRAL, SAD, ANGRY, HAPPY, SAD]
    seen = [votes(neutral=10)] * 4 + [votes(neutral=7, sadness=3)]
    people = measure_people(np.stack([probs(label, 0.6) for label in said]), np.stack(seen), np.full(5, SAD))
    assert people.neutral_called_negative == Proportion(4, 0.5, interval_95(2, 4))


@pytest.mark.parametrize("sad_votes, label, counted", [(4, SAD, True), (3, SAD, False), (4, HAPPY, False)])
def test_a_negative_label_is_supported_by_four_votes(sad_votes, label, counted):
    seen = votes(sadness=sad_votes, neutral=10 - sad_votes)
    found = measure_people(probs(SAD, 0.6)[None], seen[None], np.array([label])).negatives_found
    assert found == (Proportion(1, 1.0, interval_95(1, 1)) if counted else None)


def test_faces_that_nobody_voted_on_are_no_measure():
    assert measure_people(probs(SAD, 0.6)[None], votes()[None], np.array([SAD])) is None


# Counts and shares of PrivateTest, one view, after the cards' temperatures: counted independently of this code.
KNOWN = {
    "compact": (0.849, 0.288, 0.804, 0.686, 0.719),
    "compact-ferplus": (0.976, 0.016, 0.725, 0.862, 0.617),
}


@pytest.fixture(scope="session")
def private_test(fer2013, fer2013_path):
    """Images, labels and votes of PrivateTest."""
    from fer_core.data.votes import join_votes, read_votes

    table = fer2013_path.parent / "fer2013new.csv"
    if not table.is_file():
        pytest.skip("the FER+ votes are not at hand: put fer2013new.csv beside the data set")
    faces = join_votes(fer2013, read_votes(table))
    rows = faces.rows_of("PrivateTest")
    return faces.images[rows], faces.labels[rows], faces.votes[rows]


@pytest.mark.parametrize("model", KNOWN)
def test_the_bundled_networks_agree_with_people_as_often_as_is_known(private_test, model):
    from fer_core.data.votes import unique_majority
    from fer_core.evaluation.scoring import classifier_of, score
    from fer_core.evaluation.serialization import card_calibration
    from fer_core.models.bundle import load_bundle

    images, labels, seen = private_test
    bundle = load_bundle(model)
    scores = card_calibration(bundle.card).temperature.apply(score(classifier_of(bundle), images))
    people, majority = measure_people(scores, seen, labels), unique_majority(seen)
    voted = majority >= 0
    against_majority = measure(scores[voted], majority[voted])
    counts = (people.clear.images, people.neutral_called_negative.images, people.negatives_found.images)
    assert counts == (1852, 577, 633)
    assert against_majority.images == 3350
    assert (
        people.clear.accuracy,
        people.neutral_called_negative.share,
        people.negatives_found.share,
        against_majority.accuracy,
        measure(scores, labels).accuracy,
    ) == pytest.approx(KNOWN[model], abs=0.0005)
