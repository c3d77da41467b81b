"""Find out what a model file is from its content, without Keras and without running anything in it.

Sizes are checked before anything is unpacked, since a small archive can hold terabytes of zeros.
"""

from __future__ import annotations

import json
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import h5py

from fer_core.errors import ModelError
from fer_core.models.importing.description import MAX_FILE_BYTES

# Far above any network for 48-pixel faces, far below what would exhaust a machine.
MAX_WEIGHT_BYTES = 1 << 30
_MAX_CONFIG_BYTES = 16 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError)
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"

EXPECTED = (
    "Expected a .keras file, a .weights.h5 file that a run of this program saved, the model.h5 of the original "
    "script, or a whole Keras model as .h5 or .hdf5."
)


class Kind(Enum):
    """The kinds of files that models come in."""

    KERAS = "a .keras file"
    WEIGHTS = "Keras 3 weights"
    LEGACY_MODEL = "a whole Keras model in HDF5"
    LEGACY_WEIGHTS = "Keras 2 weights"


@dataclass(frozen=True)
class ModelFile:
    """An inspected file.

    Attributes:
        path: where it is.
        kind: what it is.
        config: the layers it describes, as Keras wrote them; None if it holds weights alone.
    """

    path: Path
    kind: Kind
    config: dict[str, Any] | None = None


def inspect_file(path: Path) -> ModelFile:
    """Find out what the file at `path` is.

    Raises:
        ModelError: it is missing, cut short, too large or none of the kinds.
    """
    if not path.is_file():
        raise ModelError(f"{path} is not a file. {EXPECTED}")
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise ModelError(
            f"{path.name} has {size / 1e6:,.0f} MB; a model may have {MAX_FILE_BYTES / 1e6:,.0f}. "
            "Save it without the state of its optimizer."
        )
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return ModelFile(path, Kind.KERAS, _keras_config(path))
    if start == b"\x89HDF\r\n\x1a\n":
        return _inspect_hdf5(path)
    raise ModelError(f"{path.name} cannot be read as a model: it is neither a .keras file nor HDF5. {EXPECTED}")


@contextmanager
def unpacked_weights(file: ModelFile) -> Iterator[Path]:
    """Yield the path of a file's Keras 3 weights, unpacked for as long as the block lasts.

    Raises:
        ModelError: the archive is damaged.
    """
    with tempfile.TemporaryDirectory() as folder:
        if file.kind is not Kind.KERAS:
            # Keras judges by the suffix, and a browser may have saved the file as "best.weights (1).h5".
            path = Path(folder) / "model.weights.h5"
            path.symlink_to(file.path.resolve())
            yield path
            return
        try:
            with zipfile.ZipFile(file.path) as archive:
                path = Path(archive.extract(_WEIGHTS, folder))
        except _DAMAGED as error:
            raise ModelError(
                f"{file.path.name} cannot be unpacked: {error}. It was cut short or altered; save or download it again."
            ) from error
        check_hdf5(path, file.path.name)
        yield path


def check_hdf5(path: Path, name: str) -> None:
    """Check that HDF5 weights are whole, lie in this very file and fit into memory.

    Raises:
        ModelError: they do not.
    """
    try:
        with h5py.File(path) as file:
            total = sum(_dataset_sizes(file, name))
    except (OSError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{name} cannot be read as HDF5: {error}. It was cut short or altered; save or download it again."
        ) from error
    if total > MAX_WEIGHT_BYTES:
        raise ModelError(
            f"{name} unpacks to {total / 1e9:,.1f} GB of weights; a model may have "
            f"{MAX_WEIGHT_BYTES / 1e9:,.1f}. It was not opened."
        )


def weight_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the names of the weights in Keras 3's HDF5 form, as layers/conv2d_1/vars/0, and their shapes.

    The states of random number generators and of the optimizer are not weights and left out.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(place: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset) and place.startswith("layers/") and "seed_generator" not in place:
            shapes[place] = item.shape

    with h5py.File(path) as file:
        file.visititems(visit)
    return shapes


def _keras_config(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            if not {_CONFIG, _WEIGHTS} <= set(sizes):
                raise ModelError(
                    f"{path.name} is an archive, but not a .keras file: it lacks {_CONFIG} or {_WEIGHTS}. " + EXPECTED
                )
            if sum(sizes.values()) > MAX_WEIGHT_BYTES or sizes[_CONFIG] > _MAX_CONFIG_BYTES:
                raise ModelError(
                    f"{path.name} has {path.stat().st_size / 1e6:,.1f} MB and unpacks to "
                    f"{sum(sizes.values()) / 1e9:,.1f} GB; a model may have "
                    f"{MAX_WEIGHT_BYTES / 1e9:,.1f}. It was not unpacked."
                )
            return _parsed(archive.read(_CONFIG), path)
    except _DAMAGED as error:
        raise ModelError(
            f"{path.name} cannot be unpacked: {error}. It was cut short or altered; save or download it again."
        ) from error


def _inspect_hdf5(path: Path) -> ModelFile:
    check_hdf5(path, path.name)
    with h5py.File(path) as file:
        if "model_config" in file.attrs:
            return ModelFile(path, Kind.LEGACY_MODEL, _parsed(file.attrs["model_config"], path))
        if "layer_names" in file.attrs or "layer_names" in getattr(file.get("model_weights"), "attrs", ()):
            return ModelFile(path, Kind.LEGACY_WEIGHTS)
        if isinstance(file.get("layers"), h5py.Group):
            return ModelFile(path, Kind.WEIGHTS)
    raise ModelError(f"{path.name} is HDF5, but holds neither a Keras model nor Keras weights. {EXPECTED}")


def _parsed(text: str | bytes, path: Path) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"The description of the layers in {path.name} cannot be read: {error}. It was altered; save it again."
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)):
        raise ModelError(f"{path.name} does not describe its layers. Save the whole model again, with Keras.")
    return config


def _dataset_sizes(group: h5py.Group, name: str) -> Iterator[int]:
    for key in group:
        # A link may lead to another file of this machine, or round in a circle.
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise ModelError(f"{name} refers to data elsewhere ({key}). Expected a file that holds its own weights.")
        item = group[key]
        if isinstance(item, h5py.Group):
            yield from _dataset_sizes(item, name)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ModelError(f"{name} keeps {key} in another file. Expected a file that holds its own weights.")
            yield item.nbytes
