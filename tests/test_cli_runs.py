"""`fer runs`: runs from the command line."""

import dataclasses
import io
import json
import os

import pytest

from fer_core.background.locks import take
from fer_core.cli import main
from fer_core.training.config import PRESETS
from fer_core.training.run.store import find_run, list_runs

HISTORY = (
    "epoch,accuracy,learning_rate,loss,seconds,val_accuracy,val_loss\n"
    "0,0.3,1e-4,1.8,10,0.4,1.7\n1,0.5,1e-4,1.4,12.5,0.6,1.5\n2,0.6,1e-4,1.2,12.5,0.5,1.6\n"
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def make_run():
    """A function that makes a run of three epochs which has ended in a state."""

    def make(name: str, state: str = "stopped", **changes: object):
        run = find_run(name)
        run.create(dataclasses.replace(PRESETS["quick"], **changes))
        run.write_status(state, epoch=3)
        run.history_file.write_text(HISTORY)
        return run

    return make


@pytest.fixture
def living(make_run):
    """A run that a process works on, as its lock says."""
    run = make_run("living", "running")
    lock = take(run.lock_file)
    yield run
    os.close(lock)


def output_of(capsys, *arguments: str) -> str:
    assert main(["runs", *arguments]) == 0
    return capsys.readouterr().out


def test_runs_are_listed_with_their_state_epochs_and_accuracy(make_run, capsys):
    make_run("first", seed=1)
    make_run("second", "failed", seed=2)
    lines = output_of(capsys, "list").splitlines()
    row = next(line.split() for line in lines if line.startswith("first"))
    assert row[1:5] == ["stopped", "3/10", "60.0", "%"]
    assert any(line.startswith("second") and "failed" in line for line in lines)


def test_the_list_is_filtered_by_words_and_comes_as_json(make_run, capsys):
    make_run("first", seed=1)
    make_run("second", seed=2)
    listed = json.loads(output_of(capsys, "list", "seed=2", "stopped", "--json"))
    assert [run["name"] for run in listed["runs"]] == ["second"]
    assert listed["runs"][0]["validation_accuracy"] == 0.6
    assert listed["runs"][0]["epochs_planned"] == 10
    assert "No run matches" in output_of(capsys, "list", "seed=9")


def test_a_broken_run_does_not_hide_the_others(make_run, capsys):
    make_run("whole")
    make_run("broken").history_file.write_text("epoch,accuracy\nx,y\n")
    text = output_of(capsys, "list")
    assert "whole" in text and "! broken cannot be read: history.csv" in text
    listed = json.loads(output_of(capsys, "list", "--json"))
    assert [run["name"] for run in listed["runs"]] == ["whole"] and list(listed["broken"]) == ["broken"]


def test_one_run_is_shown_with_what_it_changes(make_run, capsys):
    make_run("mine", seed=3).write_note("try a lower rate")
    text = output_of(capsys, "show", "mine")
    assert "3 of 10, best 60.0 % in epoch 2" in text
    assert "preset=quick, seed=3" in text and "try a lower rate" in text
    details = json.loads(output_of(capsys, "show", "mine", "--json"))
    assert details["config"]["seed"] == 3
    assert details["last_epoch"]["epoch"] == 3 and details["last_epoch"]["val_accuracy"] == 0.5


@pytest.mark.parametrize("command", ["show", "stop", "finish", "delete"])
def test_a_name_that_no_run_has_is_an_error_in_words(make_run, command, capsys):
    make_run("mine")
    assert main(["runs", command, "yours"]) == 1
    assert "There is no run named 'yours'. Runs: mine." in capsys.readouterr().err


def test_only_a_running_run_is_stopped(make_run, capsys):
    make_run("mine")
    assert main(["runs", "stop", "mine"]) == 1
    assert "is not running" in capsys.readouterr().err


def test_delete_asks_unless_told_not_to(make_run, monkeypatch, capsys):
    make_run("first"), make_run("second")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\ny\n"))
    assert main(["runs", "delete", "first"]) == 1
    assert len(list_runs()) == 2
    assert main(["runs", "delete", "first"]) == 0
    assert [run.name for run in list_runs()] == ["second"]
    assert "Deleted second." in output_of(capsys, "delete", "second", "--yes")
    assert list_runs() == []


def test_a_running_run_is_never_deleted_nor_those_beside_it(make_run, living, capsys):
    other = make_run("other")
    assert main(["runs", "delete", "other", "living", "--yes"]) == 1
    assert "still going on" in capsys.readouterr().err
    assert other.config_file.exists() and living.config_file.exists()


def test_a_run_without_a_whole_epoch_cannot_be_finished(make_run, capsys):
    make_run("mine")
    assert main(["runs", "finish", "mine"]) == 1
    assert "has no weights yet" in capsys.readouterr().err


def test_a_run_that_a_process_works_on_cannot_be_finished(living, capsys):
    living.weights_file.touch()
    assert main(["runs", "finish", "living"]) == 1
    assert "already works on the run" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "show", "stop", "finish", "delete"])
def test_every_command_has_help_with_an_example(command, capsys):
    assert f"fer runs {command}" in output_of(capsys, command, "--help")
