"""Whole runs of a tiny network, in this process."""

import dataclasses
import errno
import json
import os
import shutil
import signal
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.selections_file import change_selections
from fer_core.background.locks import take
from fer_core.data.store import write_store
from fer_core.data.votes import unique_majority
from fer_core.errors import DataError, RunError
from fer_core.models.card import ModelCard
from fer_core.models.registry import build
from fer_core.training.config import RunConfig
from fer_core.training.loop import callbacks, trainer
from fer_core.training.loop.heads import set_initial_weights
from fer_core.training.run.folder import RunFolder
from fer_core.training.run_faces import open_run_faces
from fer_core.training.timing.device import device_key
from tests.training.running import stop_in_epoch, weights_of

pytestmark = pytest.mark.usefixtures("home", "eager")


def create_run(folder, config: RunConfig) -> RunFolder:
    run = RunFolder(folder / "runs" / "run")
    run.create(config)
    return run


@pytest.fixture(scope="module")
def finished(config, faces, eager, tmp_path_factory):
    """A finished run and its card. Tests leave both as they are."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        run = create_run(folder, config)
        return run, trainer.train(lambda config: faces, run)


@pytest.fixture(scope="module")
def stopped_run(config, faces, eager, tmp_path_factory):
    """A run that was stopped in its third epoch; `stopped` is a copy of it."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        stop_in_epoch(patch, 2)
        run = create_run(folder, config)
        assert trainer.train(lambda config: faces, run) is None
    return run


@pytest.fixture
def stopped(stopped_run, tmp_path):
    """A run that was stopped in its third epoch, for one test to damage or to resume."""
    return RunFolder(shutil.copytree(stopped_run.path, tmp_path / "runs" / "run"))


def test_a_run_leaves_everything_that_was_promised(finished):
    run, card = finished
    assert run.status().state == "finished"
    assert (run.status().epoch, run.status().steps_per_epoch) == (4, 3)
    history = run.history()
    assert history["epoch"].tolist() == [0, 1, 2, 3]
    assert {"accuracy", "loss", "val_accuracy", "val_loss", "learning_rate", "seconds", "images_per_s"} <= set(
        history.columns
    )
    assert ModelCard.load(run.card_file) == card
    assert set(card.metrics) == {"PublicTest", "PrivateTest", "PublicTest + PrivateTest"}
    assert card.metrics["PublicTest"]["accuracy"] == pytest.approx(history["val_accuracy"].max())
    assert card.training["epoch"] == history["val_accuracy"].argmax() + 1
    assert run.curves_file.stat().st_size > 10_000
    assert run.faces_file.exists() and not run.progress_file.exists()


def test_validation_is_written_for_the_page(finished):
    run, _ = finished
    told = json.loads(run.validation_file.read_text())
    assert told["epoch"] == 3
    assert np.sum(told["confusion"]) == 14
    assert np.trace(told["confusion"]) / 14 == pytest.approx(run.history()["val_accuracy"].iloc[-1])
    shown = told["faces"]
    assert len(shown["labels"]) == 14
    assert np.array(shown["predicted"]).shape == (4, 14)
    assert np.allclose(np.sum(shown["probs"], axis=1), 1, atol=1e-3)


def test_weights_are_saved_without_the_optimizer(finished):
    run, card = finished
    for path in (run.best_weights_file, run.last_weights_file):
        assert len(weights_of(path)) == card.parameters


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ema": 0.0, "optimizer": "adam", "mixup": 0.0},
        {"optimizer": "sgd-nesterov", "schedule": "inverse-time", "decay_per_step": 0.1},
        {"label_set": "both"},
    ],
    ids=["averaged and mixed", "adam", "sgd", "both truths"],
)
def test_a_resumed_run_is_the_uninterrupted_one(config, finished, new_run, train, monkeypatch, changes):
    whole, cut = new_run(config, "whole", **changes) if changes else finished[0], new_run(config, "cut", **changes)
    if changes:
        train(whole)
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        assert train(cut) is None
    assert cut.status().state == "stopped"
    assert len(cut.history()) == 2, "a partial epoch leaves no row"
    train(cut)
    columns = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"]
    np.testing.assert_allclose(cut.history()[columns], whole.history()[columns], rtol=1e-5)
    np.testing.assert_allclose(weights_of(cut.last_weights_file), weights_of(whole.last_weights_file), atol=1e-6)
    shown = [json.loads(run.validation_file.read_text())["faces"]["predicted"] for run in (whole, cut)]
    assert shown[0] == shown[1]


