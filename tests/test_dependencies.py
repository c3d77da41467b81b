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
