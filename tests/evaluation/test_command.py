import errno
import json
import re

import numpy as np
import pytest

from fer_core.cli import main, run_command
from fer_core.data.face_set import FaceSet
from fer_core.data.store import write_store
from fer_core.errors import DataError
from fer_core.evaluation import command, scoring
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.files import read_json


@pytest.fixture
def evaluate(monkeypatch, tmp_path):
    """A function that runs the command on 20 stored faces and returns what its progress file says at the end."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    write_store(
        FaceSet(
            rng.integers(0, 256, (20, 48, 48), np.uint8),
            rng.integers(0, 7, 20),
            np.repeat(np.array([0, 1], np.uint8), 10),
        ),
        "small",
    )
    progress = tmp_path / "progress.json"

    def call(*more):
        options = ["--model", "seed-cnn", "--data", "small", "--json", "--progress", str(progress)]
        run_command(["evaluate", *options, *more])
        return read_json(progress)

    return call


def test_a_measurement_says_that_it_is_done_also_where_everything_was_kept(evaluate):
    for _ in range(2):
        told = evaluate()
        assert (told["done"], told["error"]) == (told["total"], "")


def test_an_error_ends_up_in_the_progress_file(evaluate, tmp_path):
    with pytest.raises(DataError):
        evaluate("--split", "PrivateTest")
    assert "no images in PrivateTest" in read_json(tmp_path / "progress.json")["error"]


@pytest.mark.parametrize("split", ["PublicTest", "Training"])
def test_any_split_can_be_measured_on_worse_pictures(evaluate, split, capsys):
    evaluate("--split", split, "--robustness")
    assert list(json.loads(capsys.readouterr().out)["robustness"]) == [split]


def test_figures_of_what_it_was_trained_on_are_pointed_out(evaluate, capsys):
    evaluate("--split", "Training")
    assert json.loads(capsys.readouterr().out)["trained_on"] == ["Training"]


@pytest.mark.parametrize("lost", ["scores", "robustness"])
def test_what_could_not_be_kept_is_an_error_in_words(evaluate, lost, monkeypatch, tmp_path):
    save_cached = scoring.save_cached
    monkeypatch.setattr(
        scoring,
        "save_cached",
        lambda folder, name, arrays: None if name.startswith(lost) else save_cached(folder, name, arrays),
    )
    with pytest.raises(DataError, match=rf"The {lost} of seed-cnn could not be kept in .*Free some space"):
        evaluate("--robustness")
    assert "could not be kept" in read_json(tmp_path / "progress.json")["error"]


def test_a_full_disk_hides_how_far_it_is_but_not_what_is_wrong(evaluate, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(command, "write_json", full)
    with pytest.raises(DataError, match="no images in PrivateTest"):
        evaluate("--split", "PrivateTest")


def test_the_number_of_passes_is_the_one_that_help_states(capsys):
    assert main(["evaluate", "--help"]) == 0
    passes = sum(level != 0 for each in CORRUPTIONS.values() for level in each.levels)
    assert re.search(rf"\b{passes} more passes", " ".join(capsys.readouterr().out.split()))
