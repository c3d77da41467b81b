"""Score faces with LiteRT: no TensorFlow, one batch a call, safe from any number of threads."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer_core.errors import ModelError
from fer_core.models.temperature import Temperature

# More faces than this go through in several batches, which bounds the memory of an interpreter.
MAX_BATCH = 64


class LiteRTClassifier:
    """A network in LiteRT form.

    An interpreter is not thread-safe, so every call borrows one that no other call holds; there
    are never more of them than there were calls at once.
    """

    def __init__(
        self,
        content: bytes,
        labels: tuple[str, ...],
        threads: int | None = None,
        temperature: Temperature = Temperature(),
    ) -> None:
        """Load the network and run it once.

        Args:
            content: the LiteRT file; its signature takes `faces` and gives `scores` and `features`.
            labels: names of the scores, in their order.
            threads: processor threads of one call; at most two by default, since so small a
                network gains nothing from more.
            temperature: what the logits of the scores are divided by; the card's, or 1 for the scores as
                trained.

        Raises:
            ModelError: the file is not such a network.
        """
        self.labels = labels
        self._temperature = temperature
        self._content = content
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._idle: queue.LifoQueue[_Runner] = queue.LifoQueue()
        runner = self._new_runner()
        if runner.score_count != len(labels):
            raise ModelError(
                f"The network gives {runner.score_count} scores, the card names {len(labels)} labels. "
                "Card and weights do not belong together."
            )
        runner.run(np.zeros((1, 48, 48), np.uint8))
        self._idle.put(runner)

    def classify(self, faces: np.ndarray) -> np.ndarray:
        """Return the scores of faces.

        Args:
            faces: uint8 (n, 48, 48), gray.

        Returns:
            float32 (n, k); rows sum to 1.

        Raises:
            ValueError: the array has another shape or type.
        """
        return self._run(faces)[0]

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return the features before the scores, float32 (n, d), of faces uint8 (n, 48, 48)."""
        return self._run(faces)[1]

    def classify_and_embed(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what `classify` and `embed` return, for the cost of one of them."""
        return self._run(faces)

    def _run(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if faces.dtype != np.uint8 or faces.ndim != 3 or faces.shape[1:] != (48, 48):
            raise ValueError(f"faces must be uint8 (n, 48, 48), got {faces.dtype} {faces.shape}")
        with self._borrowed() as runner:
            if len(faces) == 0:
                return np.empty((0, runner.score_count), np.float32), np.empty((0, runner.feature_count), np.float32)
            parts = [runner.run(faces[start : start + MAX_BATCH]) for start in range(0, len(faces), MAX_BATCH)]
        scores, features = zip(*parts, strict=True)
        return self._temperature.apply(np.concatenate(scores)), np.concatenate(features)

    @contextmanager
    def _borrowed(self) -> Iterator[_Runner]:
        try:
            runner = self._idle.get_nowait()
        except queue.Empty:
            runner = self._new_runner()
        try:
            yield runner
        finally:
            self._idle.put(runner)

    def _new_runner(self) -> _Runner:
        try:
            return _Runner(Interpreter(model_content=self._content, num_threads=self._threads))
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(
                f"The file is not a LiteRT network of this package: {error}. Expected one with the "
                "signature faces → scores, features."
            ) from error


class _Runner:
    """One interpreter, used by one call at a time; its batch follows the faces it is given."""

    def __init__(self, interpreter: Interpreter) -> None:
        signature = interpreter.get_signature_list()["serve"]
        runner = interpreter.get_signature_runner("serve")
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        if signature["inputs"] != ["faces"] or set(signature["outputs"]) != {"scores", "features"}:
            raise ValueError(f"its signature is {signature}")
        self._interpreter = interpreter
        self._faces = inputs["faces"]["index"]
        self._scores, self._features = outputs["scores"]["index"], outputs["features"]["index"]
        self.score_count = int(outputs["scores"]["shape_signature"][-1])
        self.feature_count = int(outputs["features"]["shape_signature"][-1])
        self._batch = 0

    def run(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if len(faces) != self._batch:
            self._interpreter.resize_tensor_input(self._faces, (len(faces), 48, 48, 1))
            self._interpreter.allocate_tensors()
            self._batch = len(faces)
        self._interpreter.set_tensor(self._faces, faces.astype(np.float32)[..., None])
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._scores), self._interpreter.get_tensor(self._features)
