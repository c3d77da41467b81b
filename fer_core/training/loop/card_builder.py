"""The card of a finished run: its result, measured once on each split that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import keras
import numpy as np

from fer_core import __version__
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.evaluation.assessment import measure_rows
from fer_core.evaluation.results import SplitResult
from fer_core.evaluation.serialization import split_to_json
from fer_core.files import sha256_of
from fer_core.models.card import ModelCard
from fer_core.training.config import RunConfig
from fer_core.training.loop.result_network import ResultNetwork
from fer_core.training.run.folder import RunFolder, best_epoch

_BOTH = ("PublicTest", "PrivateTest")


def build_card(faces: FaceSet, run: RunFolder, config: RunConfig, network: ResultNetwork) -> ModelCard:
    """Measure the weights that are the run's result and describe them.

    Accuracies are against the data set's own labels, whatever labels were trained on, so that figures of runs
    compare; where there are votes, figures against what people saw stand beside them.
    """
    network.model.load_weights(run.weights_file)
    history = run.history()
    picked = best_epoch(history) + 1 if config.keeps_best else len(history)
    how = f"best on {' + '.join(config.validation_splits)}" if config.keeps_best else "last"
    ended = f" of a run that ended after {len(history)} of {config.epochs}" if len(history) < config.epochs else ""
    protocol = f"weights of epoch {picked} ({how}){ended}, one view, no test-time augmentation"
    present = [split for split in faces.splits if split not in config.train_splits]
    measured = {split: (split,) for split in present}
    if set(_BOTH) <= set(present):
        measured[" + ".join(_BOTH)] = _BOTH
    started_from = run.initial_weights() if config.start_from else None
    initial_weights = {} if started_from is None else {"initial_weights": started_from}
    metrics = {}
    for name, splits in measured.items():
        rows = faces.rows_of(*splits)
        scores = network.predict_all(np.array(faces.images[rows]))
        metrics[name] = split_to_json(_measure(faces, rows, scores, protocol))
    return ModelCard(
        name=run.name,
        architecture=config.architecture,
        parameters=network.model.count_params(),
        labels=faces.class_names,
        label_sets=config.label_sets,
        data={
            "name": faces.source.name or config.data,
            "synthetic": faces.source.synthetic,
            "sha256": faces.hash,
            "images": {split: int(np.sum(faces.split == SPLITS.index(split))) for split in faces.splits},
        },
        training={
            **config.to_dict(),
            **initial_weights,
            "epoch": picked,
            "epochs_trained": len(history),
            "seconds": float(history["seconds"].sum()),
            "fer_core": __version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
        },
        metrics=metrics,
        files={run.weights_file.name: sha256_of(run.weights_file)},
    )


def _measure(faces: FaceSet, rows: np.ndarray, scores: Mapping[str, np.ndarray], protocol: str) -> SplitResult:
    """Measure the scores of each label set, float32 (n, 7); the first is the default."""
    results = {name: measure_rows(faces, rows, probs, protocol) for name, probs in scores.items()}
    default, *others = results
    return replace(results[default], label_sets={name: results[name] for name in others})
