"""Grad-CAM (Selvaraju et al., 2017) of a model as it is shipped: what its last convolution saw, weighed for an emotion.

The map of an emotion is the sum of the last convolution's channels, each weighed by how much the
emotion's score (before softmax) changes with it, averaged over the picture; what speaks against the
emotion is cut off. Where the scores are the mean of several heads on one convolution, the heads'
scores before softmax are averaged with the same shares. LiteRT runs the network and keeps that
convolution's output. All that follows it is some pooling and dense layers, whose derivative is a few
products of matrices: so this needs no TensorFlow and takes as long as classifying.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from fer_core.errors import ModelError
from fer_core.explain.graph import Graph, Operator, cell_places, read_graph
from fer_core.face_size import FACE_SIZE
from fer_core.models.label_sets import SCORES

_MAX_BATCH = 64
_DENSE = ("FULLY_CONNECTED", "RESHAPE")
_POOLING = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN")
# What ends a network whose scores are combined from several; one network ends in a softmax or a dense layer.
_COMBINING = ("ADD", "MUL", "MEAN", "SUM", "ADD_N", "DIV", "BATCH_MATMUL")
_PLAIN = schema.ActivationFunctionType.NONE
_RELU = schema.ActivationFunctionType.RELU


@dataclass(frozen=True, eq=False)
class _Head:
    """What follows the last convolution on the way to one softmax.

    Attributes:
        layer: the tensor that the last convolution's part of the network ends in, (n, h, w, c).
        dense: the operators from the scores back to pooling, or to `layer` where nothing is pooled.
        logits: the scores before softmax, (n, k).
        share: tensor that holds its share of the scores, a number, where they are the mean of several heads' scores.
    """

    layer: int
    dense: tuple[Operator, ...]
    logits: int
    share: int | None = None


class GradCam:
    """Makes the maps of one network. Not safe for several threads at once."""

    def __init__(self, content: bytes, output: str = SCORES) -> None:
        """Load a network.

        Args:
            content: the LiteRT file; its signature takes `faces` and gives `scores` and `features`.
            output: name of the scores to explain; `ModelCard.output_of` tells it for a label set.

        Raises:
            ModelError: the file is not such a network, has no such scores, is the mean of several networks, or does
                not end in a convolution, pooling and dense layers.
        """
        try:
            # The faster kernels keep nothing of what lies between faces and scores.
            self._interpreter = Interpreter(
                model_content=content,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The file is not a LiteRT network: {error}.") from error
        self._graph = read_graph(content)
        if output not in self._graph.outputs:
            raise ModelError(f"Expected a network with the output {output}; it has {', '.join(self._graph.outputs)}.")
        self._heads = _find_heads(self._graph, self._graph.outputs[output])
        self._places = cell_places(self._graph, self._heads[0].layer)

    def explain(self, faces: np.ndarray) -> np.ndarray:
        """Return where the network looks for each emotion.

        Args:
            faces: uint8 (n, 48, 48), gray.

        Returns:
            float32 (n, k, 48, 48), in the order of the network's labels: the share of each place in
            the emotion's score before softmax, 0 or more; 0 where nothing there speaks for it.
            Between the centres of cells it is interpolated, beyond the outermost it stays as they are.
        """
        cells = self.cells(faces)
        start, step = self._places
        down, across = (((np.arange(FACE_SIZE) - start[axis]) / step[axis]).astype(np.float32) for axis in (0, 1))
        x, y = np.meshgrid(across, down)
        maps = np.empty((*cells.shape[:2], FACE_SIZE, FACE_SIZE), np.float32)
        for place in np.ndindex(cells.shape[:2]):
            maps[place] = cv2.remap(cells[place], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return maps

    def cells(self, faces: np.ndarray) -> np.ndarray:
        """Return the maps as coarse as the last convolution sees: float32 (n, k, h, w)."""
        parts = [self._cells(faces[start : start + _MAX_BATCH]) for start in range(0, len(faces), _MAX_BATCH)]
        return np.concatenate(parts)

    def _cells(self, faces: np.ndarray) -> np.ndarray:
        self._interpreter.resize_tensor_input(self._graph.faces, (len(faces), FACE_SIZE, FACE_SIZE, 1))
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._graph.faces, faces.astype(np.float32)[..., None])
        self._interpreter.invoke()
        seen = self._interpreter.get_tensor(self._heads[0].layer)  # (n, h, w, c)
        weights = np.sum([self._share(head) * self._channel_weights(head, seen.shape) for head in self._heads], axis=0)
        return np.maximum(np.einsum("nkc,nhwc->nkhw", weights, seen), 0)

    def _share(self, head: _Head) -> float:
        return 1.0 if head.share is None else float(self._interpreter.get_tensor(head.share))

    def _channel_weights(self, head: _Head, shape: tuple[int, ...]) -> np.ndarray:
        """Return how much each score before softmax changes with each channel: float32 (n, k, c), mean over cells.

        Pooling hands each of its outputs' derivatives on to the cells below, in parts that sum to the
        whole. So the sum over the picture is the same before and after it, and pooling is skipped.
        """
        n, h, w, c = shape
        k = self._interpreter.get_tensor(head.logits).shape[1]
        slope = np.broadcast_to(np.eye(k, dtype=np.float32), (n, k, k))
        for operator in head.dense:
            slope = self._back_through(operator, slope)
        return slope.reshape(n, k, -1, c).sum(axis=2) / (h * w)

    def _back_through(self, operator: Operator, slope: np.ndarray) -> np.ndarray:
        """Return the derivative by an operator's input, (n, k, …), from that by its output."""
        if operator.name == "RESHAPE":
            return slope.reshape(*slope.shape[:2], *self._interpreter.get_tensor(operator.inputs[0]).shape[1:])
        if operator.options.fusedActivationFunction == _RELU:
            slope = slope * (self._interpreter.get_tensor(operator.output) > 0)[:, None]
        return slope @ self._weights(operator.inputs[1])  # (n, k, out) @ (out, in)

    def _weights(self, tensor: int) -> np.ndarray:
        """Return the weights of a dense layer, float32 (out, in), also where they are stored in a byte each."""
        stored = self._interpreter.get_tensor(tensor)
        if stored.dtype != np.int8:
            return stored
        [scales] = [
            detail["quantization_parameters"]["scales"]
            for detail in self._interpreter.get_tensor_details()
            if detail["index"] == tensor
        ]
        return stored * np.reshape(scales, (-1, 1)).astype(np.float32)  # one for all, or one for each output


