"""A stopped run becomes a finished model."""

import dataclasses

import pytest

from fer_core.errors import RunError
from fer_core.models.card import ModelCard
from fer_core.training.command import finish_run
from fer_core.training.run.process import launch, require_unfinished
from tests.training.running import stop_in_epoch

pytestmark = pytest.mark.usefixtures("home", "eager")


@pytest.fixture
def stopped(config, new_run, train, monkeypatch):
    """A function that trains a run and stops it in its third epoch of four."""

    def make(**changes: object):
        run = new_run(config, **changes)
        with monkeypatch.context() as patch:
            stop_in_epoch(patch, 2)
            assert train(run) is None
        return run

    return make


@pytest.fixture
def finish(faces, monkeypatch):
    """A function that finishes a run on the small data set, and the runs that were converted."""
    converted = []
    monkeypatch.setattr("fer_core.training.command._export", converted.append)
    return lambda run: (finish_run(run, lambda config: faces), converted)


@pytest.mark.parametrize("selection", ["best", "last"])
def test_a_stopped_run_is_finished_with_the_weights_it_has(stopped, finish, selection):
    run = stopped(selection=selection)
    outcome, converted = finish(run)
    assert outcome.exit_code == 0 and run.status().state == "finished" and converted == [run]
    card, history = ModelCard.load(run.card_file), run.history()
    best = history["val_accuracy"].argmax() if selection == "best" else 1
    assert (card.training["epoch"], card.training["epochs_trained"]) == (best + 1, 2)
    assert "ended after 2 of 4" in card.metrics["PublicTest"]["protocol"]
    assert card.metrics["PublicTest"]["accuracy"] == pytest.approx(history["val_accuracy"].iloc[best])


def test_a_finished_run_is_neither_finished_again_nor_resumed(stopped, finish):
    run = stopped()
    finish(run)
    with pytest.raises(RunError, match="is finished already"):
        finish(run)
    with pytest.raises(RunError, match="is finished"):
        launch(run)


def test_a_whole_run_does_not_say_that_it_ended_early(config, new_run, train):
    card = train(new_run(config))
    assert "ended after" not in card.metrics["PublicTest"]["protocol"]
    assert card.training["epochs_trained"] == 4


def test_a_data_set_that_changed_does_not_finish_a_run(stopped, faces):
    run = stopped()
    other = dataclasses.replace(faces, labels=faces.labels[::-1].copy())
    with pytest.raises(RunError, match="The data set is not the one"):
        finish_run(run, lambda config: other)
    assert run.status().state == "failed" and not run.card_file.exists()


def test_a_row_of_history_without_its_weights_does_not_count(stopped, finish):
    """A kill between writing history and weights leaves one."""
    run = stopped(selection="last")
    row = run.history_file.read_text().splitlines()[-1]
    with run.history_file.open("a") as file:
        file.write("2" + row[1:] + "\n")
    finish(run)
    assert ModelCard.load(run.card_file).training["epochs_trained"] == 2


def test_a_run_without_a_whole_epoch_has_nothing_to_finish(config, new_run):
    with pytest.raises(RunError, match="has no weights yet"):
        require_unfinished(new_run(config))
