import dataclasses
import os
from pathlib import Path

import pytest

from fer_core.background.locks import take
from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.models.bundle import BUNDLED_ROOT
from fer_core.models.card import ModelCard
from fer_core.models.model_store import put_live
from fer_core.training.config import RunConfig
from fer_core.training.run.store import (
    delete_run,
    find_run,
    free_name,
    list_runs,
    result_of,
    runs_root,
    seed_groups,
)

HISTORY = (
    "epoch,accuracy,learning_rate,loss,seconds,val_accuracy,val_loss\n"
    "0,0.3,1e-4,1.8,10,0.4,1.7\n1,0.5,1e-4,1.4,12.5,0.6,1.5\n2,0.6,1e-4,1.2,12.5,0.5,1.6\n"
)


@pytest.fixture(autouse=True)
def store(home):
    return home


def make(name: str, **changes: object):
    run = find_run(name)
    run.create(dataclasses.replace(RunConfig(), **changes))
    return run


def test_runs_lie_in_the_home_folder(home):
    assert runs_root() == home / "runs"
    assert list_runs() == []


def test_runs_are_listed_newest_first():
    for time_s, name in enumerate(("a", "b", "c")):
        os.utime(make(name).config_file, (time_s, time_s))
    assert [run.name for run in list_runs()] == ["c", "b", "a"]


def test_a_path_names_a_run_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_run("./mine").path == tmp_path / "mine"
    assert find_run(Path("deep/er")).path == tmp_path / "deep" / "er"


@pytest.mark.parametrize("name", ["", ".hidden", "..", "a\nb", "x" * 65])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(RunError, match="cannot name a run"):
        find_run(name)


def test_a_free_name_is_free():
    assert free_name(RunConfig()) == "seed-cnn-1"
    make("seed-cnn-1")
    make("seed-cnn-3")
    assert free_name(RunConfig()) == "seed-cnn-2"


def test_the_name_of_a_model_that_outlived_its_run_is_not_free():
    put_live(BUNDLED_ROOT / "seed-cnn", "seed-cnn-1")
    assert free_name(RunConfig()) == "seed-cnn-2"


def test_a_run_keeps_the_marks_that_it_began_with(tmp_path):
    corrections = tmp_path / "marks.csv"
    corrections.write_text("as they were")
    run = make("marked", corrections=str(corrections))
    corrections.write_text("as they are now")
    assert run.corrections_file.read_text() == "as they were"
    assert run.config().corrections == str(corrections)


def test_marks_that_are_not_there_are_an_error_in_words(tmp_path):
    with pytest.raises(RunError, match="no list of corrections"):
        make("marked", corrections=str(tmp_path / "none.csv"))
    assert list_runs() == []


def test_a_deleted_run_is_gone_but_a_living_one_stays():
    run = make("a")
    lock = take(run.lock_file)
    with pytest.raises(RunError, match="still going on"):
        delete_run(run)
    os.close(lock)
    delete_run(run)
    assert list_runs() == [] and not run.path.exists()


def test_a_run_that_has_just_been_made_has_no_results():
    result = result_of(make("a"))
    assert (result.epochs, result.validation_accuracy, result.parameters, result.size_bytes) == (0, None, None, None)


@pytest.mark.parametrize(("splits", "accuracy"), [(("PublicTest",), 0.6), (("PublicTest", "PrivateTest"), 0.5)])
def test_the_result_is_of_the_epoch_that_is_kept(splits, accuracy):
    run = make("a", validation_splits=splits)
    run.history_file.write_text(HISTORY)
    run.weights_file.write_bytes(b"1234")
    result = result_of(run)
    assert (result.epochs, result.validation_accuracy, result.seconds, result.size_bytes) == (3, accuracy, 35, 4)


def test_a_finished_run_shows_the_figures_of_its_card():
    run = make("a")
    run.write_status("finished")
    ModelCard(
        name="a",
        architecture="seed-cnn",
        parameters=7,
        labels=("x",),
        metrics={"PublicTest": {"accuracy": 0.7}, "PrivateTest": {"accuracy": 0.65}},
    ).save(run.card_file)
    run.export_file.write_text('{"bytes": 11, "ms_per_face": 0.4}')
    result = result_of(run)
    assert (result.state, result.public_accuracy, result.private_accuracy) == ("finished", 0.7, 0.65)
    assert (result.parameters, result.size_bytes, result.ms_per_face) == (7, 11, 0.4)


def finished(name: str, **changes: object):
    run = make(name, **changes)
    run.write_status("finished")
    run.history_file.write_text(HISTORY)
    return run


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        ("ADAMW", True),
        ("optimizer=adamw seed=3", True),
        ("optimizer=adamw seed=4", False),
        ("warm-up", True),
        ("finished training publictest", True),
        ("a", True),
        ("nonesuch", False),
    ],
)
def test_runs_are_found_by_name_state_note_and_settings(query, matches):
    run = finished("a", optimizer="adamw", seed=3)
    run.write_note("Longer warm-up")
    assert result_of(run).matches(query) == matches


def test_a_result_says_what_was_trained_and_when():
    run = finished("a", optimizer="adamw")
    run.write_note("Why")
    os.utime(run.config_file, (5, 5))
    result = result_of(run)
    assert (result.config, result.created_s, result.note, result.weakness) == (run.config(), 5, "Why", "")


def test_a_finished_run_that_says_one_thing_is_no_success():
    run = finished("a")
    confusion = [[0] * 7 for _ in range(7)]
    for row, count in enumerate((10, 2, 12, 24, 16, 14, 22)):
        confusion[row][3] = count
    faces = {"labels": [], "probs": [], "predicted": []}
    write_json(run.validation_file, {"epoch": 2, "confusion": confusion, "faces": faces})
    assert result_of(run).weakness == "always happy"
    run.write_status("stopped")
    assert result_of(run).weakness == "", "it has not ended yet"


def test_runs_that_differ_only_in_their_seed_belong_together():
    runs = [finished("a", seed=1), finished("b", epochs=3), finished("c", seed=2), finished("d", epochs=3, seed=1)]
    groups = seed_groups([result_of(run) for run in runs])
    assert [[result.name for result in group] for group in groups] == [["a", "c"], ["b", "d"]]
