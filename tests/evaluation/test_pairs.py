import numpy as np
import pytest
from scipy.stats import binomtest

from fer_core.data.face_set import VOTE_COLUMNS, FaceSet
from fer_core.emotions import LABELS
from fer_core.evaluation.pairs import Measure, ScoredModel, lines_of_pair, pair_to_json, paired_measures
from fer_core.evaluation.scoring import Scores
from fer_core.models.card import ModelCard

NEUTRAL, SAD, HAPPY = (LABELS.index(name) for name in ("neutral", "sad", "happy"))


def _faces(*seen: tuple[int, str, int]) -> FaceSet:
    """Faces of PublicTest: label, column with most votes, votes there; the rest is for unknown."""
    votes = np.zeros((len(seen), len(VOTE_COLUMNS)), np.uint8)
    for row, (_, column, count) in enumerate(seen):
        votes[row, VOTE_COLUMNS.index(column)] = count
        votes[row, VOTE_COLUMNS.index("unknown")] = 10 - count
    labels = np.array([label for label, _, _ in seen])
    return FaceSet(np.zeros((len(seen), 48, 48), np.uint8), labels, np.ones(len(seen), np.uint8), votes=votes)


def _model(answers, **others) -> ScoredModel:
    def scores(columns, more=()):
        probs = np.eye(7, dtype=np.float32)[columns]
        return Scores(probs, probs, 1.0, dict(more))

    label_sets = ("people", *others) if others else ("people",)
    card = ModelCard("m", "seed-cnn", 1, LABELS, label_sets=label_sets)
    return ScoredModel(card, {"PublicTest": scores(answers, {name: scores(each) for name, each in others.items()})})


def test_each_measure_counts_its_own_faces():
    faces = _faces((NEUTRAL, "neutral", 9), (SAD, "sadness", 4), (SAD, "happiness", 8), (HAPPY, "neutral", 8))
    first = _model([NEUTRAL, SAD, HAPPY, NEUTRAL])
    second = _model([SAD, HAPPY, HAPPY, HAPPY])
    found = {each.measure: each for each in paired_measures(faces, "PublicTest", first, second)}
    assert {measure: each.faces for measure, each in found.items()} == {
        Measure.CLEAR: 3,
        Measure.NEUTRAL: 2,
        Measure.NEGATIVES: 1,
        Measure.MAJORITY: 3,
        Measure.LABELS: 4,
    }
    assert (found[Measure.CLEAR].first, found[Measure.CLEAR].second) == (1.0, pytest.approx(1 / 3))
    # A neutral face that is called happy is wrong, but not called negative.
    assert (found[Measure.NEUTRAL].first, found[Measure.NEUTRAL].second) == (1.0, 0.5)
    assert (found[Measure.NEGATIVES].first, found[Measure.NEGATIVES].second) == (1.0, 0.0)


def test_against_the_labels_a_model_answers_by_its_label_set_for_them():
    faces = _faces((SAD, "neutral", 9), (HAPPY, "happiness", 9))
    first, second = _model([NEUTRAL, HAPPY]), _model([NEUTRAL, HAPPY], fer=[SAD, HAPPY])
    found = {each.measure: each for each in paired_measures(faces, "PublicTest", first, second)}
    assert (found[Measure.LABELS].first, found[Measure.LABELS].second) == (0.5, 1.0)
    assert found[Measure.CLEAR].second == 1.0


def test_the_difference_is_told_with_its_sign_interval_and_exact_test():
    faces = _faces(*[(HAPPY, "happiness", 9)] * 20)
    first = _model([HAPPY] * 10 + [SAD] * 10)
    second = _model([HAPPY] * 18 + [SAD] * 2)
    measures = paired_measures(faces, "PublicTest", first, second)
    p = binomtest(0, 8, 0.5).pvalue
    line = lines_of_pair("PublicTest", "old", "new", measures)[1]
    assert "clear faces right, 20: 90.0% against 50.0%, +40.0 points" in line and f"p = {p:.3f}" in line
    told = pair_to_json("old", "PublicTest", measures)["measures"]["clear"]
    low, high = told["difference_95"]
    assert low < told["difference"] < high and told["difference"] == pytest.approx(0.4)
    assert told["p_value"] == pytest.approx(p)


def test_without_votes_only_labels_are_compared():
    faces = FaceSet(np.zeros((2, 48, 48), np.uint8), np.array([SAD, HAPPY]), np.ones(2, np.uint8))
    found = paired_measures(faces, "PublicTest", _model([SAD, SAD]), _model([SAD, HAPPY]))
    assert [each.measure for each in found] == [Measure.LABELS]