def _find_heads(graph: Graph, scores: int) -> list[_Head]:
    """Return the head that makes the scores, or the heads on one last convolution whose mean they are."""
    heads = [_find_head(graph, part, share) for part, share in _parts_of_mean(graph, scores)]
    if len({head.layer for head in heads}) > 1:
        raise _is_a_mean()
    return heads


def _parts_of_mean(graph: Graph, scores: int) -> list[tuple[int, int | None]]:
    """Return the scores that were added up and the tensor of each one's share; the scores themselves if none were."""
    last = graph.made_by[scores]
    if last.name == "ADD":
        return [part for addend in last.inputs for part in _parts_of_mean(graph, addend)]
    if last.name == "MUL":
        first, second = last.inputs
        kept, share = (first, second) if graph.shapes[second] == () else (second, first)
        made_by = graph.made_by.get(kept)
        if graph.shapes[share] == () and made_by and made_by.name == "SOFTMAX":
            return [(kept, share)]
    if last.name in _COMBINING:
        raise _is_a_mean()
    return [(scores, None)]


def _find_head(graph: Graph, scores: int, share: int | None) -> _Head:
    last = graph.made_by[scores]
    logits = last.inputs[0] if last.name == "SOFTMAX" else scores
    dense, pooled = _walk_back(graph, logits, _DENSE)
    _, layer = _walk_back(graph, pooled, _POOLING)
    if not graph.is_picture(layer):
        maker = graph.made_by.get(layer)
        raise (
            _is_a_mean()
            if maker and maker.name in _COMBINING
            else _not_such_a_network(maker.name if maker else "no operator at all")
        )
    return _Head(layer, dense, logits, share)


def _walk_back(graph: Graph, tensor: int, names: tuple[str, ...]) -> tuple[tuple[Operator, ...], int]:
    """Return the operators of these names that led to a tensor, last first, and what the first of them took."""
    steps = []
    while (operator := graph.made_by.get(tensor)) and operator.name in names:
        known = (_PLAIN, _RELU) if operator.name == "FULLY_CONNECTED" else (_PLAIN,)
        if getattr(operator.options, "fusedActivationFunction", _PLAIN) not in known:
            raise _not_such_a_network(f"{operator.name} with an activation other than ReLU")
        if operator.name == "MEAN" and graph.shapes[operator.inputs[0]][-1] != graph.shapes[operator.output][-1]:
            raise _not_such_a_network("a MEAN over channels")
        steps.append(operator)
        tensor = operator.inputs[0]
    return tuple(steps), tensor


def _is_a_mean() -> ModelError:
    return ModelError(
        "Grad-CAM explains one network by its last convolution; this model is the mean of several networks or "
        "views and has no single one. Use occlusion, which works for any model."
    )


def _not_such_a_network(operator: str) -> ModelError:
    return ModelError(
        "Grad-CAM needs a network that ends in a convolution, pooling and dense layers (ReLU or none, "
        f"then softmax). Between this one's last convolution and its scores stands {operator}, which "
        "is not known here."
    )
