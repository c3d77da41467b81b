"""What is said of a model beside its choice."""

import dataclasses
import shutil

import pytest

from fer_core.models.bundle import BUNDLED_ROOT, CARD_FILE
from fer_core.models.card import ModelCard
from fer_core.ui.components import model_choice

TABLE = {"images": {"PublicTest": 3589, "PrivateTest": 3589}}


@pytest.fixture
def described(tmp_path, monkeypatch):
    """A function that returns what is said of the default model with changes to its card."""
    folder = shutil.copytree(BUNDLED_ROOT / "compact", tmp_path / "mine")
    card = ModelCard.load(folder / CARD_FILE)
    monkeypatch.setattr(model_choice, "folder_of", lambda name: folder)

    def describe(**changes) -> str:
        dataclasses.replace(card, **changes).save(folder / CARD_FILE)
        return model_choice._description("mine")

    return describe


@pytest.mark.parametrize("synthetic", [False, True])
def test_only_a_model_of_fer2013_is_said_to_have_learned_its_labels(synthetic, described):
    learned = "It learned FER-2013's own labels" in described(data={**TABLE, "synthetic": synthetic}, metrics={})
    assert learned is not synthetic


def test_how_often_it_agrees_with_people_is_said_where_that_was_measured(described):
    assert "It is right on 84.9 % of the faces that people agree on, calls 28.8 %" in described()
    assert "people agree on" not in described(metrics={})


def test_the_accurate_model_is_what_is_said_of_it():
    default, accurate = (ModelCard.load(BUNDLED_ROOT / name / CARD_FILE) for name in ("people", "accurate"))
    assert "right more often" in model_choice._description("accurate")
    assert round(accurate.parameters / default.parameters) == 4
    for split in ("PublicTest", "PrivateTest"):
        people, labels, votes = zip(*(_accuracies(card.metrics[split]) for card in (default, accurate)), strict=True)
        assert people[0] < people[1] and labels[0] < labels[1] and votes[0] < votes[1]


def _accuracies(metrics: dict) -> tuple[float, float, float]:
    """Accuracy of what people see, of the labels' and of the votes' scores, each against what they answer for."""
    others = metrics["label_sets"]
    return metrics["majority"]["accuracy"], others["fer"]["accuracy"], others["votes"]["majority"]["accuracy"]
