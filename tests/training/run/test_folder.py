import json
import os

import pytest

from fer_core.background.locks import take
from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.training.config import RunConfig
from fer_core.training.run import folder
from fer_core.training.run.folder import HISTORY_COLUMNS, LIVE_STATES, RunFolder, best_epoch

ROWS = "0,0.3,1.8,0.5,1.7,1e-4,10\n1,0.5,1.4,0.7,1.5,1e-4,12.5\n2,0.6,1.2,0.7,1.6,1e-4,12.5\n"


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
    run.history_file.write_text(",".join(HISTORY_COLUMNS) + "\n" + ROWS + "3,0.5,1.5,0.")
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch,val_accuracy\n0,0.5\n", "column accuracy is missing"),
        (",".join(HISTORY_COLUMNS) + "\n" + ROWS.replace("12.5", "12.x", 1), "line 3 is not a row of numbers"),
        (",".join(HISTORY_COLUMNS) + "\n" + ROWS.replace(",12.5", "", 1), "line 3 has 6 values, not 7"),
        (",".join(HISTORY_COLUMNS) + "\n" + ROWS.replace("0.7", "nan", 1), "not a finite number"),
        (",".join(HISTORY_COLUMNS) + "\n" + ROWS.replace("2,0.6", "3,0.6"), "without gaps"),
    ],
)
def test_a_damaged_history_says_what_is_wrong(run, text, said):
    run.history_file.write_text(text)
    with pytest.raises(RunError, match=said):
        run.history()
    assert said in run.problem()


def test_a_value_that_an_epoch_did_not_have_is_read_as_missing(run):
    run.history_file.write_text(",".join([*HISTORY_COLUMNS, "val_clear_accuracy"]) + "\n0,0.3,1.8,0.5,1.7,1e-4,10,NA\n")
    assert run.history()["val_clear_accuracy"].isna().all()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"state": "finished"}', '{"state": "odd", "pid": 1, "time_s": 2}']
)
def test_a_damaged_status_is_a_state_of_its_own(run, text):
    run.status_file.write_text(text)
    assert run.status().state == "broken" and not run.status().live
    assert "status.json cannot be read" in run.status().message


def test_fields_that_a_later_version_adds_are_ignored(run):
    run.write_status("finished", epoch=3)
    write_json(run.status_file, {**json.loads(run.status_file.read_text()), "mood": "good"})
    assert run.status().epoch == 3


@pytest.mark.parametrize(("kills", "said"), [(3, "memory ran out: the system"), (2, "unexpectedly"), (0, "restarted")])
def test_a_process_that_was_killed_for_want_of_memory_is_recognized(run, monkeypatch, kills, said):
    monkeypatch.setattr(folder, "oom_kills", lambda: 2)
    run.write_status("running")
    monkeypatch.setattr(folder, "oom_kills", lambda: kills)
    assert run.status().state == "interrupted" and said in run.status().message


def test_records_that_a_run_can_do_without_are_reported(run):
    assert run.validation() is None and run.export() is None and run.damaged_records() == []
    run.validation_file.write_text('{"epoch": 1}')
    run.export_file.write_text("{")
    assert [problem.split()[0] for problem in run.damaged_records()] == ["validation.json", "export.json"]
    assert run.problem() == ""


def test_a_note_is_kept_with_the_run(run):
    assert run.note() == ""
    run.write_note("  Higher learning rate. ")
    assert run.note() == "Higher learning rate."


def test_a_run_cannot_have_the_name_of_a_bundled_model(tmp_path):
    with pytest.raises(RunError, match="comes with the package"):
        RunFolder(tmp_path / "compact").create(RunConfig())
    assert not (tmp_path / "compact").exists()
