"""A network in ONNX form, for programs that have no LiteRT, and its scores there.

tf2onnx needs TensorFlow, so this runs in a process of its own (`python -m fer_core export`).
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from fer_core.errors import ModelError
from fer_core.files import atomic_path
from fer_core.models.convert import with_features
from fer_core.models.temperature import LEAST, LEAST_ENTROPY, Temperature

ONNX_FILE = "model.onnx"
_INPUT = "faces"
_BATCH = 32


def keras_to_onnx(model: keras.Model, path: Path) -> None:
    """Write `model` to `path` as ONNX: `faces` float32 (n, 48, 48, 1), 0 to 255, in; `scores` and `features` out.

    Args:
        model: what `fer_core.models.convert.with_features` takes, in float32.
        path: the ONNX file.
    """
    with atomic_path(path) as partial, _quiet():
        with_features(model).export(
            str(partial),
            format="onnx",
            verbose=False,
            input_signature=[keras.InputSpec(shape=(None, 48, 48, 1), dtype="float32", name=_INPUT)],
        )
        _name_tensors(partial, {})


def litert_to_onnx(model_file: Path, path: Path) -> None:
    """Write a model's LiteRT file to `path` as ONNX, with the same input and outputs.

    Raises:
        ModelError: it holds an operation that cannot be translated.
    """
    import tf2onnx

    with tempfile.TemporaryDirectory() as folder, _quiet():
        translated = Path(folder) / ONNX_FILE
        try:
            tf2onnx.convert.from_tflite(str(model_file), output_path=str(translated))
        except (ValueError, TypeError, KeyError, NotImplementedError, AssertionError, RuntimeError) as error:
            raise ModelError(
                f"{model_file.name} could not be translated to ONNX ({error}). Export the run that it "
                "came from instead: python -m fer_core export RUN --format onnx."
            ) from error
        _name_tensors(translated, _litert_names(model_file))
        with atomic_path(path) as partial:
            partial.write_bytes(translated.read_bytes())


def quantize(path: Path, faces: np.ndarray) -> None:
    """Make the network at `path` compute with integers of 8 bits, changed in place; input and outputs stay float32.

    Args:
        path: an ONNX file whose scores are not calibrated yet.
        faces: uint8 (n, 48, 48), like those it will see: the ranges of its values are taken from them.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Batches(CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = iter(np.array_split(faces, max(1, len(faces) // _BATCH)))

        def get_next(self) -> dict[str, np.ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
            batch = next(self._batches, None)
            return None if batch is None else {_INPUT: batch.astype(np.float32)[..., None]}

    with atomic_path(path) as partial, tempfile.TemporaryDirectory() as folder, _quiet():
        prepared = Path(folder) / ONNX_FILE
        quant_pre_process(path, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            partial,
            Batches(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            # Not QInt8: processors with AVX2 alone would add the products in 16 bits, which overflow without a word.
            weight_type=QuantType.QUInt8,
            op_types_to_quantize=["Conv", "MatMul", "Gemm", "Add", "Relu", "MaxPool"],
        )


def calibrate_outputs(path: Path, temperatures: Mapping[str, Temperature]) -> None:
    """Make outputs of the network at `path` give calibrated scores, as `Temperature.apply` does.

    Args:
        path: an ONNX file, changed in place.
        temperatures: by name of an output, scores of shape (n, k); those that change nothing are left out.
    """
    model = onnx.load(path)
    graph = model.graph
    for output, temperature in temperatures.items():
        if temperature == Temperature():
            continue
        as_trained = f"{output}_as_trained"
        for node in graph.node:
            for tensors in (node.input, node.output):
                tensors[:] = [as_trained if name == output else name for name in tensors]
        (shape,) = (value.type.tensor_type.shape for value in graph.output if value.name == output)
        _append_calibration(graph, as_trained, output, temperature, shape.dim[1].dim_value)
    onnx.checker.check_model(model)
    with atomic_path(path) as partial:
        onnx.save(model, partial)


def _append_calibration(
    graph: onnx.GraphProto, scores: str, output: str, temperature: Temperature, classes: int
) -> None:
    """Append the nodes that turn `scores`, as trained, into the calibrated `output`."""

    def constant(name: str, value: float | list[int]) -> str:
        array = np.array(value, np.int64 if isinstance(value, list) else np.float32)
        graph.initializer.append(onnx.numpy_helper.from_array(array, f"{output}/{name}"))
        return f"{output}/{name}"

    def node(operation: str, *inputs: str, to: str = "", **attributes: int) -> str:
        name = to or f"{output}/{operation}_{len(graph.node)}"
        graph.node.append(onnx.helper.make_node(operation, inputs, [name], name=f"{name}_node", **attributes))
        return name

    clipped = node("Clip", scores, constant("least", LEAST))
    logits = node("Log", clipped)
    information = node("ReduceSum", node("Mul", clipped, logits), constant("axis", [1]), keepdims=1)
    share = node("Div", information, constant("most_information", -float(np.log(classes))))
    evenness = node("Clip", share, constant("least_entropy", LEAST_ENTROPY), constant("one", 1.0))
    power = node("Pow", evenness, constant("power", temperature.entropy_power))
    divisor = node("Mul", power, constant("scale", temperature.scale))
    node("Softmax", node("Div", logits, divisor), to=output, axis=1)


class OnnxClassifier:
    """A network in ONNX form, with one or two processor threads as the app uses them."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def classify(self, faces: np.ndarray) -> np.ndarray:
        """Return the scores, float32 (n, k), of faces uint8 (n, 48, 48)."""
        return self._session.run(["scores"], {_INPUT: faces.astype(np.float32)[..., None]})[0]


def _litert_names(model_file: Path) -> dict[str, str]:
    """Return the signature's name of each tensor that goes in or comes out, by the tensor's own name."""
    runner = Interpreter(model_path=str(model_file)).get_signature_runner("serve")
    details = {**runner.get_input_details(), **runner.get_output_details()}
    return {detail["name"]: name for name, detail in details.items()}


def _name_tensors(path: Path, names: Mapping[str, str]) -> None:
    """Rename the tensors that go in and come out, call their first dimension n, and check the whole."""
    model = onnx.load(path)
    graph = model.graph
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(name, name) for name in tensors]
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = names.get(value.name, value.name)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    onnx.checker.check_model(model)
    onnx.save(model, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tf2onnx's account of each step and its notes to programmers out of the log."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
