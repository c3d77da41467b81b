"""Score faces with LiteRT: no TensorFlow, one batch a call, safe from any number of threads."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer_core.errors import ModelError
from fer_core.models.bundle import Bundle
from fer_core.models.calibration import Calibration
from fer_core.models.label_sets import SCORES, require_label_set, score_outputs

# More faces than this go through in several batches, which bounds the memory of an interpreter.
MAX_BATCH = 64
FEATURES = "features"
_AS_TRAINED: Mapping[str, Calibration] = MappingProxyType({})


class LiteRTClassifier:
    """A network in LiteRT form, with scores for one label set or several.

    An interpreter is not thread-safe, so every call borrows one that no other call holds; there
    are never more of them than there were calls at once.
    """

    def __init__(
        self,
        content: bytes,
        labels: tuple[str, ...],
        threads: int | None = None,
        label_sets: Sequence[str] = (),
        calibrations: Mapping[str, Calibration] = _AS_TRAINED,
    ) -> None:
        """Load the network and run it once.

        Args:
            content: the LiteRT file; its signature takes `faces` and gives `scores`, `features` and, for each label
                set but the first, `scores_<name>`.
            labels: names of the scores, in their order.
            threads: processor threads of one call; at most two by default, since so small a
                network gains nothing from more.
            label_sets: what it gives scores for, the default first, as its card names them. Without any, only the
                scores of the default can be asked for.
            calibrations: by label set; scores of others are those as trained.

        Raises:
            ModelError: the file is not such a network.
        """
        self.labels = labels
        self.label_sets = tuple(label_sets)
        self._outputs = score_outputs(self.label_sets)
        self._calibrations = {self._outputs[name]: calibration for name, calibration in calibrations.items()}
        self._content = content
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._idle: queue.LifoQueue[_Runner] = queue.LifoQueue()
        runner = self._new_runner()
        self._check(runner)
        runner.run(np.zeros((1, 48, 48), np.uint8), (FEATURES,))
        self._idle.put(runner)

    @classmethod
    def from_bundle(cls, bundle: Bundle, calibrated: bool = True, threads: int | None = None) -> LiteRTClassifier:
        """Load the network of a model.

        Args:
            bundle: the model.
            calibrated: whether scores are calibrated as the card says, or as trained.
            threads: processor threads of one call.

        Raises:
            ModelError: card and network do not belong together.
        """
        card = bundle.card
        calibrations = {name: card.calibration_of(name) for name in card.label_sets} if calibrated else _AS_TRAINED
        return cls(bundle.content, card.labels, threads, card.label_sets, calibrations)

    def classify(self, faces: np.ndarray, label_set: str | None = None) -> np.ndarray:
        """Return the scores of faces.

        Args:
            faces: uint8 (n, 48, 48), gray.
            label_set: what they are scored for; the default one if None.

        Returns:
            float32 (n, k); rows sum to 1.

        Raises:
            ValueError: the array has another shape or type.
            ModelError: the network has no scores for this label set.
        """
        output = self._output_of(label_set)
        return self._run(faces, (output,))[output]

    def classify_all(self, faces: np.ndarray) -> dict[str, np.ndarray]:
        """Return the scores of faces uint8 (n, 48, 48) for all label sets by name, each float32 (n, k).

        It takes as long as `classify`.
        """
        arrays = self._run(faces, tuple(self._outputs.values()))
        return {name: arrays[output] for name, output in self._outputs.items()}

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return the features before the scores, float32 (n, d), of faces uint8 (n, 48, 48)."""
        return self._run(faces, (FEATURES,))[FEATURES]

    def classify_and_embed(self, faces: np.ndarray, label_set: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return what `classify` and `embed` return, for the cost of one of them."""
        output = self._output_of(label_set)
        arrays = self._run(faces, (output, FEATURES))
        return arrays[output], arrays[FEATURES]

    def _output_of(self, label_set: str | None) -> str:
        if label_set is None:
            return SCORES
        return self._outputs[require_label_set(label_set, self.label_sets, "The network")]

    def _run(self, faces: np.ndarray, outputs: tuple[str, ...]) -> dict[str, np.ndarray]:
        if faces.dtype != np.uint8 or faces.ndim != 3 or faces.shape[1:] != (48, 48):
            raise ValueError(f"faces must be uint8 (n, 48, 48), got {faces.dtype} {faces.shape}")
        with self._borrowed() as runner:
            if len(faces) == 0:
                return {name: np.empty((0, runner.widths[name]), np.float32) for name in outputs}
            parts = [runner.run(faces[i : i + MAX_BATCH], outputs) for i in range(0, len(faces), MAX_BATCH)]
        arrays = dict(zip(outputs, map(np.concatenate, zip(*parts, strict=True)), strict=True))
        return {
            name: self._calibrations[name].apply(array) if name in self._calibrations else array
            for name, array in arrays.items()
        }

    def _check(self, runner: _Runner) -> None:
        heads = {name: width for name, width in runner.widths.items() if name != FEATURES}
        expected = set(self._outputs.values())
        if expected and expected != set(heads):
            raise ModelError(
                f"The network gives {', '.join(sorted(heads))}; the label sets {', '.join(self.label_sets)} of its "
                f"card need {', '.join(sorted(expected))}. Card and weights do not belong together."
            )
        if wrong := [width for width in heads.values() if width != len(self.labels)]:
            raise ModelError(
                f"The network gives {wrong[0]} scores, the card names {len(self.labels)} labels. "
                "Card and weights do not belong together."
            )

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
    """One interpreter, used by one call at a time; its batch follows the faces it is given.

    Attributes:
        widths: number of columns of each output, by name.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        signature = interpreter.get_signature_list()["serve"]
        runner = interpreter.get_signature_runner("serve")
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        others = [name for name in outputs if name not in (SCORES, FEATURES) and not name.startswith(f"{SCORES}_")]
        if signature["inputs"] != ["faces"] or not {SCORES, FEATURES} <= set(outputs) or others:
            raise ValueError(f"its signature is {signature}")
        self._interpreter = interpreter
        self._faces = inputs["faces"]["index"]
        self._tensors = {name: output["index"] for name, output in outputs.items()}
        self.widths = {name: int(output["shape_signature"][-1]) for name, output in outputs.items()}
        self._batch = 0

    def run(self, faces: np.ndarray, outputs: tuple[str, ...]) -> list[np.ndarray]:
        """Return these outputs, float32 (n, width) each, of faces uint8 (n, 48, 48)."""
        if len(faces) != self._batch:
            self._interpreter.resize_tensor_input(self._faces, (len(faces), 48, 48, 1))
            self._interpreter.allocate_tensors()
            self._batch = len(faces)
        self._interpreter.set_tensor(self._faces, faces.astype(np.float32)[..., None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self._tensors[name]) for name in outputs]
