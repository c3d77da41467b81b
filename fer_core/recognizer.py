"""The front door: find faces in an image and score their expressions.

>>> from fer_core.recognizer import EmotionRecognizer
>>> recognizer = EmotionRecognizer()
>>> result = recognizer.analyze(image_bgr)
>>> result.detections.xyxy, result.prediction.probs
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.detection.haar import HaarDetector
from fer_core.emotions import LABELS
from fer_core.models.bundle import DEFAULT_MODEL, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings, analyze_image
from fer_core.types import FrameResult


class EmotionRecognizer:
    """Finds faces and scores their expressions. One instance serves any number of threads.

    Scores come in the order of `LABELS`, whatever order the network has them in; those of a network
    with other labels than these seven come in its own order.
    """

    def __init__(self, model: str | Path = DEFAULT_MODEL) -> None:
        """Load a model.

        Args:
            model: name of a bundled model, or the path of a folder with `model.tflite` and `card.json`.

        Raises:
            ModelError: there is no such model, or its files are missing, cut short or altered.
        """
        bundle = load_bundle(model)
        self.card: ModelCard = bundle.card
        self._classifier = LiteRTClassifier(bundle.content, bundle.card.labels, temperature=bundle.card.temperature)
        known = sorted(self.card.labels) == sorted(LABELS)
        self._labels = LABELS if known else self.card.labels
        self._columns = [self.card.labels.index(label) for label in LABELS] if known else slice(None)
        self._detector = HaarDetector()

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.card.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the scores, in their order."""
        return self._labels

    def analyze(self, image_bgr: np.ndarray) -> FrameResult:
        """Find and score every face of one image, uint8 (h, w, 3) BGR or (h, w) gray."""
        return analyze_image(image_bgr, self._detector, self)

    def classify(self, faces: np.ndarray) -> np.ndarray:
        """Score cropped faces: uint8 (n, 48, 48) gray to float32 (n, k), rows sum to 1."""
        return self._classifier.classify(faces)[:, self._columns]

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return the features before the scores: uint8 (n, 48, 48) gray to float32 (n, d)."""
        return self._classifier.embed(faces)

    def classify_and_embed(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what `classify` and `embed` return, for the cost of one of them."""
        scores, features = self._classifier.classify_and_embed(faces)
        return scores[:, self._columns], features

    def stream(self, settings: StreamSettings | None = None) -> StreamAnalyzer:
        """Return an analyzer of one video stream, with tracking and smoothing of its own."""
        return StreamAnalyzer(self._detector, self, settings)
