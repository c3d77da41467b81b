"""The front door: find faces in an image and score their expressions.

>>> from fer_core.recognizer import EmotionRecognizer
>>> recognizer = EmotionRecognizer()
>>> result = recognizer.analyze(image_bgr)
>>> result.detections.xyxy, result.prediction.probs
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np

from fer_core.detection.detector import Detector
from fer_core.detection.haar import HaarDetector
from fer_core.emotions import LABELS
from fer_core.models.bundle import DEFAULT_MODEL, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.label_sets import require_label_set
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings, analyze_image
from fer_core.types import FrameResult


class EmotionRecognizer:
    """Finds faces and scores their expressions. One instance serves any number of threads.

    Scores come in the order of `LABELS`, whatever order the network has them in; those of a network
    with other labels than these seven come in its own order.

    Attributes:
        card: of the model.
        detector: finds the faces.
        label_set: what faces are scored for unless a call says otherwise.
    """

    def __init__(
        self, model: str | Path = DEFAULT_MODEL, label_set: str | None = None, detector: Detector | None = None
    ) -> None:
        """Load a model.

        Args:
            model: name of a bundled model, or the path of a folder with `model.tflite` and `card.json`.
            label_set: what faces are scored for, one of the model's `label_sets`; its default if None.
            detector: finds the faces; OpenCV's Haar cascades if None.

        Raises:
            ModelError: there is no such model, its files are missing, cut short or altered, or it does not answer
                for this label set.
        """
        bundle = load_bundle(model)
        self.card: ModelCard = bundle.card
        self.label_set = require_label_set(label_set, self.card.label_sets, self.card.name)
        self._classifier = LiteRTClassifier.from_bundle(bundle)
        known = sorted(self.card.labels) == sorted(LABELS)
        self._labels = LABELS if known else self.card.labels
        self._columns = [self.card.labels.index(label) for label in LABELS] if known else slice(None)
        self.detector: Detector = detector or HaarDetector()

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.card.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the scores, in their order."""
        return self._labels

    @property
    def label_sets(self) -> tuple[str, ...]:
        """What the model can score faces for, the default first."""
        return self.card.label_sets

    @property
    def uncertain_below(self) -> float | None:
        """Best score below which a face is called uncertain for this label set, 0 to 1; None if not known."""
        return self.card.calibration_of(self.label_set).uncertain_below

    def with_label_set(self, label_set: str | None) -> EmotionRecognizer:
        """Return a recognizer for another label set that shares this one's network and detector.

        Args:
            label_set: one of `label_sets`; the model's default if None.

        Raises:
            ModelError: the model does not answer for this label set.
        """
        other = copy.copy(self)
        other.label_set = require_label_set(label_set, self.label_sets, self.name)
        return other

    def analyze(self, image_bgr: np.ndarray) -> FrameResult:
        """Find and score every face of one image, uint8 (h, w, 3) BGR or (h, w) gray."""
        return analyze_image(image_bgr, self.detector, self)

    def classify(self, faces: np.ndarray, label_set: str | None = None) -> np.ndarray:
        """Score cropped faces for a label set: uint8 (n, 48, 48) gray to float32 (n, k), rows sum to 1."""
        return self._classifier.classify(faces, label_set or self.label_set)[:, self._columns]

    def classify_all(self, faces: np.ndarray) -> dict[str, np.ndarray]:
        """Return what `classify` returns for every label set, by its name, for the cost of one."""
        return {name: scores[:, self._columns] for name, scores in self._classifier.classify_all(faces).items()}

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return the features before the scores: uint8 (n, 48, 48) gray to float32 (n, d)."""
        return self._classifier.embed(faces)

    def classify_and_embed(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what `classify` and `embed` return, for the cost of one of them."""
        scores, features = self._classifier.classify_and_embed(faces, self.label_set)
        return scores[:, self._columns], features

    def stream(self, settings: StreamSettings | None = None, thorough: bool = False) -> StreamAnalyzer:
        """Return an analyzer of one video stream, with tracking and smoothing of its own.

        Args:
            settings: what may be changed while it runs.
            thorough: whether whole frames are always searched as thoroughly as possible, as for files.
        """
        return StreamAnalyzer(self.detector, self, settings, thorough)
