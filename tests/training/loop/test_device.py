"""Faces that are changed where the network trains: as the processor changes them."""

import dataclasses
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from fer_core.emotions import LABELS
from fer_core.errors import RunError
from fer_core.training.config import STANDARD_AUGMENTATION, Augmentation
from fer_core.training.loop.augmentation import changed, resize
from fer_core.training.loop.batches import Batches
from fer_core.training.loop.changes import draw_changes
from fer_core.training.loop.device_augmentation import area_matrix, changed_on_device, packed, resized_on_device
from fer_core.training.loop.device_batches import DeviceBatches, trains_on_device
from fer_core.training.loop.device_teachers import find_networks
from fer_core.training.loop.distillation import find_teacher
from tests.drawn_faces import demo_set
from tests.training.running import stop_in_epoch, weights_of

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def images():
    return np.array(demo_set(70).images)


@pytest.mark.parametrize(
    ("how", "same"),
    [
        (Augmentation(flip=0.5), 1.0),
        (Augmentation(flip=0.5, rotate_deg=12, shift=0.1, scale=0.15), 0.998),
        (Augmentation(brightness=0.25, contrast=0.25), 0.999),
        (Augmentation(blur=1), 1.0),
        (Augmentation(noise=0.5), 0.9999),
        (Augmentation(jpeg=1), 0.98),
        (Augmentation(erase=0.5), 1.0),
        (STANDARD_AUGMENTATION, 0.98),
    ],
)
def test_every_change_is_that_of_the_processor(images, how, same):
    changes = draw_changes(images.shape, how, np.random.default_rng(0))
    arrays = {name: ops.convert_to_tensor(array) for name, array in packed(changes, how, images.shape).items()}
    on_device = ops.convert_to_numpy(changed_on_device(ops.cast(images, "float32"), arrays))
    difference = np.abs(on_device - changed(images, changes))
    assert not np.array_equal(on_device, images), "nothing was changed at all"
    assert (difference == 0).mean() >= same
    assert (difference <= 1).mean() >= 0.995, "at nearly every pixel to within a gray level"


@pytest.mark.parametrize("size", [24, 32, 40, 48])
def test_faces_grow_as_on_the_processor(images, size):
    small = ops.convert_to_numpy(resized_on_device(ops.cast(images, "float32"), area_matrix(size, 48)))
    np.testing.assert_allclose(small, resize(images.astype(np.float32), size), atol=1e-3)


@pytest.mark.parametrize(("label_set", "epoch"), [("fer", 0), ("both", 3)], ids=["mixed", "not mixed, both truths"])
def test_the_same_seed_gives_the_same_batch_on_both_paths(config, images, label_set, epoch):
    config = dataclasses.replace(
        config,
        label_set=label_set,
        augmentation=STANDARD_AUGMENTATION,
        teachers=("compact", "compact-ferplus"),
        validation_splits=("PublicTest",),
        mixup_share=0.5,
        initial_size=32,
        progressive_resizing=1.0,
        architecture="compact",
    )
    rng = np.random.default_rng(0)
    targets = np.concatenate([np.eye(7, dtype=np.float32)[rng.integers(0, 7, len(images))]] * len(config.label_sets), 1)
    targets[3, :7] = 0
    weights = np.linspace(0.5, 1.5, 7, dtype=np.float32)
    host = Batches(images, targets, config, epoch, weights, find_teacher(config))
    device = DeviceBatches(images, targets, config, weights, find_networks(config, LABELS), epoch)
    assert len(host) == len(device)
    last = len(host) - 1  # holds what remains
    for index in (0, last):
        faces, wanted, weighed = host[index]
        on_device = [ops.convert_to_numpy(part) for part in device.step(device[index][0])]
        assert [part.shape for part in on_device] == [faces.shape, wanted.shape, weighed.shape]
        assert (np.abs(on_device[0] - faces) <= 1).mean() > 0.98
        # Scores of the same network, once in LiteRT with rounded kernels and once in Keras, of nearly the same faces.
        for part, other in zip(on_device[1:], (wanted, weighed), strict=True):
            assert np.abs(part - other).mean() < 0.003
            np.testing.assert_allclose(part, other, atol=0.1)
        np.testing.assert_allclose(device.views(index), on_device[0], atol=1)


