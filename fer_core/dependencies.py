"""Packages that only an optional extra installs: whether they are there, what to say if not; how TensorFlow starts."""

from __future__ import annotations

import os
from importlib.util import find_spec

from fer_core.errors import DependencyError

_ONNX = ("tf2onnx", "onnx", "onnxruntime")
_SERVICE = ("fastapi", "fastapi_offline", "uvicorn", "python_multipart", "websockets", "prometheus_client")
INSTALL_TRAIN = 'pip install "fer-dashboard[train]"'
INSTALL_EXCEL = 'pip install "fer-dashboard[excel]"'
INSTALL_HEIC = 'pip install "fer-dashboard[heic]"'
INSTALL_SERVICE = 'pip install "fer-dashboard[service]"'
INSTALL_CLUSTER = 'pip install "fer-dashboard[cluster]"'
INSTALL_REMOTE = 'pip install "fer-dashboard[remote]"'
INSTALL_SLURM = 'pip install "fer-dashboard[slurm]"'
INSTALL_SWEEP = 'pip install "fer-dashboard[sweep]"'
INSTALL_POSTGRES = 'pip install "fer-dashboard[postgres]"'
INSTALL_LSL = 'pip install "fer-dashboard[lsl]"'
INSTALL_MLFLOW = 'pip install "fer-dashboard[mlflow]"'


def require_training(action: str, any_backend: bool = True, onnx: bool = False) -> None:
    """Do nothing if the packages of the extra `train` that an action needs are installed.

    Args:
        action: what needs them, as the subject of a sentence: "Training".
        any_backend: whether it runs on every backend of Keras, as training does; otherwise on TensorFlow alone.
        onnx: whether it also needs the packages that write and run ONNX.

    Raises:
        DependencyError: one is missing.
    """
    if message := training_unavailable(action, any_backend, onnx):
        raise DependencyError(message)


def require_package(name: str, action: str, install: str) -> None:
    """Do nothing if a package is installed.

    Args:
        name: of the package.
        action: what needs it, as the subject of a sentence: "Logging to MLflow".
        install: the command that installs it.

    Raises:
        DependencyError: it is missing.
    """
    if find_spec(name) is None:
        raise DependencyError(f"{action} needs {name}, which is not installed. Install with: {install}")


def require_service() -> None:
    """Do nothing if the packages of the extra `service` are installed.

    Raises:
        DependencyError: one is missing.
    """
    for name in _SERVICE:
        require_package(name, "Serving", INSTALL_SERVICE)


def training_unavailable(action: str, any_backend: bool = True, onnx: bool = False) -> str:
    """Return why an action that needs the extra `train` cannot run, with what to install; empty if it can.

    The arguments are those of `require_training`. Nothing is imported.
    """
    tensor_library = (os.environ.get("KERAS_BACKEND") or "tensorflow") if any_backend else "tensorflow"
    needed = ("keras", "h5py", tensor_library, *(_ONNX if onnx else ()))
    missing = [name for name in needed if find_spec(name) is None]
    if not missing:
        return ""
    verb = "is" if len(missing) == 1 else "are"
    return f"{action} needs {_enumerated(missing)}, which {verb} not installed. Install with: {INSTALL_TRAIN}"


def set_tensorflow_defaults() -> None:
    """Let TensorFlow start without its own messages and use the kernels of oneDNN. Call it before Keras is imported.

    TensorFlow takes those kernels by itself only on processors with instructions made for networks; a training step is
    shorter with them on one with AVX2 alone too (`bench_training`). What is set already stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def _enumerated(names: list[str]) -> str:
    """Return names as words: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
