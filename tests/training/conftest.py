"""A tiny network and a small data set, so that a whole run takes a second."""

import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS
from fer_core.models import registry
from fer_core.training.config import Augmentation, RunConfig
from fer_core.training.run.folder import RunFolder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of its own for data sets, runs and models."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def tiny():
    """The name of a registered network with everything that a resumed run must restore."""

    def build():
        import keras
        from keras import layers

        return keras.Sequential(
            [
                keras.Input((48, 48, 1)),
                layers.Rescaling(1 / 255),
                layers.AveragePooling2D(4),
                layers.Conv2D(4, 3),
                layers.BatchNormalization(),
                layers.Activation("relu"),
                layers.Flatten(),
                layers.Dropout(0.3),
                layers.Dense(8, name="features"),
                layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="scores"),
            ]
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._specs, "tiny", registry.ModelSpec("tiny", build))
        yield "tiny"


@pytest.fixture(scope="module")
def config(tiny):
    """A configuration with all that could break an exact resume: order, dropout, augmentation, mixup, averages."""
    return RunConfig(
        data="memory",
        architecture=tiny,
        epochs=4,
        batch_size=16,
        optimizer="adamw",
        learning_rate=3e-3,
        schedule="cosine",
        warmup_epochs=1,
        weight_decay=0.01,
        label_smoothing=0.1,
        mixup=0.2,
        ema=0.9,
        augmentation=Augmentation(flip=0.5, rotate_deg=10, erase=0.3),
    )


@pytest.fixture
def new_run(tmp_path):
    """A function that makes a run's folder: new_run(config, name="run", epochs=1, ...)."""

    def make(config: RunConfig, name: str = "run", **changes: object) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / name)
        run.create(dataclasses.replace(config, **changes))
        return run

    return make


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    """Seventy faces in three splits; each expression is a stripe of its own, so that there is something to learn."""
    rng = np.random.default_rng(0)
    labels = np.arange(70) % 7
    images = rng.integers(0, 80, (70, 48, 48), np.uint8)
    for row, label in enumerate(labels):
        images[row, 6 * label : 6 * label + 8] += 150
    votes = np.zeros((70, 10), np.uint8)
    votes[:, 0] = 10
    return FaceSet(images, labels, np.repeat([0, 1, 2], [42, 14, 14]).astype(np.uint8), votes)


@pytest.fixture(scope="module")
def eager():
    """Run step by step: compiling so small a network takes far longer than training it."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def train(faces):
    """A function that trains a run on the small data set."""
    from fer_core.training.loop import trainer

    return lambda run: trainer.train(lambda config: faces, run)