def test_a_teacher_without_keras_weights_is_asked_by_the_processor_alone(config):
    taught = dataclasses.replace(config, teachers=("seed-cnn",), validation_splits=("PublicTest",))
    with pytest.raises(RunError, match="seed-cnn cannot be asked on the device.*--augment-on host"):
        find_networks(taught, LABELS)


def test_an_accelerator_takes_the_work_over_where_it_can(config, monkeypatch):
    assert not trains_on_device(config, 0), "there is only the processor here"
    assert trains_on_device(dataclasses.replace(config, augment_on="device"), 0)
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert trains_on_device(config, 0)
    assert not trains_on_device(dataclasses.replace(config, augment_on="host"), 0)
    assert not trains_on_device(config, 1 << 40), "the faces would leave no room for the network"
    assert not trains_on_device(dataclasses.replace(config, teachers=("seed-cnn",)), 0)
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    assert not trains_on_device(config, 0)
    with pytest.raises(RunError, match="Expected the backend jax or tensorflow .* got numpy"):
        trains_on_device(dataclasses.replace(config, augment_on="device"), 0)


@pytest.mark.usefixtures("eager")
def test_a_run_on_the_device_resumes_to_the_uninterrupted_one(config, new_run, train, monkeypatch):
    config = dataclasses.replace(config, augment_on="device", augmentation=STANDARD_AUGMENTATION, mixup_share=0.5)
    whole, cut = new_run(config, "whole"), new_run(config, "cut")
    train(whole)
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        assert train(cut) is None
    assert len(cut.history()) == 2
    train(cut)
    np.testing.assert_array_equal(weights_of(cut.last_weights_file), weights_of(whole.last_weights_file))
    assert cut.history()["loss"].tolist() == whole.history()["loss"].tolist()


ON_JAX = """
import dataclasses, sys
from importlib.machinery import PathFinder
from pathlib import Path

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.split(".")[0] == "tensorflow" else find(name, *rest)

import keras, numpy as np
from keras import layers

from fer_core.data.face_set import FaceSet
from fer_core.models import registry
from fer_core.training.config import STANDARD_AUGMENTATION, RunConfig
from fer_core.training.loop import trainer
from fer_core.training.loop.batches import Batches
from fer_core.training.run.folder import RunFolder
from tests.training.running import stop_in_epoch, weights_of
from _pytest.monkeypatch import MonkeyPatch

def build():
    return keras.Sequential([
        keras.Input((48, 48, 1)), layers.AveragePooling2D(8), layers.BatchNormalization(), layers.Flatten(),
        layers.Dropout(0.3, name="features"), layers.Dense(7, activation="softmax", name="scores"),
    ])

registry._specs["tiny"] = registry.ModelSpec("tiny", build)
rng = np.random.default_rng(0)
faces = FaceSet(
    rng.integers(0, 256, (48, 48, 48), np.uint8), np.arange(48) % 7, np.repeat([0, 1], [32, 16]).astype(np.uint8)
)
config = RunConfig(
    data="memory", architecture="tiny", epochs=3, batch_size=16, mixup=0.2, ema=0.9, augment_on="device",
    augmentation=STANDARD_AUGMENTATION,
)

def train(name):
    run = RunFolder(Path(sys.argv[1]) / name)
    if not run.config_file.exists():
        run.create(config)
    trainer.train(lambda config: faces, run)
    return run

model, batches, _ = trainer.prepare(faces, config)
host = trainer.prepare(faces, dataclasses.replace(config, augment_on="host"))[1]
assert (np.abs(np.array(batches.views(1)) - host.views(1)) <= 1).mean() > 0.99
whole = train("whole")
with MonkeyPatch.context() as patch:
    stop_in_epoch(patch, 1)
    assert len(train("cut").history()) == 1
cut = train("cut")
np.testing.assert_array_equal(weights_of(cut.last_weights_file), weights_of(whole.last_weights_file))
print("same on", keras.backend.backend())
"""


@pytest.mark.slow
def test_jax_without_tensorflow_changes_faces_and_resumes_alike(home, tmp_path):
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "same on jax" in done.stdout
