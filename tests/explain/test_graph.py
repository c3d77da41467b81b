"""Where the cells of a network's pictures lie on the face, against what the network really reacts to."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from fer_core.errors import ModelError
from fer_core.explain.graph import Graph, Operator, cell_places, read_graph
from fer_core.models.bundle import load_bundle
from fer_core.models.model_store import folder_of


def window(stride: int, same: bool, kernel: int = 0) -> object:
    """The options of a convolution or, with a kernel, of a pooling."""
    options = schema.Pool2DOptionsT() if kernel else schema.Conv2DOptionsT()
    options.strideH = options.strideW = stride
    options.padding = schema.Padding.SAME if same else schema.Padding.VALID
    if kernel:
        options.filterHeight = options.filterWidth = kernel
    else:
        options.dilationHFactor = options.dilationWFactor = 1
    return options


def picture(size: int) -> tuple[int, ...]:
    return 1, size, size, 3


def graph_of(shapes, *operators) -> Graph:
    """A network of these operators, whose faces are tensor 0."""
    return Graph(tuple(shapes), {operator.output: operator for operator in operators}, 0, {"scores": len(shapes) - 1})


def place(graph: Graph, tensor: int) -> tuple[float, float]:
    start, step = cell_places(graph, tensor)
    assert start[0] == start[1] and step[0] == step[1]
    return start[0], step[0]


@pytest.mark.parametrize(
    ("stride", "same", "size_out", "expected"),
    [
        (1, False, 46, (1, 1)),
        (1, True, 48, (0, 1)),
        (2, True, 24, (1, 2)),
        (2, False, 23, (1, 2)),
    ],
)
def test_a_convolution_of_three_pixels(stride, same, size_out, expected):
    step = Operator("CONV_2D", (0, 1, -1), 2, window(stride, same))
    assert place(graph_of([picture(48), (3, 3, 3, 3), picture(size_out)], step), 2) == expected


def test_pooling_after_pooling():
    first = Operator("MAX_POOL_2D", (0,), 1, window(2, False, kernel=2))
    second = Operator("AVERAGE_POOL_2D", (1,), 2, window(2, False, kernel=2))
    assert place(graph_of([picture(48), picture(24), picture(12)], first, second), 2) == (1.5, 4)


def test_branches_that_meet_lie_at_their_mean():
    main = Operator("CONV_2D", (0, 1, -1), 3, window(2, True))
    shortcut = Operator("CONV_2D", (0, 2, -1), 4, window(2, True))
    shapes = [picture(48), (3, 3, 3, 3), (3, 1, 1, 3), picture(24), picture(24), picture(24)]
    assert place(graph_of(shapes, main, shortcut, Operator("ADD", (3, 4), 5, None)), 5) == (0.5, 2)


def test_a_deep_residual_network_is_placed_as_quickly_as_a_shallow_one():
    # Tensor 0 is the face; block n adds what a convolution makes of the tensor before it to that tensor.
    steps, weights, before = [], 1, 0
    for convolved in range(2, 82, 2):
        steps += [
            Operator("CONV_2D", (before, weights, -1), convolved, window(1, True)),
            Operator("ADD", (convolved, before), convolved + 1, None),
        ]
        before = convolved + 1
    shapes = [picture(48), (3, 3, 3, 3), *[picture(48)] * 80]
    assert place(graph_of(shapes, *steps), before) == (0, 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RESIZE_BILINEAR", schema.ResizeBilinearOptionsT()),
        ("RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT()),
    ],
)
def test_a_resized_face(name, options):
    options.halfPixelCenters = True
    graph = graph_of([picture(48), (2,), picture(64)], Operator(name, (0, 1), 2, options))
    assert place(graph, 2) == pytest.approx((-0.125, 0.75))


def test_what_scales_in_an_unknown_way_is_named():
    with pytest.raises(ModelError, match="SPACE_TO_DEPTH"):
        cell_places(graph_of([picture(48), picture(24)], Operator("SPACE_TO_DEPTH", (0,), 1, None)), 1)


def test_the_original_network_is_read_whole():
    graph = read_graph(load_bundle(folder_of("seed-cnn")).content)
    assert graph.shapes[graph.faces] == (1, 48, 48, 1)
    assert graph.shapes[graph.outputs["scores"]] == (1, 7)
    last = max(output for output, step in graph.made_by.items() if step.name == "CONV_2D")
    # Measured too: a pixel's influence on the cells of a row is centred at 9.6, 13.7, 17.6, …
    assert place(graph, last) == (9.5, 4)
    assert np.prod(graph.shapes[last]) == 8 * 8 * 128
