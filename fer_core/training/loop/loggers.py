"""A run's history for other programs: event files of TensorBoard, and MLflow."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np

from fer_core.files import write_text
from fer_core.training.config import RunConfig, flat
from fer_core.training.run.folder import RunFolder

# MLflow refuses longer values of parameters in some of its stores.
_LONGEST_PARAMETER = 500


@contextmanager
def loggers(run: RunFolder, config: RunConfig) -> Generator[list[keras.callbacks.Callback], None, None]:
    """Yield the callbacks that log a run where its configuration says, and close their files after the block."""
    with ExitStack() as stack:
        callbacks = []
        if config.tensorboard:
            callbacks.append(stack.enter_context(_tensorboard(run)))
        if config.mlflow:
            callbacks.append(stack.enter_context(_mlflow(run, config)))
        yield callbacks


class TensorBoardLog(keras.callbacks.Callback):
    """Writes each whole epoch as scalars named `epoch_…`, training and validation as two series, as Keras does."""

    def __init__(self, training: Any, validation: Any) -> None:
        """Args:
        training: summary writer of TensorFlow.
        validation: another one.
        """
        super().__init__()
        self._training, self._validation = training, validation

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        import tensorflow as tf
        from tensorflow.core.framework.summary_pb2 import SummaryMetadata

        if "val_loss" not in logs:
            return  # it was stopped, and counts for nothing
        scalar = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
        for name, value in _finite(logs).items():
            writer = self._validation if name.startswith("val_") else self._training
            with writer.as_default():
                # What tf.summary.scalar writes; that needs TensorBoard itself, which only the reader has to have.
                tf.summary.write(f"epoch_{name.removeprefix('val_')}", np.float32(value), epoch, scalar)
        for writer in (self._training, self._validation):
            writer.flush()


@contextmanager
def _tensorboard(run: RunFolder) -> Generator[TensorBoardLog, None, None]:
    import tensorflow as tf

    # A resumed run adds files to the same folders, which TensorBoard shows as one curve.
    writers = [tf.summary.create_file_writer(str(run.tensorboard_folder / name)) for name in ("train", "validation")]
    try:
        yield TensorBoardLog(*writers)
    finally:
        for writer in writers:
            writer.close()


class MlflowLog(keras.callbacks.Callback):
    """Sends each whole epoch to the MLflow run that is active."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        import mlflow

        if "val_loss" in logs:
            mlflow.log_metrics(_finite(logs), step=epoch)


@contextmanager
def _mlflow(run: RunFolder, config: RunConfig) -> Generator[MlflowLog, None, None]:
    """Keep an MLflow run active, the same one when the run is resumed; where it goes, MLFLOW_TRACKING_URI says."""
    import mlflow

    known = run.mlflow_file.read_text(encoding="utf-8").strip() if run.mlflow_file.exists() else None
    with mlflow.start_run(run_id=known, run_name=None if known else run.name) as active:
        if known is None:
            write_text(run.mlflow_file, active.info.run_id + "\n")
            mlflow.log_params({name: str(value)[:_LONGEST_PARAMETER] for name, value in flat(config).items()})
        yield MlflowLog()


def _finite(logs: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items() if np.isfinite(value)}
