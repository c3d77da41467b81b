import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.errors import DataError
from fer_core.evaluation.assessment import assess, leaked, measured_splits
from fer_core.evaluation.card_figures import difference_to_card, with_figures
from fer_core.evaluation.scoring import Scores
from fer_core.models.bundle import Bundle
from fer_core.models.card import ModelCard
from fer_core.models.temperature import Temperature

N = 60
# Columns of the votes: neutral, happiness, ..., of which happiness is LABELS' happy (3).
HAPPY_COLUMN, HAPPY, CONTEMPT_COLUMN = 1, 3, 7


def face_set(votes: np.ndarray | None = None) -> FaceSet:
    rng = np.random.default_rng(0)
    return FaceSet(
        rng.integers(0, 256, (3 * N, 48, 48), np.uint8),
        rng.integers(0, 7, 3 * N),
        np.repeat(np.arange(3, dtype=np.uint8), N),
        votes,
    )


def scores_of(faces: FaceSet, seed: int = 0) -> dict[str, Scores]:
    rng = np.random.default_rng(seed)
    found = {}
    for split in ("PublicTest", "PrivateTest"):
        labels = faces.labels[faces.rows_of(split)]
        views = []
        for _ in range(2):
            probs = np.exp(rng.normal(size=(N, 7)) + 2 * np.eye(7)[labels])
            views.append((probs / probs.sum(1, keepdims=True)).astype(np.float32))
        found[split] = Scores(*views, 1.0)
    return found


def bundle(**training) -> Bundle:
    return Bundle(ModelCard("m", "seed-cnn", 1, (), training=training, files={"model.tflite": "ab"}), b"")


def test_every_split_is_measured_apart_and_both_tests_as_one():
    faces = face_set()
    scores = scores_of(faces)
    found = assess(bundle(), faces, scores)
    assert list(found.splits) == ["PublicTest", "PrivateTest", "PublicTest + PrivateTest"]
    labels = faces.labels[faces.rows_of("PrivateTest")]
    public, private, both = (result.labels for result in found.splits.values())
    assert private.one_view.accuracy == np.mean(scores["PrivateTest"].probs.argmax(1) == labels)
    mean = (scores["PrivateTest"].probs + scores["PrivateTest"].mirrored) / 2
    assert private.with_flip.accuracy == np.mean(mean.argmax(1) == labels)
    assert both.one_view.images == 2 * N
    assert both.one_view.accuracy == pytest.approx((public.one_view.accuracy + private.one_view.accuracy) / 2)


def test_images_that_are_also_in_training_are_left_out():
    faces = face_set()
    faces.images[N : N + 5] = faces.images[:5]  # five of PublicTest
    faces.images[N + 6] = faces.images[N + 7]  # a copy, but not of a training image
    assert np.flatnonzero(leaked(faces)).tolist() == list(range(N, N + 5))
    assert assess(bundle(), faces, scores_of(faces)).splits["PublicTest"].without_copies.one_view.images == N - 5


def test_nothing_is_claimed_of_a_split_that_is_all_copies_or_all_something_else():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, CONTEMPT_COLUMN] = 10
    faces = face_set(votes)
    faces.images[N : 2 * N] = faces.images[:N]
    found = assess(bundle(), faces, scores_of(faces)).splits
    assert found["PublicTest"].without_copies is None
    assert found["PrivateTest"].without_copies.one_view.images == N
    assert all(result.majority is None and result.people.clear is None for result in found.values())


def test_votes_are_another_truth_for_the_faces_most_people_named_one_of_the_seven_for():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, HAPPY_COLUMN] = 10
    votes[N : N + 10] = 0
    votes[N : N + 10, CONTEMPT_COLUMN] = 10
    faces = face_set(votes)
    scores = scores_of(faces)
    found = assess(bundle(), faces, scores).splits["PublicTest"]
    right = np.mean(scores["PublicTest"].probs[10:].argmax(1) == HAPPY)
    assert (found.majority.one_view.images, found.people.clear.images) == (N - 10, N - 10)
    assert (found.majority.one_view.accuracy, found.people.clear.accuracy) == (right, right)


def test_confident_errors_are_counted_after_the_temperature():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, HAPPY_COLUMN] = 10
    faces = face_set(votes)
    scores = scores_of(faces)
    found = assess(bundle(), faces, scores)
    after = found.calibration.temperature.apply(scores["PrivateTest"].probs)
    wrong = (after.argmax(1) != HAPPY) & (after.max(1) >= 0.5)
    assert found.splits["PrivateTest"].people.clear.confident_errors == wrong.mean()
    assert wrong.mean() != np.mean((after.argmax(1) != HAPPY) & (scores["PrivateTest"].probs.max(1) >= 0.5))


