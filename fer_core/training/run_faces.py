"""The faces that a run learns from: its data set, with corrections and a saved subset applied."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.audit.corrections import load_corrections
from fer_core.data.face_set import FaceSet
from fer_core.data.resolve import open_faces
from fer_core.errors import DataError, RunError
from fer_core.files import read_json, write_json
from fer_core.training.config import RunConfig
from fer_core.training.loop.targets import with_corrections


def open_run_faces(config: RunConfig) -> FaceSet:
    """Open the data set of a configuration, with corrections and subset applied to the splits that are trained on.

    The other splits keep every image and its published label, so that figures of runs compare.

    Raises:
        DataError: the data set, the list of corrections or the subset cannot be used.
    """
    faces = open_faces(config.data)
    if not (config.corrections or config.subset):
        return faces
    keep, labels = np.ones(len(faces), bool), faces.labels
    if config.corrections:
        keep, labels = load_corrections(Path(config.corrections), faces.hash, len(faces)).apply(labels)
    if config.subset:
        keep &= _subset_mask(config, faces)
    return with_corrections(faces, config.train_splits, keep, labels)


def save_run_subset(config: RunConfig, path: Path) -> None:
    """Write the rows of a configuration's subset, as they are now, to `path`.

    Tags and findings go on changing; a run that is resumed needs the faces that it started with.

    Raises:
        DataError: there is no such subset, its query cannot be answered, or it has no face to train on.
    """
    # Imported here: finding the faces of a query takes scikit-learn, and other commands read runs too.
    from fer_core.audit.subsets import stored_subset

    subset = stored_subset(config.data, config.subset)
    faces = open_faces(config.data)
    count = int(np.isin(faces.rows_of(*config.train_splits), subset.rows).sum())
    if not count:
        raise DataError(
            f"The subset {config.subset} has no faces in {', '.join(config.train_splits)}, so there is nothing to "
            "train on. Choose another subset or other splits."
        )
    write_json(path, {"name": subset.name, "data": subset.data, "rows": subset.rows.tolist(), "training": count})


def _subset_mask(config: RunConfig, faces: FaceSet) -> np.ndarray:
    """Return which faces, bool (n,), are in the subset that a configuration names, or whose file in a run it names."""
    path = Path(config.subset)
    if path.is_absolute():
        content = _read_subset(path)
        data, rows = content["data"], np.array(content["rows"], np.int64)
    else:
        from fer_core.audit.subsets import stored_subset

        subset = stored_subset(config.data, config.subset)
        data, rows = subset.data, subset.rows
    if data != faces.hash or (len(rows) and not 0 <= rows.min() <= rows.max() < len(faces)):
        raise DataError(
            f"The data set {config.data} was replaced by another since the subset was taken from it. Start a new run."
        )
    mask = np.zeros(len(faces), bool)
    mask[rows] = True
    return mask


def _read_subset(path: Path) -> dict:
    try:
        content = read_json(path)
        if not isinstance(content["data"], str) or any(type(row) is not int for row in content["rows"]):
            raise ValueError("expected a hash and a list of rows")
        return content
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: it lists the faces that the run trains on. Start a new run.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error}). Start a new run.") from error
