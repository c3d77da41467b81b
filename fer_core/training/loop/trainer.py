"""Train a network as a run in a folder, from the beginning or from where it stopped.

This runs in a process of its own (`python -m fer_core train`), never in the web server.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby

import keras
import numpy as np

from fer_core.data.face_set import FaceSet
from fer_core.errors import FerError, RunError
from fer_core.face_size import FACE_SIZE
from fer_core.files import write_json, write_text
from fer_core.models.bundle import MODEL_FILE, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.keras_file import save_keras
from fer_core.models.registry import build
from fer_core.training.config import RunConfig
from fer_core.training.loop.batches import Batches
from fer_core.training.loop.callbacks import (
    History,
    Progress,
    Saver,
    Validation,
    ends_early,
)
from fer_core.training.loop.card_builder import build_card
from fer_core.training.loop.curves import save_curves
from fer_core.training.loop.device_batches import DeviceBatches, DeviceTrained, trains_on_device
from fer_core.training.loop.device_teachers import find_networks
from fer_core.training.loop.distillation import find_teacher, teacher_folders
from fer_core.training.loop.fingerprints import record_training_images, with_fingerprint
from fer_core.training.loop.heads import (
    build_accuracy,
    build_loss,
    set_initial_weights,
    side_by_side,
    weighed_columns,
)
from fer_core.training.loop.initialization import find_initial_weights
from fer_core.training.loop.loggers import loggers
from fer_core.training.loop.optimizer import build_optimizer
from fer_core.training.loop.precision import precision
from fer_core.training.loop.result_network import ResultNetwork
from fer_core.training.loop.targets import class_weights, rows_of, targets_of
from fer_core.training.loop.terminal_lines import terminal_lines
from fer_core.training.loop.validation import ValidationFaces
from fer_core.training.run.checkpoint import load_state
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.heartbeat import Heartbeat, Stopped, device_lock, run_lock

# What makes the card of a run out of its faces; None if the run was stopped.
Work = Callable[[FaceSet, RunFolder, RunConfig, Heartbeat], ModelCard | None]
# The status is written to a new file before it replaces the old one.
_RESERVE_BYTES = 1 << 16


def train(
    open_faces: Callable[[RunConfig], FaceSet],
    run: RunFolder,
    export: Callable[[RunFolder], None] | None = None,
    beat: Heartbeat | None = None,
    work: Work | None = None,
) -> ModelCard | None:
    """Train the run until it ends or a SIGTERM or SIGINT stops it; resume it if it has a finished epoch.

    Args:
        open_faces: opens the data set that a configuration names; called when it is this run's turn.
        run: a folder whose configuration was written by `RunFolder.create`.
        export: called when training is done and the card is written, before the run counts as finished.
        beat: writes the status and knows the signal that stopped the run; a new one by default.
        work: what is done to the run once its data set is open, in place of training.

    Returns:
        The card of the finished run, or None if it was stopped before its end.

    Raises:
        RunError: another process works on the run, it cannot be resumed, its loss diverged, or disk
            or memory ran out. The status says so too, and the last good weights are kept.
        FerError: the data set is gone or cannot be used.
    """
    config, beat = run.config(), beat or Heartbeat(run)
    with run_lock(run), beat.beating(), _reserve(run) as release:
        beat.set_state("starting", epoch=len(run.history()))
        try:
            with device_lock(run, beat):
                beat.set_state("starting", device=device_description())
                faces = open_faces(run.with_own_files(config))
                beat.check_stop()
                with precision(config.precision):
                    card = (work or _train)(faces, run, config, beat)
            if card and export:
                export(run)
        except Stopped:
            card = None
        except Exception as error:
            reason = _reason(error, run)
            release()
            beat.set_state("failed", message=reason or f"{type(error).__name__}: {error}. The log has the details.")
            if reason is None or isinstance(error, FerError):
                raise
            raise RunError(reason) from error
        beat.set_state("finished" if card else "stopped", step=0)
        return card


@contextmanager
def _reserve(run: RunFolder) -> Iterator[Callable[[], None]]:
    """Reserve some disk space, so that a run which fills the disk can still say so; yield a function that frees it."""
    file = run.path / ".reserve"

    def release() -> None:
        file.unlink(missing_ok=True)

    try:
        file.write_bytes(bytes(_RESERVE_BYTES))
    except OSError as error:
        release()
        raise RunError(
            f"The run cannot be written in {run.path}: {error.strerror}. Free some space and resume."
        ) from error
    try:
        yield release
    finally:
        release()


def prepare(faces: FaceSet, config: RunConfig) -> tuple[keras.Model, Batches, ValidationFaces]:
    """Return the compiled network, the batches it trains on and the faces it is validated on."""
    keras.utils.set_random_seed(config.seed)
    targets, usable = targets_of(faces, config)

    def usable_rows(splits: tuple[str, ...]) -> np.ndarray:
        rows = faces.rows_of(*splits)
        return rows[usable[rows]]

    rows = usable_rows(config.train_splits)
    images, weights = np.array(faces.images[rows]), _class_weights(targets[rows], config)
    if trains_on_device(config, images.nbytes):
        batches = DeviceBatches(images, targets[rows], config, weights, find_networks(config, faces.class_names))
    else:
        teacher = find_teacher(config, faces.class_names) if config.teachers else None
        batches = Batches(images, targets[rows], config, weights=weights, teacher=teacher)
    rows = usable_rows(config.validation_splits)
    size = FACE_SIZE if config.initial_size == FACE_SIZE else None
    network = build(config.architecture, size, config.label_sets, len(faces.class_names))
    model = side_by_side(network, config.label_sets)
    if isinstance(batches, DeviceBatches):
        model = DeviceTrained(model, batches.step)
    model.compile(
        optimizer=build_optimizer(config, len(batches)), metrics=[build_accuracy(config)], loss=build_loss(config)
    )
    if isinstance(model, DeviceTrained):
        model.build_for(targets.shape[1])
    return model, batches, ValidationFaces(rows_of(faces, rows), targets[rows], config.label_sets)


def _class_weights(targets: np.ndarray, config: RunConfig) -> np.ndarray | None:
    return class_weights(targets[:, weighed_columns(config)]) if config.class_weighting else None


def _train(faces: FaceSet, run: RunFolder, config: RunConfig, beat: Heartbeat) -> ModelCard | None:
    model, batches, validation = prepare(faces, config)
    data_hash = data_hash_of(faces, config)
    first_epoch = _resume(run, model, data_hash)
    batches.start_epoch(first_epoch)
    network = ResultNetwork(config.architecture, config.label_sets, batches, len(faces.class_names))
    if not first_epoch:
        _begin(model, run, config, batches.images, faces.class_names)
    progress = Progress(run, batches, beat)
    beat.set_state("running", epoch=first_epoch, steps_per_epoch=len(batches))
    callbacks = [
        keras.callbacks.TerminateOnNaN(),
        progress,
        Validation(run, progress, batches, network, validation, first_epoch),
        History(run, progress),
        Saver(run, config, progress, network, data_hash, beat),
    ]
    with terminal_lines(config.epochs, len(batches)) as lines, loggers(run, config) as logging_callbacks:
        callbacks += [*logging_callbacks, lines]
        for first, end in _stages(config, first_epoch):
            if _is_done(run, config):
                break
            batches.start_epoch(first)  # a fit takes the shape of its faces from the first batches
            model.fit(batches, shuffle=False, epochs=end, initial_epoch=first, verbose=0, callbacks=callbacks)
            if model.stop_training:
                break
    run.progress_file.unlink(missing_ok=True)
    if progress.diverged:
        raise RunError(
            f"The loss was no longer a finite number in epoch {len(run.history()) + 1}. The weights of "
            "the last whole epoch are kept; start again with a lower learning rate."
        )
    if not _is_done(run, config):
        return None
    return write_result(faces, run, config, network, beat)


def write_result(
    faces: FaceSet, run: RunFolder, config: RunConfig, network: ResultNetwork, beat: Heartbeat
) -> ModelCard:
    """Measure the weights that are the run's result, and write its card, its curves and the network for Keras."""
    beat.set_state("measuring", step=0)
    save_curves(run.history(), run.curves_file)
    card = with_fingerprint(build_card(faces, run, config, network), run)
    save_keras(network.model, run.keras_file)
    card.save(run.card_file)
    return card