def test_each_label_set_is_measured_and_calibrated_against_its_own_truth():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, HAPPY_COLUMN] = 10
    faces = face_set(votes)
    people, fer = scores_of(faces, seed=1), scores_of(faces, seed=2)
    both = {split: dataclasses.replace(people[split], others={"fer": fer[split]}) for split in people}
    card = ModelCard("m", "compact", 1, (), files={"model.tflite": "ab"}, label_sets=("people", "fer"))
    found = assess(Bundle(card, b""), faces, both)
    alone = {
        name: assess(Bundle(dataclasses.replace(card, label_sets=(name,)), b""), faces, scores)
        for name, scores in (("people", people), ("fer", fer))
    }
    for name in ("people", "fer"):
        assert found.calibrations[name] == alone[name].calibration
        assert dataclasses.replace(found.split("PrivateTest", name), label_sets={}) == alone[name].split("PrivateTest")
    assert (found.calibrations["people"].against, found.calibrations["fer"].against) == ("majority", "labels")
    written = with_figures(card, found)
    assert set(written.calibration) == {"people", "fer"}
    assert written.metrics["PrivateTest"]["label_sets"]["fer"]["accuracy"] == fer_accuracy(faces, fer)
    assert difference_to_card(written, found)[1] == 0
    written.metrics["PrivateTest"]["label_sets"]["fer"]["accuracy"] -= 0.02
    assert difference_to_card(written, found) == ("PrivateTest label_sets fer accuracy", pytest.approx(2))


def fer_accuracy(faces: FaceSet, scores: dict[str, Scores]) -> float:
    return np.mean(scores["PrivateTest"].probs.argmax(1) == faces.labels[faces.rows_of("PrivateTest")])


def test_the_temperature_comes_from_publictest_alone():
    faces = face_set()
    scores = scores_of(faces)
    first = assess(bundle(), faces, scores).calibration
    assert first.fitted_on == "PublicTest"
    other = {**scores, "PrivateTest": scores_of(faces, seed=5)["PrivateTest"]}
    assert assess(bundle(), faces, other).calibration.temperature == first.temperature
    assert first.by_split["PublicTest"].accuracy_covered >= first.target


def test_without_a_split_to_fit_on_the_cards_own_temperature_counts():
    faces = face_set()
    card = ModelCard(
        "m", "seed-cnn", 1, (), calibration={"temperature": 1.7, "entropy_power": 0.2, "uncertain_below": 0.4}
    )
    found = assess(Bundle(card, b""), faces, {"PrivateTest": scores_of(faces)["PrivateTest"]}).calibration
    assert (found.temperature, found.uncertain_below) == (Temperature(1.7, 0.2), 0.4)


@pytest.mark.parametrize("images, fitted_on", [({"Validation": N}, "Validation"), ({}, None)])
def test_nothing_is_fitted_on_a_split_that_the_model_learned_from(images, fitted_on):
    faces = face_set()
    faces.split[faces.split == SPLITS.index("PublicTest")] = SPLITS.index("Validation")
    scores = {"Validation": scores_of(face_set())["PublicTest"]}
    card = ModelCard(
        "m", "seed-cnn", 1, (), data={"images": images, "sha256": faces.hash}, training={"train_splits": ["Training"]}
    )
    found = assess(Bundle(card, b""), faces, scores)
    assert found.calibration.fitted_on == fitted_on
    assert found.trained_on == (() if fitted_on else ("Validation",))


def test_a_model_of_votes_is_calibrated_on_votes():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, HAPPY_COLUMN] = 10
    faces = face_set(votes)
    scores = scores_of(faces)
    own = assess(bundle(label_set="ferplus"), faces, scores)
    assert (own.label_sets, own.calibration.against) == (("votes",), "majority")
    assert own.calibration.temperature != assess(bundle(), faces, scores).calibration.temperature


def test_a_model_of_votes_is_weak_where_people_saw_something_else():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, HAPPY_COLUMN] = 10
    faces = face_set(votes)
    scores = scores_of(faces)
    by_votes, by_labels = (
        with_figures(card, assess(Bundle(card, b""), faces, scores)).limits[0]
        for card in (bundle(label_set="ferplus").card, bundle().card)
    )
    recognised = np.mean(scores["PrivateTest"].probs.argmax(1) == HAPPY)
    assert f"by what most of ten people saw, it does worst on happy ({recognised:.0%} recognised" in by_votes
    assert "people saw" not in by_labels


