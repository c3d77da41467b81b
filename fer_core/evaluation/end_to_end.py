"""What the way through detection costs: faces pasted into scenes, found, cropped and classified.

Test faces come cropped, live ones do not. Here each test face is put into a scene of its own, as
large as a face before a webcam, and goes through the same line as a photo: whatever the detector
misses or crops differently shows as faces lost and points of accuracy lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fer_core.detection.boxes import box_iou
from fer_core.emotions import LABELS
from fer_core.recognizer import EmotionRecognizer

SCENE_WH = (640, 480)
_FACE_PX = (120, 220)
# A detection belongs to the pasted face if they overlap at least this much (intersection over union).
_MIN_IOU = 0.4


@dataclass(frozen=True)
class EndToEndResult:
    """What came of pasted faces.

    Attributes:
        faces: faces pasted, one a scene.
        found: share of them that the detector found.
        extra: detections that are no pasted face, per scene.
        accuracy_cropped: of the found faces, classified as the data set crops them.
        accuracy_found: of the same faces, classified as the detector crops them.
    """

    faces: int
    found: float
    extra: float
    accuracy_cropped: float
    accuracy_found: float

    @property
    def accuracy_drop(self) -> float:
        """Accuracy lost between the data set's crop and the detector's, in percentage points."""
        return 100 * (self.accuracy_cropped - self.accuracy_found)


def measure_end_to_end(
    recognizer: EmotionRecognizer,
    images: np.ndarray,
    labels: np.ndarray,
    seed: int = 0,
    class_names: tuple[str, ...] = LABELS,
) -> EndToEndResult:
    """Paste each face into a scene, analyze the scene and compare.

    Args:
        recognizer: the model and its detector.
        images: uint8 (n, 48, 48).
        labels: int (n,), index into `class_names`.
        seed: of the scenes.
        class_names: of the data set; the model's own in any order.
    """
    rng = np.random.default_rng(seed)
    predicted = np.full(len(images), -1)
    extra = 0
    for i, image in enumerate(images):
        scene, box = _scene(image, rng)
        result = recognizer.analyze(scene)
        overlaps = [box_iou(box, found) for found in result.detections.xyxy]
        best = int(np.argmax(overlaps)) if overlaps else -1
        hit = best >= 0 and overlaps[best] >= _MIN_IOU
        extra += len(overlaps) - int(hit)
        if hit:
            predicted[i] = class_names.index(result.prediction.top[best])
    found = predicted >= 0
    if not found.any():
        return EndToEndResult(len(images), 0.0, extra / len(images), float("nan"), float("nan"))
    order = np.array([class_names.index(label) for label in recognizer.labels])
    cropped = order[recognizer.classify(images[found]).argmax(axis=1)]
    return EndToEndResult(
        faces=len(images),
        found=float(found.mean()),
        extra=extra / len(images),
        accuracy_cropped=float(np.mean(cropped == labels[found])),
        accuracy_found=float(np.mean(predicted[found] == labels[found])),
    )


def _scene(face: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a scene uint8 (480, 640, 3) with `face` in it, and its box (4,) in pixels."""
    width, height = SCENE_WH
    # Soft clouds of gray: structure for the detector to reject, nothing like a face.
    clouds = cv2.resize(rng.uniform(60, 200, (6, 8)).astype(np.float32), SCENE_WH, interpolation=cv2.INTER_CUBIC)
    side = int(rng.integers(*_FACE_PX))
    left, top = int(rng.integers(20, width - side - 20)), int(rng.integers(20, height - side - 20))
    clouds[top : top + side, left : left + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    gray = np.clip(clouds, 0, 255).astype(np.uint8)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), np.array([left, top, left + side, top + side], np.float32)