def _resume(run: RunFolder, model: keras.Model, data_hash: str) -> int:
    """Load the state of the run, if it has one, and return the number of finished epochs.

    Raises:
        RunError: the state is missing or unreadable, is of another data set, or epochs are missing in the history.
    """
    known = len(run.history())
    advice = (
        f"Put the file back; or start a new run with this one's weights (--start-from {run.name}), and delete this one."
    )
    if not run.state_file.exists():
        # A kill during the first epoch's saving leaves one row without a state; then nothing else is lost.
        if known > 1:
            raise RunError(
                f"{run.state_file} is missing, but {known} epochs are finished. Without it the run can only start "
                f"from the beginning, which would discard them. {advice}"
            )
        cut_history(run, 0)
        return 0
    first_epoch = load_state(run.state_file, model, data_hash)
    if known < first_epoch:
        raise RunError(
            f"{run.history_file} has {known} epochs, but the run has finished {first_epoch}: rows are missing. {advice}"
        )
    cut_history(run, first_epoch)
    return first_epoch


def _begin(
    model: keras.Model, run: RunFolder, config: RunConfig, images: np.ndarray, class_names: tuple[str, ...]
) -> None:
    """Set the initial weights, if they are not random, and write down what the run learns from."""
    source = find_initial_weights(config, class_names) if config.start_from else None
    if source is not None:
        same_classes = source.class_names == class_names
        set_initial_weights(model, config.label_sets, source.network(), source.label_sets, same_classes)
        write_json(run.initial_weights_file, source.training)
    record_training_images(run, images, source)