def test_a_data_set_without_a_test_split_is_an_error_in_words():
    faces = FaceSet(np.zeros((2, 48, 48), np.uint8), np.zeros(2, int), np.zeros(2, np.uint8))
    with pytest.raises(DataError, match="nothing to test on"):
        measured_splits(faces)
    assert set(measured_splits(face_set())) < set(SPLITS)


def test_a_card_with_its_own_figures_is_confirmed_and_one_that_boasts_is_not():
    faces = face_set()
    figures = assess(bundle(), faces, scores_of(faces))
    card = with_figures(bundle().card, figures)
    assert card.temperature == figures.calibration.temperature
    assert difference_to_card(card, figures)[1] == 0
    card.metrics["PrivateTest"]["accuracy"] += 0.02
    where, points = difference_to_card(card, assess(bundle(), faces, scores_of(faces)))
    assert (where, points) == ("PrivateTest accuracy", pytest.approx(2.0))


def test_one_split_measured_again_leaves_the_calibration_of_the_other_unless_it_is_fitted_anew():
    faces = face_set()
    scores = scores_of(faces)
    card = with_figures(bundle().card, assess(bundle(), faces, scores))
    again = with_figures(card, assess(bundle(), faces, {"PublicTest": scores["PublicTest"]}))
    assert again.calibration == card.calibration
    other = {"PublicTest": scores_of(faces, seed=5)["PublicTest"]}
    assert set(with_figures(card, assess(bundle(), faces, other)).calibration["by_split"]) == {"PublicTest"}


def test_a_card_without_figures_has_nothing_to_compare():
    faces = face_set()
    assert difference_to_card(bundle().card, assess(bundle(), faces, scores_of(faces))) == ("", 0.0)


TABLE = {"images": {"Training": N, "PublicTest": N, "PrivateTest": N}}


def card_after(card: ModelCard, times: int = 1) -> ModelCard:
    faces = face_set()
    figures = assess(bundle(), faces, scores_of(faces))
    for _ in range(times):
        card = with_figures(card, figures)
    return card


@pytest.mark.parametrize(
    ("data", "kept"),
    [({}, True), (TABLE | {"synthetic": True}, True), (TABLE, False)],
    ids=["imported", "drawn", "FER-2013"],
)
def test_limits_are_the_models_own_unless_it_learned_from_fer2013(data, kept):
    own = ("Imported from x.keras: nothing is known of its training data.",)
    card = card_after(ModelCard("m", "imported", 1, (), data=data, limits=own), times=2)
    assert "worst" in card.limits[0] and sum("worst" in limit for limit in card.limits) == 1
    assert (card.limits[1:] == own) == kept
    assert any("learned from FER-2013" in limit for limit in card.limits) != kept


def test_the_card_names_what_it_was_measured_on():
    card = card_after(ModelCard("m", "imported", 1, (), data={"synthetic": True}))
    assert card.measured_on["images"] == TABLE["images"] and not card.measured_on["synthetic"]
    assert set(card.measured) == {"PublicTest", "PrivateTest", "PublicTest + PrivateTest"}


def test_limits_name_the_expressions_it_does_worst_on():
    faces = face_set()
    figures = assess(bundle(), faces, scores_of(faces))
    recall = {name: each.recall for name, each in figures.splits["PrivateTest"].labels.one_view.by_label.items()}
    assert min(recall, key=recall.get) in with_figures(bundle().card, figures).limits[0]


def test_what_is_measured_of_one_split_leaves_the_rest_of_the_card():
    faces = face_set()
    scores = scores_of(faces)
    card = with_figures(bundle().card, assess(bundle(), faces, scores))
    part = assess(Bundle(card, b""), faces, {"PrivateTest": scores["PrivateTest"]})
    again = with_figures(card, part)
    assert again.metrics == card.metrics
    assert again.calibration == card.calibration
    assert difference_to_card(card, part)[1] == 0


def test_figures_that_were_not_measured_confirm_nothing():
    """The target is the same everywhere, and the threshold was the card's own to begin with."""
    faces = face_set()
    card = with_figures(bundle().card, assess(bundle(), faces, scores_of(faces)))
    faces.split[faces.split == SPLITS.index("PrivateTest")] = SPLITS.index("Test")
    part = assess(Bundle(card, b""), faces, {"Test": scores_of(face_set())["PrivateTest"]})
    assert difference_to_card(card, part) == ("", 0.0)


def test_a_model_of_votes_is_not_compared_where_there_are_none():
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, HAPPY_COLUMN] = 10
    own = bundle(label_set="ferplus")
    card = with_figures(own.card, assess(own, face_set(votes), scores_of(face_set())))
    without = assess(Bundle(card, b""), face_set(), scores_of(face_set()))
    assert difference_to_card(card, without)[1] == 0
    assert difference_to_card(card, without)[0]
