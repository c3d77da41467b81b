"""Read the graph of a LiteRT file: which operator makes which tensor, and where its cells lie on the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from fer_core.errors import ModelError

_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


@dataclass(frozen=True, eq=False)
class Operator:
    """One step of a network.

    Attributes:
        name: as the format calls it: "CONV_2D".
        inputs: indices of the tensors it takes; -1 for one that is left out.
        output: index of the tensor it makes.
        options: its settings as the format holds them, or None.
    """

    name: str
    inputs: tuple[int, ...]
    output: int
    options: Any


@dataclass(frozen=True, eq=False)
class Graph:
    """A network.

    Attributes:
        shapes: shape of every tensor, for one face.
        made_by: the operator that makes a tensor, by its index; constants are made by none.
        faces: index of the tensor that holds the faces, float32 (n, 48, 48, 1).
        outputs: index of the tensor of each output by its name: `scores` and those of other label sets, float32
            (n, k); `features`, float32 (n, d).
    """

    shapes: tuple[tuple[int, ...], ...]
    made_by: Mapping[int, Operator]
    faces: int
    outputs: Mapping[str, int]

    def is_picture(self, tensor: int) -> bool:
        """Return whether a tensor, (n, h, w, c), has more than one cell for a face."""
        shape = self.shapes[tensor]
        return len(shape) == 4 and shape[1] * shape[2] > 1


def read_graph(content: bytes) -> Graph:
    """Read a LiteRT file that its classifier could load, with the signature `serve`: faces → scores…, features."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    [serve] = [signature for signature in model.signatureDefs if signature.signatureKey == b"serve"]
    part = model.subgraphs[serve.subgraphIndex]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    operators = [
        Operator(_NAMES[codes[step.opcodeIndex]], tuple(int(i) for i in step.inputs), int(output), step.builtinOptions)
        for step in part.operators
        for output in step.outputs
    ]
    shapes = tuple(() if tensor.shape is None else tuple(int(size) for size in tensor.shape) for tensor in part.tensors)
    outputs = {end.name.decode(): end.tensorIndex for end in serve.outputs}
    [faces] = [end.tensorIndex for end in serve.inputs]
    return Graph(shapes, {step.output: step for step in operators}, faces, outputs)


def cell_places(graph: Graph, tensor: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the cells of a picture within the network lie on the face.

    A convolution without padding sees nothing beyond the rim, so its cells do not spread over the
    whole face: stretched to the face's size, a map would point beside what it means.

    Returns:
        Centre of the first cell and distance from cell to cell, each float (2,) as (down, across),
        in pixels of the face, whose first pixel's centre is 0.

    Raises:
        ModelError: an operator on the way changes the size of the picture in a way not known here.
    """

    @cache  # each block of a residual network is reached twice from the next, so a chain of them 2ⁿ times
    def places_of(tensor: int) -> tuple[np.ndarray, np.ndarray]:
        if tensor == graph.faces:
            return np.zeros(2), np.ones(2)
        operator = graph.made_by[tensor]
        places = []
        for source in _pictures(graph, operator):
            start, step = places_of(source)
            first, distance = _window(graph, operator, source)
            places.append((start + step * first, step * distance))
        # Branches that meet were shrunk by different kernels, which lie a pixel or so apart: the mean of both.
        return tuple(np.mean(places, axis=0))

    return places_of(tensor)


def _pictures(graph: Graph, operator: Operator) -> list[int]:
    """Return the pictures that an operator takes, without its weights."""

    def computed(tensor: int) -> bool:
        return tensor == graph.faces or (tensor in graph.made_by and graph.made_by[tensor].name != "DEQUANTIZE")

    pictures = [tensor for tensor in operator.inputs if computed(tensor) and graph.is_picture(tensor)]
    if not pictures:
        raise _unknown(operator)
    return pictures


def _window(graph: Graph, operator: Operator, source: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the first cell of an operator's output lies in its source and how far it is to the next."""
    options = operator.options
    size_in, size_out = (np.array(graph.shapes[tensor][1:3]) for tensor in (source, operator.output))
    if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        kernel = np.array(graph.shapes[operator.inputs[1]][1:3]) - 1
        return _slide(options, kernel * (options.dilationHFactor, options.dilationWFactor) + 1, size_in, size_out)
    if operator.name in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return _slide(options, np.array([options.filterHeight, options.filterWidth]), size_in, size_out)
    if operator.name in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR") and options.halfPixelCenters:
        return size_in / size_out / 2 - 0.5, size_in / size_out
    if (size_in == size_out).all():
        return np.zeros(2), np.ones(2)
    raise _unknown(operator)


def _slide(
    options: Any, kernel: np.ndarray, size_in: np.ndarray, size_out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    stride = np.array([options.strideH, options.strideW])
    before = np.zeros(2, int)
    if options.padding == schema.Padding.SAME:
        before = np.maximum((size_out - 1) * stride + kernel - size_in, 0) // 2
    return (kernel - 1) / 2 - before, stride.astype(float)


def _unknown(operator: Operator) -> ModelError:
    return ModelError(
        f"The map of this network cannot be placed on the face: its operator {operator.name} moves or scales pictures "
        "in a way that is not known here."
    )