def data_hash_of(faces: FaceSet, config: RunConfig) -> str:
    """Return a text that changes with anything a run learns from: faces, labels, votes and teachers."""
    parts = [faces.hash, config.label_set]
    if config.label_set != "fer" and faces.votes is not None:
        parts.append(hashlib.sha256(np.ascontiguousarray(faces.votes)).hexdigest())
    parts += [load_bundle(folder).card.files[MODEL_FILE] for folder in teacher_folders(config)]
    return " ".join(parts)


def _stages(config: RunConfig, first_epoch: int) -> Iterator[tuple[int, int]]:
    """Yield the first epoch and the end of each span, from `first_epoch` on, in which faces have one size."""
    for _, span in groupby(range(first_epoch, config.epochs), key=config.size_at):
        epochs = list(span)
        yield epochs[0], epochs[-1] + 1


def _is_done(run: RunFolder, config: RunConfig) -> bool:
    history = run.history()
    return len(history) == config.epochs or ends_early(history, config.early_stopping)


def device_description() -> str:
    """Return the backend and what it computes on, such as "tensorflow on cpu"."""
    kinds = sorted({name.split(":")[0] for name in keras.distribution.list_devices()})
    return f"{keras.backend.backend()} on {' and '.join(kinds)}"


def _reason(error: Exception, run: RunFolder) -> str | None:
    """Return as text why training cannot go on, or None if this is a fault of the program."""
    if isinstance(error, FerError):
        return str(error)
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "No space left on device" in str(error):
        return f"The disk of {run.path} is full. Free some space and resume; the last whole epoch is kept."
    # TensorFlow's and JAX's own errors for this differ; both name the same code.
    if (
        isinstance(error, MemoryError)
        or "ResourceExhausted" in type(error).__name__
        or "RESOURCE_EXHAUSTED" in str(error)
    ):
        return (
            "There was not enough memory. The last whole epoch is kept; start again with smaller batches or a "
            "smaller network, or close other programs and resume."
        )
    return None


def cut_history(run: RunFolder, epochs: int) -> None:
    """Drop the history's rows after `epochs`: the process may have been killed between writing history and state."""
    if not epochs:
        run.history_file.unlink(missing_ok=True)
    if not run.history_file.exists():
        return
    lines = run.history_file.read_text(encoding="utf-8").splitlines(keepends=True)
    if len(lines) > 1 + epochs:  # a half-written row is a line too
        write_text(run.history_file, "".join(lines[: 1 + epochs]))