def test_a_stop_does_not_validate_the_epoch_that_it_cuts(config, new_run, train, monkeypatch):
    stop_in_epoch(monkeypatch, 0)
    run = new_run(config)
    assert train(run) is None
    assert not run.validation_file.exists() and not run.state_file.exists()


def test_a_kill_between_history_and_state_repeats_the_epoch(config, finished, new_run, train, monkeypatch):
    (whole, _), cut = finished, new_run(config, "cut")
    unpatched = callbacks.save_state

    def die_in_third_epoch(path, model, epoch, data_hash):
        if epoch == 3:
            raise SystemExit("as a kill would")
        unpatched(path, model, epoch, data_hash)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(callbacks, "save_state", die_in_third_epoch)
        train(cut)
    assert len(cut.history()) == 3
    assert cut.status().state == "interrupted"
    train(cut)
    assert cut.history()["epoch"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(cut.history()["val_loss"], whole.history()["val_loss"], rtol=1e-5)


def test_averaged_weights_are_what_is_measured_and_kept(config, finished, new_run, train):
    plain, (averaged, _) = new_run(config, "plain", ema=0.0), finished
    train(plain)
    # Averaging does not touch training itself, only what is kept of it.
    np.testing.assert_allclose(plain.history()["loss"], averaged.history()["loss"], rtol=1e-5)
    assert not np.allclose(weights_of(plain.last_weights_file), weights_of(averaged.last_weights_file))


def test_a_run_that_no_longer_improves_ends_early_and_counts_as_finished(config, new_run, train):
    run = new_run(config, epochs=30, early_stopping=2, learning_rate=1e-9, warmup_epochs=0, ema=0.0)
    card = train(run)
    history = run.history()
    assert len(history) < 30
    assert len(history) - 1 - history["val_accuracy"].argmax() == 2
    assert run.status().state == "finished"
    assert card.training["epoch"] == history["val_accuracy"].argmax() + 1


def test_a_run_that_sees_private_test_keeps_its_last_epoch(config, new_run, train):
    run = new_run(config, validation_splits=("PublicTest", "PrivateTest"))
    card = train(run)
    assert not run.best_weights_file.exists()
    assert "epoch 4 (last)" in card.metrics["PrivateTest"]["protocol"]


def test_a_run_reads_the_marks_that_it_began_with(config, new_run, faces, tmp_path):
    (tmp_path / "marks.csv").write_text("corrections")
    opened = []
    run = new_run(config, epochs=1, corrections=str(tmp_path / "marks.csv"))
    trainer.train(lambda config: opened.append(config.corrections) or faces, run)
    assert opened == [str(run.corrections_file)]


def test_a_run_of_a_subset_learns_from_its_training_faces_and_its_card_names_it(config, new_run, faces, home):
    write_store(faces, "small")
    rows = [*range(30), 50]
    change_selections("small", faces.hash, len(faces), lambda it: it.save_rows("thirty", rows, datetime.now(UTC)))
    run = new_run(config, epochs=1, data="small", subset="thirty")
    card = trainer.train(open_run_faces, run)
    assert card.training["subset"] == "thirty"
    assert card.data["images"] == {"Training": 30, "PublicTest": 14, "PrivateTest": 14}


def test_votes_and_class_weights_train_too(config, new_run, train):
    run = new_run(config, label_set="ferplus", class_weighting=True, epochs=1)
    assert train(run).training["label_set"] == "ferplus"


def test_both_truths_train_three_heads_on_one_trunk(config, new_run, train, faces):
    run = new_run(config, label_set="both", label_smoothing=0.1, epochs=2)
    card = train(run)
    assert card.training["label_set"] == "both"
    network = build(config.architecture, label_sets=("people", "fer", "votes"))
    network.load_weights(run.weights_file)
    assert card.parameters == network.count_params()
    scores = network.predict(faces.images[..., None], verbose=0)
    assert list(scores) == ["scores", "scores_fer", "scores_votes"]
    history = run.history()
    own = [f"val_accuracy_{label_set}" for label_set in ("people", "fer", "votes")]
    measures = ["val_label_accuracy", "val_majority_accuracy", "val_clear_accuracy", "val_supported_negatives"]
    assert {*own, *measures} <= set(history)
    assert history["val_accuracy"].tolist() == history["val_accuracy_people"].tolist()
    rows = faces.rows_of("PublicTest")
    picked = history["val_accuracy"].argmax()
    truth = [(scores["scores"], unique_majority(faces.votes)), (scores["scores_fer"], faces.labels)]
    for name, (probs, labels) in zip(own, truth, strict=False):
        measured = (probs.argmax(axis=1) == labels)[rows].mean()
        assert history[name].iloc[picked] == pytest.approx(measured)


def test_one_head_starts_the_others(config, new_run, train):
    first = new_run(config, "first", epochs=1, selection="last")
    train(first)
    source = build(config.architecture, label_sets=("fer",))
    source.load_weights(first.weights_file)
    network = build(config.architecture, label_sets=("people", "fer", "votes"))
    set_initial_weights(network, ("people", "fer", "votes"), source, ("fer",))
    *trunk, kernel, bias = source.get_weights()
    for ours, theirs in zip(network.get_weights(), trunk, strict=False):
        np.testing.assert_array_equal(ours, theirs)
    for name, scale in (("scores", 0.5), ("scores_fer", 1), ("scores_votes", 0.5)):
        np.testing.assert_allclose(network.get_layer(name).get_weights()[0], kernel * scale)
        np.testing.assert_allclose(network.get_layer(name).get_weights()[1], bias * scale)
    again = build(config.architecture, label_sets=("fer",))
    set_initial_weights(again, ("fer",), network, ("people", "fer", "votes"))
    for ours, theirs in zip(again.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_of_both_truths_starts_from_one_head(config, new_run, train):
    first = new_run(config, "first", epochs=1)
    train(first)
    card = train(new_run(config, "second", epochs=1, label_set="both", start_from=str(first.path)))
    assert card.training["initial_weights"]["label_set"] == "fer"


def test_a_history_of_an_earlier_version_keeps_its_columns(stopped, train):
    old = stopped.history()[["epoch", "accuracy", "learning_rate", "loss", "seconds", "val_accuracy", "val_loss"]]
    old.astype({"epoch": int}).to_csv(stopped.history_file, index=False)
    train(stopped)
    assert list(stopped.history()) == list(old) and len(stopped.history()) == 4


def test_a_state_that_is_gone_does_not_discard_the_history(stopped, train):
    stopped.state_file.unlink()
    with pytest.raises(RunError, match="state.npz is missing, but 2 epochs are finished"):
        train(stopped)
    assert len(stopped.history()) == 2 and stopped.status().state == "failed"


@pytest.mark.parametrize("rows", [0, 1])
def test_a_history_that_is_too_short_says_so(stopped, train, rows):
    lines = stopped.history_file.read_text().splitlines(keepends=True)
    stopped.history_file.write_text("".join(lines[: 1 + rows]))
    with pytest.raises(RunError, match=f"has {rows} epochs, but the run has finished 2"):
        train(stopped)
    assert stopped.status().state == "failed"


def test_a_damaged_state_is_an_error_in_words(stopped, train):
    content = stopped.state_file.read_bytes()
    for damaged in (b"", content[:-30], content[: len(content) // 2], content.replace(b"v1.npy", b"v9.npy")):
        stopped.state_file.write_bytes(damaged)
        with pytest.raises(RunError, match="does not hold the state"):
            train(stopped)


def test_a_diverged_loss_ends_the_run_and_keeps_the_last_good_weights(config, new_run, faces):
    run = new_run(config)
    good = None

    def spoil(self, epoch, logs=None):
        nonlocal good
        if epoch == 1:
            good = weights_of(run.last_weights_file)
            self.model.layers[-1].bias.assign(np.full(7, np.nan))

    with pytest.MonkeyPatch.context() as patch, pytest.raises(RunError, match="no longer a finite number in epoch 2"):
        patch.setattr(callbacks.Validation, "on_epoch_begin", spoil)
        trainer.train(lambda config: faces, run)
    assert run.status().state == "failed"
    assert "lower learning rate" in run.status().message
    assert len(run.history()) == 1
    assert np.isfinite(good).all() and np.array_equal(weights_of(run.last_weights_file), good)


def test_weights_that_the_last_step_of_an_epoch_spoils_are_not_kept(config, new_run, train, monkeypatch):
    run, good = new_run(config), []
    unpatched = callbacks.Progress.on_train_batch_end

    def spoil(self, batch, logs=None):
        if self._epoch == 1 and batch == 0:
            good.append(weights_of(run.last_weights_file))
        if self._epoch == 1 and batch == len(self._batches) - 1:
            self.model.layers[-1].bias.assign(np.full(7, np.nan))
        unpatched(self, batch, logs)

    monkeypatch.setattr(callbacks.Progress, "on_train_batch_end", spoil)
    with pytest.raises(RunError, match="no longer a finite number in epoch 2"):
        train(run)
    assert len(run.history()) == 1
    assert np.array_equal(weights_of(run.last_weights_file), good[0])


def test_a_half_written_row_of_the_history_is_cut_before_a_run_goes_on(stopped, train):
    with stopped.history_file.open("a") as file:
        file.write("2,0.5,12")
    train(stopped)
    assert stopped.history()["epoch"].tolist() == [0, 1, 2, 3]


def test_a_full_disk_has_room_left_to_say_so(config, new_run, train, monkeypatch):
    """The status cannot be written either, until the room that was kept for it is given back."""
    run, unpatched = new_run(config), RunFolder.write_status
    full = OSError(errno.ENOSPC, "No space left on device")
    filled = False

    def write_status(self, state, **fields):
        if filled and (self.path / ".reserve").exists():
            raise full
        unpatched(self, state, **fields)

    def fill(path, model, epoch, data_hash):
        nonlocal filled
        filled = True
        raise full

    monkeypatch.setattr(RunFolder, "write_status", write_status)
    monkeypatch.setattr(callbacks, "save_state", fill)
    with pytest.raises(RunError, match="disk of .* is full"):
        train(run)
    assert run.status().state == "failed" and "Free some space" in run.status().message
    assert not (run.path / ".reserve").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk of .* is full"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_a_machine_at_its_limits_is_told_in_words(config, new_run, train, monkeypatch, error, said):
    unpatched = callbacks.save_state

    def fail_in_second_epoch(path, model, epoch, data_hash):
        if epoch == 2:
            raise error
        unpatched(path, model, epoch, data_hash)

    run = new_run(config)
    with monkeypatch.context() as patch, pytest.raises(RunError, match=said):
        patch.setattr(callbacks, "save_state", fail_in_second_epoch)
        train(run)
    assert run.status().state == "failed"
    train(run)  # with room again, it goes on
    assert run.history()["epoch"].tolist() == [0, 1, 2, 3]


def test_a_data_set_that_is_gone_fails_the_run_in_words(config, new_run):
    def gone(config):
        raise DataError("There is no data set named 'memory'.")

    run = new_run(config)
    with pytest.raises(DataError):
        trainer.train(gone, run)
    assert run.status().state == "failed"
    assert run.status().message == "There is no data set named 'memory'."


def test_a_data_set_that_changed_is_not_gone_on_with(stopped, faces):
    changed = dataclasses.replace(faces, labels=(faces.labels + 1) % 7)
    with pytest.raises(RunError, match="not the one this run began with"):
        trainer.train(lambda config: changed, stopped)


def test_a_fault_of_the_program_is_a_failure_too_and_surfaces(config, new_run):
    def broken(config):
        raise ZeroDivisionError("by zero")

    run = new_run(config)
    with pytest.raises(ZeroDivisionError):
        trainer.train(broken, run)
    assert run.status().state == "failed"
    assert "ZeroDivisionError: by zero" in run.status().message


def test_two_processes_cannot_work_on_one_run(config, new_run, train):
    run = new_run(config)
    lock = take(run.lock_file)
    with pytest.raises(RunError, match="Another process"):
        train(run)
    os.close(lock)


def test_a_run_can_be_stopped_while_it_waits_for_its_turn(config, new_run, home, train, monkeypatch):
    device = take(home / "runs" / f".{device_key()}.lock")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    run = new_run(config)

    def stop_when_waiting(state, **fields):
        unpatched(state, **fields)
        if state == "waiting":
            os.kill(os.getpid(), signal.SIGTERM)

    unpatched = run.write_status
    monkeypatch.setattr(type(run), "write_status", lambda self, state, **fields: stop_when_waiting(state, **fields))
    assert train(run) is None
    assert run.status().state == "stopped"
    os.close(device)


def test_the_same_configuration_gives_the_same_run_whatever_ran_before(config, finished, new_run, train):
    (one, _), other = finished, new_run(config, "other")
    train(other)
    np.testing.assert_allclose(one.history()["loss"], other.history()["loss"], rtol=1e-6)
