"""`import` and `export` as a user types them."""

import json

import pytest

from fer_core.cli import main
from fer_core.models.bundle import DEFAULT_MODEL, bundled_models, load_bundle
from fer_core.models.model_store import available_models, chosen_model, folder_of
from tests.models.keras_files import LABELS_TEXT, saved, small_network


def said(capsys) -> tuple[str, str]:
    told = capsys.readouterr()
    return told.out, told.err


def test_a_described_network_joins_the_models_without_being_chosen(home, tmp_path, capsys):
    path = saved(small_network(), tmp_path / "their net.keras")
    assert main(["import", str(path), "--labels", LABELS_TEXT, "--input-size", "24", "--scale", "-1..1", "--json"]) == 0
    told = json.loads(said(capsys)[0].splitlines()[-1])
    assert told["name"] == "their-net"
    assert "their-net" in available_models()
    assert chosen_model() == DEFAULT_MODEL
    assert list(load_bundle(folder_of("their-net")).card.labels) == told["labels"]


def test_a_taken_name_is_refused(home, tmp_path, capsys):
    assert main(["import", str(tmp_path / "x.keras"), "--name", DEFAULT_MODEL]) == 1
    assert "There is a model named" in said(capsys)[1]


@pytest.mark.parametrize("name", ["../x", ".x", "a/b"])
def test_a_name_that_is_no_folder_is_refused(home, tmp_path, capsys, name):
    assert main(["import", str(tmp_path / "x.keras"), "--name", name]) == 1
    assert "cannot name a model" in said(capsys)[1]


def test_export_of_what_there_is_not_names_what_there_is(home, capsys):
    assert main(["export", "nonesuch"]) == 1
    assert f"No run and no model is named 'nonesuch'. Models: {bundled_models()[0]}" in said(capsys)[1]


def test_a_model_is_exported_by_its_name(home, tmp_path, capsys):
    assert main(["export", DEFAULT_MODEL, "--format", "litert", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(said(capsys)[0].splitlines()[-1])
    assert told["bytes"] == (tmp_path / "out" / "model.tflite").stat().st_size
    assert told["ms_per_face"] > 0
