import os
import platform
import subprocess
import sys

import pytest

from fer_core import dependencies
from fer_core.dependencies import require_training, training_unavailable
from fer_core.errors import DependencyError


@pytest.fixture
def installed(monkeypatch):
    """A function that makes only the given packages look installed."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return lambda *names: monkeypatch.setattr(
        dependencies, "find_spec", lambda name: object() if name in names else None
    )


def test_what_is_missing_is_named_with_what_installs_it(installed):
    installed("keras", "h5py")
    assert training_unavailable("Training") == (
        'Training needs tensorflow, which is not installed. Install with: pip install "fer-dashboard[train]"'
    )
    installed()
    with pytest.raises(DependencyError, match="needs keras, h5py and tensorflow, which are not installed"):
        require_training("Training")


def test_training_needs_the_backend_that_is_set_but_converting_needs_tensorflow(installed, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    installed("keras", "h5py", "jax")
    assert not training_unavailable("Training")
    assert "needs tensorflow" in training_unavailable("Converting", any_backend=False)


def test_exporting_needs_the_packages_of_onnx_too(installed):
    installed("keras", "h5py", "tensorflow", "onnx")
    require_training("Importing")
    assert "needs tf2onnx and onnxruntime," in training_unavailable("Exporting", onnx=True)


_ONEDNN = """
from fer_core.dependencies import set_tensorflow_defaults
set_tensorflow_defaults()
from tensorflow.python.util import _pywrap_util_port
print(_pywrap_util_port.IsMklEnabled())
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="TensorFlow tells only there whether it uses oneDNN")
@pytest.mark.parametrize(("chosen", "used"), [(None, "True"), ("0", "False")])
def test_tensorflow_uses_onednn_on_every_processor_unless_it_is_told_not_to(chosen, used):
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    if chosen is not None:
        environment["TF_ENABLE_ONEDNN_OPTS"] = chosen
    ran = subprocess.run([sys.executable, "-c", _ONEDNN], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == used
