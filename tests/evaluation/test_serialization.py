import json

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.evaluation.assessment import assess
from fer_core.evaluation.scoring import Scores
from fer_core.evaluation.serialization import (
    calibration_from_json,
    card_results,
    evaluation_to_json,
    split_from_json,
    split_to_json,
)
from fer_core.models.bundle import BUNDLED_ROOT, Bundle
from fer_core.models.card import ModelCard
from fer_core.models.temperature import Temperature

N = 40


@pytest.fixture(params=[("votes",), ("people", "fer")], ids=["one label set", "two"])
def result(request):
    """An evaluation on two splits of random faces with votes."""
    rng = np.random.default_rng(0)
    faces = FaceSet(
        rng.integers(0, 256, (2 * N, 48, 48), np.uint8),
        rng.integers(0, 7, 2 * N),
        np.repeat(np.array([1, 2], np.uint8), N),
        rng.multinomial(10, [0.7, *[0.3 / 9] * 9], 2 * N).astype(np.uint8),
    )
    probs = rng.dirichlet(np.ones(7), (2, 2, N)).astype(np.float32)
    card = ModelCard("m", "compact", 1, (), files={"model.tflite": "ab"}, label_sets=request.param)
    others = {name: Scores(*probs[1], 1.0) for name in request.param[1:]}
    scores = {split: Scores(*probs[0], 1.0, others) for split in ("PublicTest", "PrivateTest")}
    return assess(Bundle(card, b""), faces, scores)


def test_results_are_plain_json_and_come_back_the_same(result):
    content = evaluation_to_json(result)
    again = json.loads(json.dumps(content))
    assert again == content
    for split, figures in result.splits.items():
        assert split_from_json(again["splits"][split]) == figures
    calibrations = again["calibration"] if len(result.label_sets) > 1 else {result.label_sets[0]: again["calibration"]}
    assert {name: calibration_from_json(part) for name, part in calibrations.items()} == result.calibrations


def test_a_split_without_votes_has_no_figures_of_people(result):
    content = split_to_json(result.splits["PrivateTest"])
    bare = {name: part for name, part in content.items() if name not in ("majority", "people", "without_copies")}
    assert split_to_json(split_from_json(bare)) == bare


# As cards were written before the keys were renamed: figures against votes with the accuracy of both views alone.
OLD_BLOCK = {
    "images": 3,
    "accuracy": 2 / 3,
    "accuracy_95": [0.2, 0.9],
    "macro_f1": 0.2,
    "confusion": [[1, 1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], *[[0] * 7] * 5],
    "by_label": {},
    "with_flip": {"accuracy": 1.0, "accuracy_95": [0.4, 1.0]},
}
OLD_CARD = {
    "name": "old",
    "architecture": "compact",
    "parameters": 1,
    "labels": ["angry"],
    "training": {"label_set": "ferplus"},
    "metrics": {"PrivateTest": {"protocol": "one view", **OLD_BLOCK, "ferplus": OLD_BLOCK}},
    "calibration": {
        "temperature": 1.5,
        "fitted_on": "PublicTest",
        "uncertain_below": 0.4,
        "by_split": {
            "PublicTest": {
                "images": 3,
                "ece_before": 0.2,
                "ece_after": 0.1,
                "answered": 0.9,
                "accuracy_answered": 0.8,
            }
        },
    },
}


def test_an_old_card_is_read(tmp_path):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(OLD_CARD))
    card = ModelCard.load(path)
    figures = card_results(card)["PrivateTest"]
    assert figures.majority.one_view.accuracy == 2 / 3
    assert figures.majority.one_view.balanced_accuracy == pytest.approx((0.5 + 1) / 2)
    assert (figures.majority.with_flip, figures.people, figures.labels.one_view.top2) == (None, None, None)
    calibration = calibration_from_json(card.calibration)
    assert (calibration.temperature, calibration.against) == (Temperature(1.5), None)
    covered = calibration.by_split["PublicTest"]
    assert (covered.coverage, covered.accuracy_covered) == (0.9, 0.8)
    assert card.label_sets == ("votes",)


@pytest.mark.parametrize("path", sorted(BUNDLED_ROOT.glob("*/card.json")), ids=lambda path: path.parent.name)
def test_every_bundled_card_says_how_often_it_agrees_with_people(path):
    figures = card_results(ModelCard.load(path))["PrivateTest"]
    assert figures.people.clear.images == 1852
    assert figures.majority.one_view.images == 3350
