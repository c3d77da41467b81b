import os

import pytest

from fer_core.background.locks import take
from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import LIVE_STATES, RunFolder, best_epoch


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.create(RunConfig())
    return run


def test_a_folder_holds_one_run(run):
    assert run.config() == RunConfig()
    with pytest.raises(RunError, match="already holds a run"):
        run.create(RunConfig())


@pytest.mark.parametrize(("text", "said"), [(None, "holds no run"), ("{", "is broken")])
def test_a_folder_without_a_whole_configuration_says_so(tmp_path, text, said):
    if text:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match=said):
        RunFolder(tmp_path).config()


def test_there_is_no_status_before_the_first(run):
    assert run.status() is None


@pytest.mark.parametrize("state", LIVE_STATES)
def test_a_state_of_a_living_process_without_one_is_an_interruption(run, state):
    # This very process id is alive, as a reused one would be; only the lock tells.
    run.write_status(state, epoch=2)
    assert run.status().state == "interrupted"
    assert "Resume" in run.status().message
    lock = take(run.lock_file)
    assert run.status().state == state
    os.close(lock)


def test_a_process_that_died_of_a_stop_was_stopped(run):
    run.write_status("starting")
    run.stop_file.touch()
    assert run.status().state == "stopped"


@pytest.mark.parametrize("state", ["stopped", "finished", "failed"])
def test_an_end_needs_no_process(run, state):
    run.write_status(state, message="why")
    assert (run.status().state, run.status().message) == (state, "why")


def test_a_status_of_the_first_version_is_still_read(run):
    write_json(
        run.status_file,
        {"state": "finished", "pid": 1, "time_s": 2.0, "epoch": 50, "step": 0, "steps_per_epoch": 449, "message": ""},
    )
    assert run.status().epoch == 50


def test_tables_are_empty_before_they_are_written(run):
    assert len(run.history()) == len(run.progress()) == 0
    assert best_epoch(run.history()) is None


def test_a_half_written_row_is_left_out(run):
    run.history_file.write_text("epoch,val_accuracy\n0,0.5\n1,0.7\n2,0.7\n3,0.")
    history = run.history()
    assert history["val_accuracy"].tolist() == [0.5, 0.7, 0.7]
    assert best_epoch(history) == 1


@pytest.mark.parametrize("text", ["", "epoch,val_acc", "epoch,val_accuracy\n"])
def test_a_table_whose_writing_has_only_begun_is_empty(run, text):
    run.history_file.write_text(text)
    assert len(run.history()) == 0


def test_the_result_is_the_best_epoch_unless_it_would_be_picked_by_private_test(tmp_path):
    for name, splits, result in (("a", ("PublicTest",), "best.weights.h5"), ("b", ("PrivateTest",), "last.weights.h5")):
        run = RunFolder(tmp_path / name)
        run.create(RunConfig(validation_splits=splits))
        assert run.weights_file.name == result
