"""What is said of a model beside its choice."""

import dataclasses
import shutil

import pytest

from fer_core.models.bundle import BUNDLED_ROOT, CARD_FILE, DEFAULT_MODEL
from fer_core.models.card import ModelCard
from fer_core.ui.components import model_choice


@pytest.mark.parametrize(("drawn", "words"), [(False, "It learned FER-2013's own labels"), (True, "")])
def test_only_a_model_of_fer2013_is_said_to_have_learned_its_labels(drawn, words, tmp_path, monkeypatch):
    folder = shutil.copytree(BUNDLED_ROOT / DEFAULT_MODEL, tmp_path / "mine")
    card = ModelCard.load(folder / CARD_FILE)
    dataclasses.replace(card, data={**card.data, "synthetic": drawn}).save(folder / CARD_FILE)
    monkeypatch.setattr(model_choice, "folder_of", lambda name: folder)
    said = model_choice._description("mine")
    assert said.startswith(words) and bool(said) == bool(words)
