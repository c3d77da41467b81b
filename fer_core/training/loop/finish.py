"""Finish a run where it stands: the weights that it has so far become its result."""

from __future__ import annotations

from collections.abc import Callable

from fer_core.data.face_set import FaceSet
from fer_core.errors import RunError
from fer_core.models.card import ModelCard
from fer_core.training.config import RunConfig
from fer_core.training.loop.result_network import ResultNetwork
from fer_core.training.loop.trainer import cut_history, data_hash_of, train, write_result
from fer_core.training.run.checkpoint import read_state_header
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.heartbeat import Heartbeat


def finish(
    open_faces: Callable[[RunConfig], FaceSet],
    run: RunFolder,
    export: Callable[[RunFolder], None] | None = None,
    beat: Heartbeat | None = None,
) -> ModelCard | None:
    """Measure the weights that a stopped run would keep now, and write its card; the run then counts as finished.

    The arguments are those of `train`. It trains nothing, and the run cannot be resumed afterwards.

    Returns:
        The card, or None if this was stopped before it had begun.

    Raises:
        RunError: another process works on the run, or its data set has changed.
        FerError: the data set or the weights cannot be used.
    """
    return train(open_faces, run, export, beat, _finish)


def _finish(faces: FaceSet, run: RunFolder, config: RunConfig, beat: Heartbeat) -> ModelCard:
    if run.state_file.exists():  # without it the run cannot be resumed, but its weights are as good
        epochs, data_hash = read_state_header(run.state_file)
        if data_hash != data_hash_of(faces, config):
            raise RunError(
                "The data set is not the one this run was trained on: its images, labels, votes or splits have "
                "changed, or another model is its teacher now. Restore it to finish the run."
            )
        cut_history(run, epochs)
    network = ResultNetwork(config.architecture, config.label_sets, classes=len(faces.class_names))
    return write_result(faces, run, config, network, beat)
