"""Train the small network that proposes where a picture may have faces, `fer_core/detection/face_places.onnx`.

    python scripts/train_face_places.py FER2013.csv face_places.onnx [--scenes 10000] [--epochs 5] [--seed 0]

FER-2013's training faces are pasted, turned a little, at any size, into the photos without faces that come with
scikit-image and scikit-learn. The network learns to tell squares that hold a face, within half its stride of the
middle and a step of its size, from all others; then once more, with those it mistook. Needs requirements-dev.txt.

The file in the package was trained in the same way in two rounds, blurred faces added in a third, short one; this
script does all of it in one go, so its file will differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
from onnx import helper, numpy_helper
from skimage import data
from sklearn.datasets import load_sample_image

sys.path.insert(0, str(Path(__file__).parents[1]))
from fer_core.data.csv_reader import read_csv
from fer_core.detection.proposals import SQUARE_PX, STEP, STRIDE_PX, normalized

WIDTH, HEIGHT = 448, 336
FACE_PX, FACE_RANGE = 24.0, (0.74, 1.36)  # side of a face in a square, and how much it may differ
OTHER = 0.15  # overlap up to which a square counts as no face
FILTERS = (10, 20, 40, 32)
KERNELS, STRIDES = (5, 3, 3, 2), (2, 2, 2, 1)
MISTAKEN = -1.0  # score from which a square without a face is learnt from once more
PHOTOS = [
    "brick",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "horse",
    "hubble_deep_field",
    "ihc",
    "moon",
    "motorcycle_left",
    "motorcycle_right",
    "page",
    "retina",
    "rocket",
    "text",
    "clock_motion",
]


@dataclass(frozen=True, eq=False)
class Squares:
    """What is learnt from: normalized squares with a face and without one, float16 (n, 25, 25) each."""

    faces: np.ndarray
    others: np.ndarray


class Scenes:
    """Draws pictures with faces whose places are known."""

    def __init__(self, faces: np.ndarray, seed: int) -> None:
        self._faces, self._rng = faces, np.random.default_rng(seed)
        folder = Path(data.__file__).parent
        self._photos = [cv2.imread(str(next(folder.glob(f"{name}.*"))), cv2.IMREAD_GRAYSCALE) for name in PHOTOS]
        samples = [cv2.cvtColor(load_sample_image(name), cv2.COLOR_RGB2GRAY) for name in ("china.jpg", "flower.jpg")]
        self._photos += 4 * samples

    def draw(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a scene uint8 (h, w) with up to `count` faces, and their boxes float32 (n, 4)."""
        scene, boxes = self._background(), np.empty((0, 4), np.float32)
        if self._rng.random() < 0.35:
            scene = cv2.GaussianBlur(scene, (0, 0), float(self._rng.uniform(0.5, 5.0)))
        for _ in range(count):
            side = int(np.exp(self._rng.uniform(np.log(19), np.log(150))))
            left, top = (int(self._rng.integers(-side // 10, end - side + side // 10)) for end in (WIDTH, HEIGHT))
            box = np.array([left, top, left + side, top + side], np.float32)
            if not overlaps(box, boxes).any():
                self._paste(scene, box)
                boxes = np.vstack([boxes, box])
        noise = self._rng.normal(0, self._rng.uniform(0, 5), scene.shape)
        return np.clip(scene + noise, 0, 255).astype(np.uint8), boxes

    def _background(self) -> np.ndarray:
        rng, size_wh = self._rng, (WIDTH, HEIGHT)
        if rng.random() < 0.2:
            count = int(rng.integers(3, 24))
            clouds = rng.uniform(20, 230, (count, count + 2)).astype(np.float32)
            return np.clip(cv2.resize(clouds, size_wh, interpolation=cv2.INTER_CUBIC), 0, 255)
        photo = self._photos[rng.integers(len(self._photos))]
        smallest = max(WIDTH / photo.shape[1], HEIGHT / photo.shape[0])
        scale = float(np.exp(rng.uniform(np.log(max(smallest, 0.25)), np.log(1.3 * max(smallest, 1.2)))))
        if scale < 1:
            photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        enlarged, (height, width) = max(scale, 1.0), photo.shape
        turn_deg = float(rng.uniform(-180, 180) if rng.random() < 0.3 else rng.uniform(-8, 8))
        place = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, enlarged)
        room = np.maximum(0, enlarged * np.array([width, height]) - size_wh)
        place[:, 2] += (np.array(size_wh) - (width, height)) / 2 + rng.uniform(-0.5, 0.5, 2) * room
        drawn = cv2.warpAffine(photo, place, size_wh, borderMode=cv2.BORDER_REFLECT)
        return 255 * (drawn.astype(np.float32) / 255) ** float(rng.uniform(0.6, 1.6))

    def _paste(self, scene: np.ndarray, box: np.ndarray) -> None:
        rng, side = self._rng, float(box[2] - box[0])
        face = self._faces[rng.integers(len(self._faces))].astype(np.float32)
        mean, scale = face.mean(), side / 48
        face = (face - mean) * float(rng.uniform(0.4, 1.15)) + mean * float(rng.uniform(0.6, 1.3))
        blur = 0.45 * max(0.0, 1 / scale - 1) + (float(rng.uniform(0.2, 3.2)) if rng.random() < 0.6 else 0.0)
        if blur > 0.05:
            face = cv2.GaussianBlur(face, (0, 0), blur)
        place = cv2.getRotationMatrix2D((23.5, 23.5), float(rng.normal(0, 10)), scale)
        place[:, 2] += (box[:2] + box[2:]) / 2 - 23.5
        shape = np.ones((48, 48), np.float32)
        if rng.random() < 0.4:  # round, without an edge
            y, x = np.mgrid[:48, :48]
            shape = np.clip(8 * (1.12 - np.hypot((x - 23.5) / 24, (y - 23.5) / 26)), 0, 1).astype(np.float32)
        drawn = cv2.warpAffine(face, place, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(shape, place, (WIDTH, HEIGHT))
        scene[:] = scene * (1 - mask) + drawn * mask


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of a box (4,) with others (n, 4)."""
    shared = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None).prod(axis=1)
    return shared / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - shared)


def levels(scene: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Yield how much a scene is reduced, and the copy, normalized."""
    scale = 1.0
    while min(size_wh := (round(WIDTH / scale), round(HEIGHT / scale))) >= SQUARE_PX:
        small = cv2.resize(scene, size_wh, interpolation=cv2.INTER_AREA)
        yield scale, normalized(small, 0, len(small))
        scale *= STEP


def cut(level: np.ndarray, corners: np.ndarray) -> list[np.ndarray]:
    """Return the squares at corners int (n, 2) that lie within a level."""
    height, width = level.shape
    inside = [(x, y) for x, y in corners.tolist() if 0 <= x <= width - SQUARE_PX and 0 <= y <= height - SQUARE_PX]
    return [level[y : y + SQUARE_PX, x : x + SQUARE_PX].astype(np.float16) for x, y in inside]


def without_face(corners: np.ndarray, scale: float, boxes: np.ndarray) -> np.ndarray:
    """Return the corners int (n, 2) of those squares of a level that hold no face."""
    squares = scale * np.concatenate([corners, corners + SQUARE_PX], axis=1)
    return corners[[not (overlaps(square, boxes) > OTHER).any() for square in squares]]


def collect(scenes: Scenes, count: int, rng: np.random.Generator) -> Squares:
    """Return squares of scenes: around their faces, of parts of them, and from anywhere."""
    faces: list[np.ndarray] = []
    others: list[np.ndarray] = []
    for _ in range(count):
        scene, boxes = scenes.draw(int(rng.integers(2, 9)))
        for scale, level in levels(scene):
            middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2 / scale, (boxes[:, 2] - boxes[:, 0]) / scale
            fits = (sides >= FACE_RANGE[0] * FACE_PX) & (sides <= FACE_RANGE[1] * FACE_PX)
            near = np.repeat(middles[fits], 2, axis=0)
            near = near + rng.uniform(-STRIDE_PX / 2 - 0.5, STRIDE_PX / 2 + 0.5, near.shape)
            faces += cut(level, np.round(near - SQUARE_PX / 2).astype(int))
            parts = middles[:3] + rng.uniform(-1, 1, middles[:3].shape) * sides[:3, None] - SQUARE_PX / 2
            ends = np.array(level.shape[::-1]) - SQUARE_PX + 1
            anywhere = rng.integers(0, ends, (max(2, int(10 / scale)), 2))
            corners = np.concatenate([np.round(parts).astype(int), anywhere])
            others += cut(level, without_face(corners, scale, boxes))
    return Squares(np.array(faces), np.array(others))


def mistaken(scenes: Scenes, count: int, network: Path, rng: np.random.Generator) -> np.ndarray:
    """Return squares without a face that a network takes for one, float16 (n, 25, 25)."""
    net, found = cv2.dnn.readNetFromONNX(str(network)), []
    for _ in range(count):
        scene, boxes = scenes.draw(int(rng.integers(0, 2)) * int(rng.integers(2, 9)))
        for scale, level in levels(scene):
            net.setInput(level[None, None])
            rows, columns = np.nonzero(net.forward()[0, 0] > MISTAKEN)
            corners = STRIDE_PX * np.stack([columns, rows], axis=1)
            found += cut(level, without_face(corners, scale, boxes))
    return np.array(found)


def build() -> keras.Model:
    """Return the network: float32 (n, h, w, 1) to a logit for each square, (n, m, k, 1)."""
    layers = keras.layers
    image = x = layers.Input((None, None, 1))
    for filters, kernel, stride in zip(FILTERS, KERNELS, STRIDES, strict=True):
        x = layers.Conv2D(filters, kernel, strides=stride, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))
    return keras.Model(image, layers.Conv2D(1, 1)(x))


def fit(squares: Squares, epochs: int, batch: int = 384) -> keras.Model:
    """Return a network that learnt from squares."""
    model, faces, others = build(), squares.faces, squares.others
    x = np.concatenate([faces, others])[..., None].astype(np.float32)
    x[::2] = x[::2, :, ::-1]
    y = np.repeat([1.0, 0.0], [len(faces), len(others)]).astype(np.float32)[:, None, None, None]
    weight = np.repeat([0.7 * len(others) / len(faces), 1.0], [len(faces), len(others)])
    schedule = keras.optimizers.schedules.CosineDecay(4e-3, epochs * len(x) // batch)
    model.compile(keras.optimizers.Adam(schedule), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(x, y, sample_weight=weight, epochs=epochs, batch_size=batch, verbose=2)
    return model


def write(model: keras.Model, path: Path) -> None:
    """Write a network as ONNX, its normalization folded into the kernels."""
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    nodes, weights, name = [], [], "image"
    for i, layer in enumerate(convolutions):
        kernel, bias = layer.get_weights() if layer.use_bias else (layer.get_weights()[0], None)
        if bias is None:
            gamma, beta, mean, variance = norms[i].get_weights()
            factor = gamma / np.sqrt(variance + norms[i].epsilon)
            kernel, bias = kernel * factor, beta - mean * factor
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        weights += [numpy_helper.from_array(kernel, f"kernel{i}"), numpy_helper.from_array(bias, f"bias{i}")]
        inputs, output = [name, f"kernel{i}", f"bias{i}"], "scores" if layer.use_bias else f"sums{i}"
        nodes.append(helper.make_node("Conv", inputs, [output], kernel_shape=kernel.shape[2:], strides=layer.strides))
        if not layer.use_bias:
            name = f"features{i}"
            nodes.append(helper.make_node("Relu", [output], [name]))
    ends = [
        [helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, [1, 1, f"{end}_h", f"{end}_w"])]
        for end in ("image", "scores")
    ]
    graph = helper.make_graph(nodes, "face places", *ends, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path, help="fer2013.csv, plain or compressed")
    parser.add_argument("out", type=Path, help="the network's file")
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    rng, faces = np.random.default_rng(options.seed), read_csv(options.fer2013)
    scenes = Scenes(np.array(faces.images[faces.rows_of("Training")]), options.seed)
    squares = collect(scenes, options.scenes, rng)
    write(fit(squares, options.epochs), options.out)
    again = mistaken(scenes, options.scenes // 5, options.out, rng)
    squares = Squares(squares.faces, np.concatenate([squares.others[::3], again.reshape(-1, SQUARE_PX, SQUARE_PX)]))
    write(fit(squares, options.epochs), options.out)


if __name__ == "__main__":
    main()
