import json
import shutil

import pytest

from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.models.bundle import (
    BUNDLED_ROOT,
    CARD_FILE,
    DEFAULT_MODEL,
    MODEL_FILE,
    bundled_models,
    load_bundle,
)


@pytest.fixture
def folder(tmp_path):
    """A copy of the bundled default that a test may damage."""
    return shutil.copytree(BUNDLED_ROOT / DEFAULT_MODEL, tmp_path / "model")


@pytest.mark.parametrize("name", bundled_models())
def test_every_bundled_model_loads_and_names_its_labels(name):
    bundle = load_bundle(name)
    assert bundle.card.name == name
    assert bundle.card.labels == LABELS


@pytest.mark.parametrize("name", bundled_models())
def test_every_bundled_card_states_data_splits_and_figures(name):
    card = load_bundle(name).card
    assert len(card.data["sha256"]) == 64
    assert set(card.data["images"]) >= {"Training", "PublicTest", "PrivateTest"}
    for split in ("PublicTest", "PrivateTest"):
        low, high = card.measured[split]["accuracy_95"]
        assert low < card.measured[split]["accuracy"] < high
        assert "protocol" in card.measured[split]


def test_the_bundled_models_are_small():
    assert all(path.stat().st_size <= 12e6 for path in BUNDLED_ROOT.glob(f"*/{MODEL_FILE}"))
    assert sum(path.stat().st_size for path in BUNDLED_ROOT.rglob("*") if path.is_file()) <= 42e6


def test_a_model_is_found_by_its_folder(folder):
    assert load_bundle(folder).content == load_bundle().content


def test_an_unknown_name_is_an_error_that_names_the_bundled_ones():
    with pytest.raises(ModelError, match=DEFAULT_MODEL):
        load_bundle("nonesuch")


def test_a_missing_network_is_an_error(folder):
    (folder / MODEL_FILE).unlink()
    with pytest.raises(ModelError, match="is missing"):
        load_bundle(folder)


def test_a_missing_card_is_an_error(folder):
    (folder / CARD_FILE).unlink()
    with pytest.raises(ModelError, match="card.json is missing"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "damage", [lambda content: content[:1000], lambda content: content[:-1] + b"x", lambda content: b""]
)
def test_a_truncated_or_altered_network_is_an_error(folder, damage):
    path = folder / MODEL_FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match="cut short or altered"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}'])
def test_a_broken_card_is_an_error(folder, text):
    (folder / CARD_FILE).write_text(text)
    with pytest.raises(ModelError, match="is not a model card"):
        load_bundle(folder)


def test_a_card_with_an_unknown_field_is_an_error(folder):
    card = json.loads((folder / CARD_FILE).read_text())
    (folder / CARD_FILE).write_text(json.dumps({**card, "surprise": 1}))
    with pytest.raises(ModelError, match="surprise"):
        load_bundle(folder)
