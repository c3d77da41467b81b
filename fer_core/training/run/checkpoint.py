"""The state of a run between two epochs, in one file: weights, optimizer and random generators.

Keras's BackupAndRestore omits the seed generators of dropout and deletes its checkpoint when a run is stopped. One file
that is replaced atomically has neither fault.
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np

from fer_core.errors import RunError
from fer_core.files import atomic_path

# Whatever numpy and zipfile raise on a file that was cut short or altered.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def save_state(path: Path, model: keras.Model, epoch: int, data_hash: str) -> None:
    """Write all variables of `model` and its optimizer, after `epoch` finished epochs on this data, to `path`."""
    arrays = {f"v{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(_variables(model))}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, epoch=np.int64(epoch), data_hash=np.array(data_hash), **arrays)


def load_state(path: Path, model: keras.Model, data_hash: str) -> int:
    """Set all variables of the compiled `model` and its optimizer from `path`.

    Args:
        path: what `save_state` wrote.
        model: compiled, of the same architecture and configuration.
        data_hash: of the data that training would go on with.

    Returns:
        The number of finished epochs.

    Raises:
        RunError: the file is missing or broken, or belongs to another network or data set.
    """
    model.optimizer.build(model.trainable_variables)
    variables = _variables(model)
    try:
        with np.load(path) as state:
            arrays = [state[f"v{i}"] for i in range(len(variables))]
            epoch, known_hash = int(state["epoch"]), str(state["data_hash"])
    except FileNotFoundError as error:
        raise RunError(
            f"{path} is missing: the run ended before its first epoch was complete. Start it again."
        ) from error
    except _UNREADABLE as error:
        raise RunError(f"{path} does not hold the state of this network: {error}.") from error
    if known_hash != data_hash:
        raise RunError(
            "The data set is not the one this run began with: its images, labels, votes or splits have "
            "changed, or another model is its teacher now. Restore it, or start a new run."
        )
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            raise RunError(
                f"{path} belongs to another network: {variable.path} has shape "
                f"{tuple(variable.shape)}, the file {array.shape}."
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return epoch


def read_state_header(path: Path) -> tuple[int, str]:
    """Return the number of finished epochs and the data's hash of what `save_state` wrote.

    Raises:
        RunError: the file is missing or damaged.
    """
    try:
        with np.load(path) as state:
            return int(state["epoch"]), str(state["data_hash"])
    except _UNREADABLE as error:
        raise RunError(f"{path} cannot be read: {error}.") from error


def _variables(model: keras.Model) -> list[keras.Variable]:
    # model.variables includes the seed generators' state, which save_weights leaves out.
    return [*model.variables, *model.optimizer.variables]
