"""What happens between the training steps: progress, validation, history and saving.

Keras's own ModelCheckpoint, SwapEMAWeights and BackupAndRestore do not do what a run needs: they save the optimizer
with the weights, cannot both validate and save averaged weights, and leave nothing to resume after a stop.
"""

from __future__ import annotations

import os
import time
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from fer_core.errors import RunError
from fer_core.files import atomic_path, write_json
from fer_core.training.config import RunConfig
from fer_core.training.loop.augmentation import resize
from fer_core.training.loop.batches import Batches
from fer_core.training.loop.heads import cross_entropy, split_scores
from fer_core.training.loop.result_network import ResultNetwork
from fer_core.training.loop.validation import ValidationFaces, measure_epoch
from fer_core.training.run.checkpoint import save_state
from fer_core.training.run.epochs import append_epoch, cut_epochs
from fer_core.training.run.folder import PROGRESS_COLUMNS, RunFolder, best_epoch
from fer_core.training.run.heartbeat import Heartbeat

# More often than a page looks.
_PROGRESS_EVERY_S = 0.25
SHOWN_FACES = 14


class Progress(keras.callbacks.Callback):
    """Writes the current epoch's progress to a small file; ends the run when it was asked to stop or has diverged."""

    def __init__(self, run: RunFolder, batches: Batches, beat: Heartbeat) -> None:
        super().__init__()
        self._run, self._batches, self._beat = run, batches, beat
        self.step, self.diverged = 0, False
        self.started_s = self._first_end_s = self._written_s = 0.0
        self._file = None

    @property
    def whole(self) -> bool:
        """Whether the epoch that ends was trained to its last batch, with a finite loss."""
        return self.step == len(self._batches) and not self.diverged

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._batches.start_epoch(epoch)
        self.step, self.started_s, self._written_s = 0, time.monotonic(), 0.0
        self._epoch = epoch
        # The file holds one epoch only: a reader never has to read what the history already says.
        self._file = self._run.progress_file.open("w", encoding="utf-8")
        self._file.write(",".join(PROGRESS_COLUMNS) + "\n")
        self._beat.update(epoch=epoch, step=0)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.step, now_s = batch + 1, time.monotonic()
        if self.step == 1:
            self._first_end_s = now_s
        self.diverged |= not np.isfinite(logs["loss"])
        if self._beat.stop_requested or self.diverged:
            self.model.stop_training = True
        if now_s - self._written_s >= _PROGRESS_EVERY_S or self.step == len(self._batches):
            self._written_s = now_s
            self._file.write(
                f"{self._epoch},{self.step},{now_s - self.started_s:.2f},{logs['loss']:.5f},{logs['accuracy']:.5f}\n"
            )
            self._file.flush()
            self._beat.update(step=self.step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._file.close()
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        # The first batch may include compiling, which says nothing about speed.
        span_s, steps = time.monotonic() - self._first_end_s, len(self._batches) - 1
        logs["startup_s"] = round(max(0.0, self._first_end_s - self.started_s - span_s / steps), 2) if steps else 0.0
        logs["images_per_s"] = round(steps * self._batches.batch_size / span_s, 1) if steps else 0.0


class Validation(keras.callbacks.Callback):
    """Measures the network that would be kept, after each whole epoch.

    It sees faces of the size that the epoch trained on. It adds that size, `val_loss` and what `measure_epoch` returns
    to the logs and writes the confusion matrix and the predictions for a few faces, of the default label set.
    """

    def __init__(
        self,
        run: RunFolder,
        progress: Progress,
        batches: Batches,
        network: ResultNetwork,
        validation: ValidationFaces,
        first_epoch: int,
    ) -> None:
        super().__init__()
        self._run, self._progress, self._batches, self._network = run, progress, batches, network
        self._validation, self._truth = validation, validation.truth
        self._class_names = validation.faces.class_names
        self._shown = _spread(self._truth, len(self._class_names))
        self._predicted = self._earlier(first_epoch)
        cut_epochs(run.epochs_file, first_epoch)
        _save_faces(validation.images[self._shown], run)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not self._progress.whole:
            return
        self._network.take(self.model)
        scores = self._network.predict(resize(self._validation.images, self._batches.size))
        if not all(np.isfinite(array).all() for array in (scores, *self.model.get_weights())):
            # The last step of the epoch spoiled the weights; its loss was measured before.
            self._progress.diverged = self.model.stop_training = True
            return
        label_sets = self._validation.label_sets
        by_label_set = split_scores(scores, label_sets)
        logs["val_loss"] = cross_entropy(self._validation.targets, scores, label_sets)
        logs |= measure_epoch(self._validation, by_label_set)
        logs["size"] = self._batches.size
        logs["seconds"] = round(time.monotonic() - self._progress.started_s, 2)
        self._write(epoch, by_label_set[label_sets[0]])

    def _write(self, epoch: int, probs: np.ndarray) -> None:
        shown, counts = probs[self._shown], self._truth >= 0
        self._predicted.append(shown.argmax(axis=1).tolist())
        classes = range(len(self._class_names))
        confusion = confusion_matrix(self._truth[counts], probs[counts].argmax(axis=1), labels=classes)
        append_epoch(self._run.epochs_file, epoch, confusion, shown)
        write_json(
            self._run.validation_file,
            {
                "epoch": epoch,
                "class_names": list(self._class_names),
                "confusion": confusion.tolist(),
                "faces": {
                    "labels": self._truth[self._shown].tolist(),
                    "probs": np.round(shown, 4).tolist(),
                    "predicted": self._predicted,
                },
            },
        )

    def _earlier(self, first_epoch: int) -> list[list[int]]:
        try:
            record = self._run.validation()
        except RunError:
            return []  # it only shows what earlier epochs predicted; the run is not worth stopping for it
        if record is None or len(record.faces.labels) != len(self._shown):
            return []
        return record.faces.predicted[:first_epoch]


class History(keras.callbacks.CSVLogger):
    """Keras's history as a table, of whole epochs only.

    A history that an earlier version began keeps its columns.
    """

    def __init__(self, run: RunFolder, progress: Progress) -> None:
        super().__init__(str(run.history_file), append=True)
        self._path, self._progress = run.history_file, progress

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        if not self.append_header:
            with self._path.open(encoding="utf-8") as file:
                self.keys = file.readline().strip().split(",")[1:]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self._progress.whole:
            super().on_epoch_end(epoch, logs)
            os.fsync(self.csv_file.fileno())  # the state that is saved next must never be ahead of the history


class Saver(keras.callbacks.Callback):
    """After each whole epoch saves weights and, last, the state to resume from; ends a run that no longer improves."""

    def __init__(
        self,
        run: RunFolder,
        config: RunConfig,
        progress: Progress,
        network: ResultNetwork,
        data_hash: str,
        beat: Heartbeat,
    ) -> None:
        super().__init__()
        self._run, self._config, self._progress, self._network = run, config, progress, network
        self._data_hash, self._beat = data_hash, beat

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not self._progress.whole:
            return
        history = self._run.history()  # the row of this epoch is the last
        if self._config.keeps_best and best_epoch(history) == len(history) - 1:
            self._save(self._run.best_weights_file)
        self._save(self._run.last_weights_file)
        save_state(self._run.state_file, self.model, epoch + 1, self._data_hash)
        self._beat.update(epoch=epoch + 1, step=0)
        if ends_early(history, self._config.early_stopping):
            self.model.stop_training = True

    def _save(self, path: Any) -> None:
        with atomic_path(path) as partial:
            self._network.save_weights(partial)


def ends_early(history: pd.DataFrame, patience: int) -> bool:
    """Return whether the best epoch lies `patience` or more epochs back; 0 is never."""
    return bool(patience and len(history) and len(history) - 1 - best_epoch(history) >= patience)


def _spread(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the rows of up to `SHOWN_FACES` faces, the same number of each class."""
    most = max(1, SHOWN_FACES // classes)
    return np.concatenate([np.flatnonzero(labels == k)[:most] for k in range(classes)])[:SHOWN_FACES]


def _save_faces(images: np.ndarray, run: RunFolder) -> None:
    """Save faces uint8 (n, 48, 48) side by side as a picture."""
    import cv2

    with atomic_path(run.faces_file) as partial:
        cv2.imwrite(str(partial), np.concatenate(list(images), axis=1))
