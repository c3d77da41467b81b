"""Putting a run live, without converting anything."""

import shutil

import pytest

from fer_core.files import sha256_of, write_json
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.models.model_store import chosen_model
from fer_core.training.config import RunConfig
from fer_core.training.put_live import export_figures, is_exported, is_live, put_run_live

FIGURES = {"difference": 2e-5, "faces": 256, "bytes": 1, "ms_per_face": 0.5}


@pytest.fixture
def run(home, new_run):
    run = new_run(RunConfig(), "mine")
    run.weights_file.write_bytes(b"weights")
    shutil.copytree(BUNDLED_ROOT / DEFAULT_MODEL, run.model_folder)
    return run


def test_a_result_counts_as_converted_until_its_weights_change(run):
    assert not is_exported(run)
    write_json(run.export_file, {**FIGURES, "weights_sha256": sha256_of(run.weights_file)})
    assert is_exported(run)
    run.weights_file.write_bytes(b"better weights")
    assert not is_exported(run)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"difference": 1', "3", "\x00"])
def test_a_damaged_record_of_a_conversion_counts_as_none(run, content):
    run.export_file.write_text(content)
    assert export_figures(run) is None
    assert not is_exported(run)


def test_the_model_of_a_run_goes_live_under_its_name(run):
    assert put_run_live(run) == "mine" == chosen_model()
    assert is_live(run)
