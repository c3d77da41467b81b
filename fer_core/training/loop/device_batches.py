"""Training that leaves a graphics processor nothing to wait for.

All faces, targets and teachers lie on the device from the start. The processor only draws what happens to each face,
in the order in which it would change the faces itself; the step that trains the network carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from fer_core.errors import RunError
from fer_core.face_size import FACE_SIZE
from fer_core.training.config import RunConfig
from fer_core.training.loop.batches import Batches
from fer_core.training.loop.changes import draw_changes, draw_mix
from fer_core.training.loop.device_augmentation import (
    Tensor,
    area_matrix,
    changed_on_device,
    mixed_on_device,
    packed,
    resized_on_device,
)
from fer_core.training.loop.device_teachers import TeacherNetwork, weights_folder
from fer_core.training.loop.heads import columns, weighed_columns

_BACKENDS = ("jax", "tensorflow")
# Where faces are many and large, the device keeps its memory for the network unless it is told otherwise.
_MOST_BYTES = 4 << 30
_RESIDENT = "resident"


def trains_on_device(config: RunConfig, face_bytes: int) -> bool:
    """Return whether the faces of a run are changed where its network trains.

    Args:
        config: of the run.
        face_bytes: size of all its training faces.

    Raises:
        RunError: the configuration wants it, but the backend cannot.
    """
    usable = keras.backend.backend() in _BACKENDS
    if config.augment_on == "device" and not usable:
        raise RunError(
            f"Expected the backend {' or '.join(_BACKENDS)} to change faces on the device; got "
            f"{keras.backend.backend()}. Set KERAS_BACKEND, or choose --augment-on host."
        )
    if config.augment_on != "auto":
        return config.augment_on == "device"
    accelerated = any(not name.startswith("cpu") for name in keras.distribution.list_devices())
    fits = face_bytes <= _MOST_BYTES and all(weights_folder(name) for name in config.teachers)
    return usable and accelerated and fits


class DeviceStep:
    """Turns what was drawn for a batch into faces, targets and weights, as one function of Keras operations."""

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        config: RunConfig,
        weights: np.ndarray | None,
        teachers: Sequence[TeacherNetwork],
    ) -> None:
        """The arguments are those of `DeviceBatches`; targets are smoothed already."""
        self._config, self._weights, self._teachers = config, weights, teachers
        self._resident = {
            "images": ops.convert_to_tensor(images),
            "targets": ops.convert_to_tensor(targets),
            "teachers": [teacher.weights() for teacher in teachers],
        }
        # JAX would compile what a function merely refers to into it, all faces included: there it is an argument.
        self.arguments = {_RESIDENT: self._resident} if keras.backend.backend() == "jax" else {}

    def __call__(self, arrays: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Return a batch as `Batches` gives it, of what `DeviceBatches` does."""
        resident = arrays.get(_RESIDENT, self._resident)
        faces = ops.cast(ops.take(resident["images"], arrays["rows"], axis=0), "float32")
        targets = ops.take(resident["targets"], arrays["rows"], axis=0)
        faces = changed_on_device(faces, arrays)
        if "share" in arrays:
            faces, targets = (mixed_on_device(v, arrays["share"], arrays["partner"]) for v in (faces, targets))
        if self._teachers:
            targets = self._taught(ops.round(faces)[..., None], targets, resident["teachers"])
        if "area" in arrays:
            faces = self._resized(faces, arrays)
        if self._weights is None:
            return faces[..., None], targets
        return faces[..., None], targets, ops.matmul(targets[:, weighed_columns(self._config)], self._weights)

    def _resized(self, faces: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
        small = resized_on_device(faces, arrays["area"])
        if "share" not in arrays:
            return ops.round(small)
        # Faces that are not mixed stay whole numbers on the processor's path.
        return ops.where(ops.any(arrays["share"] < 1), small, ops.round(small))

    def _taught(self, faces: Tensor, targets: Tensor, weights: Sequence[Any]) -> Tensor:
        """Mix the teachers' scores into the targets; see `Batches` and `find_teacher`."""
        label_sets, share = self._config.label_sets, self._config.teacher_share
        given: dict[str, list[Tensor]] = {name: [] for name in label_sets}
        for teacher, values in zip(self._teachers, weights, strict=True):
            answers = teacher.scores(values, faces)
            if len(label_sets) == 1 and label_sets[0] not in answers:
                given[label_sets[0]].append(answers[teacher.label_sets[0]])
            for name in answers.keys() & given.keys():
                given[name].append(answers[name])
        parts = []
        for name, scores in given.items():
            own = targets[:, columns(name, label_sets)]
            if scores:
                present = ops.sum(own, axis=1, keepdims=True) if len(label_sets) > 1 else 1
                own = own * (1 - share) + sum(scores) / len(scores) * share * present
            parts.append(own)
        return ops.concatenate(parts, axis=1)


class DeviceBatches(Batches):
    """What happens to the faces of each batch, for `DeviceTrained` to carry out: the same as in `Batches`."""

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        config: RunConfig,
        weights: np.ndarray | None = None,
        teachers: Sequence[TeacherNetwork] = (),
        epoch: int = 0,
    ) -> None:
        """The arguments are those of `Batches`, but for `teachers`, whose scores become part of the targets."""
        super().__init__(images, targets, config, epoch)
        self.step = DeviceStep(images, self._targets, config, weights, teachers)
        self._views = _compiled(lambda arrays: self.step(arrays)[0])

    def views(self, index: int) -> Tensor:
        return self._views(self[index][0])

    def _make(self, epoch: int, order: np.ndarray, index: int) -> tuple[Any, ...]:
        config = self._config
        rows, rng = self._chance(epoch, order, index)
        n, arrays = len(rows), {"rows": rows.astype(np.int32)}
        if config.augmentation:
            shape = (n, *self._images.shape[1:])
            arrays |= packed(draw_changes(shape, config.augmentation, rng), config.augmentation, shape)
        if config.mixup:  # in the epochs that do not mix too: a step is compiled for one set of arrays
            share, partner = np.ones(n, np.float32), np.arange(n)
            if config.mixes_at(epoch):
                share, partner = draw_mix(n, config.mixup, rng)
            arrays |= {"share": share, "partner": partner.astype(np.int32)}
        if config.initial_size < FACE_SIZE:
            arrays["area"] = area_matrix(config.size_at(epoch), FACE_SIZE)
        return ({**arrays, **self.step.arguments},)


class DeviceTrained(keras.Model):
    """A network that trains on `DeviceBatches`."""

    def __init__(self, network: keras.Model, step: DeviceStep) -> None:
        """Args:
        network: the network, whose layers it shares.
        step: makes the batches that it trains on.
        """
        super().__init__(network.inputs, network.outputs[0], name=network.name)
        self._step = step

    def build_for(self, targets: int) -> None:
        """Make the variables of metrics and optimizer, which Keras would make from a batch of faces and targets.

        Args:
            targets: their number in a row.
        """
        few = ops.ones((1, targets)) / targets
        self.compute_loss(None, few, few)
        self.compute_metrics(None, few, few)
        self.reset_metrics()
        self.optimizer.build(self.trainable_variables)

    def train_step(self, *arguments: Any) -> Any:
        """Train on one batch; the arguments are those of Keras's own: of JAX the state too, and the batch."""
        *state, (arrays, *_) = arguments
        return super().train_step(*state, self._step(arrays))


def _compiled(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, reduce_retracing=True)
