"""The front door: find faces in an image and score their expressions.

>>> from fer_core.recognizer import EmotionRecognizer
>>> recognizer = EmotionRecognizer()
>>> result = recognizer.analyze("photo.jpg")
>>> result.to_pandas()
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from PIL.Image import Image

from fer_core.detection.detector import Detector
from fer_core.detection.haar import HaarDetector
from fer_core.emotions import LABELS
from fer_core.imaging.images import load_image
from fer_core.imaging.overlap import read_ahead
from fer_core.models.bundle import DEFAULT_MODEL, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.label_sets import require_label_set
from fer_core.models.model_store import find_model
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings, analyze_image
from fer_core.recognition.segments import SEGMENT_S, Segments, follow_segments
from fer_core.types import FrameResult

if TYPE_CHECKING:
    from fer_core.imaging.video import Video, VideoFrame

ImageSource = np.ndarray | str | os.PathLike[str] | bytes | Image

_DECODED_AHEAD = 4


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
        self,
        model: str | Path = DEFAULT_MODEL,
        label_set: str | None = None,
        detector: Detector | None = None,
        threads: int | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: name of a model that comes with the package or was added to it, or the path of a folder with
                `model.tflite` and `card.json`.
            label_set: what faces are scored for, one of the model's `label_sets`; its default if None.
            detector: finds the faces; OpenCV's Haar cascades if None.
            threads: processor threads that score one batch of faces, at most two if None. One answers later and costs
                less altogether, which suits a server of many streams.

        Raises:
            ModelError: there is no such model, its files are missing, cut short or altered, or it does not answer
                for this label set.
        """
        bundle = load_bundle(find_model(model) if isinstance(model, str) else model)
        self.card: ModelCard = bundle.card
        self.label_set = require_label_set(label_set, self.card.label_sets, self.card.name)
        self._classifier = LiteRTClassifier.from_bundle(bundle, threads=threads)
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

    def with_detector(self, detector: Detector) -> EmotionRecognizer:
        """Return a recognizer with another detector that shares this one's network."""
        other = copy.copy(self)
        other.detector = detector
        return other

    @overload
    def analyze(self, source: ImageSource) -> FrameResult: ...

    @overload
    def analyze(self, source: list[ImageSource]) -> list[FrameResult]: ...

    def analyze(self, source: ImageSource | list[ImageSource]) -> FrameResult | list[FrameResult]:
        """Find and score every face of a picture, or of several.

        Args:
            source: a picture as the path of a file, the content of one, a PIL image, or uint8 (h, w, 3) BGR or (h, w)
                gray; or a list of pictures.

        Returns:
            The faces of the picture; for a list, one result each, in its order.

        Raises:
            MediaError: a picture cannot be read.
        """
        if isinstance(source, list):
            return [self.analyze(picture) for picture in source]
        return analyze_image(load_image(source), self.detector, self)

    def analyze_video(
        self,
        path: str | Path,
        every_s: float = 0.0,
        settings: StreamSettings | None = None,
        start_s: float = 0.0,
        end_s: float = math.inf,
    ) -> Iterator[FrameResult]:
        """Find, follow and score the faces of a video, frame by frame.

        Args:
            path: a file in any format that FFmpeg reads.
            every_s: seconds from one analysed frame to the next; 0 analyses all.
            settings: of the stream; by default scores are not smoothed.
            start_s: time of the first frame to analyse, seconds since the video's first.
            end_s: time at which to stop, seconds since the video's first.

        Yields:
            Each analysed frame's faces; `index` and `time_s` are those of the frame in the video.

        Raises:
            MediaError: the file cannot be read, or not to its end.
        """
        from fer_core.imaging.video import open_video  # PyAV takes a while to load

        with open_video(Path(path)) as video, closing(self.follow(video, every_s, settings, start_s, end_s)) as frames:
            for _, result in frames:
                yield result

    def follow(
        self,
        video: Video,
        every_s: float = 0.0,
        settings: StreamSettings | None = None,
        start_s: float = 0.0,
        end_s: float = math.inf,
        segment_s: float = SEGMENT_S,
    ) -> Generator[tuple[VideoFrame, FrameResult], None, None]:
        """Give the frames of an open video with what `analyze_video` gives for each.

        The next frames are decoded meanwhile, in a thread that has ended once the generator is closed.
        """
        settings = settings or StreamSettings(smoothing_s=0.0)
        segments = Segments(start_s, every_s, segment_s)
        with closing(read_ahead(video.frames(every_s, start_s, end_s), _DECODED_AHEAD)) as frames:
            yield from follow_segments(frames, segments, partial(self.stream, settings, thorough=True), settings)

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
            thorough: whether whole frames are searched as for files, see `StreamAnalyzer`.
        """
        return StreamAnalyzer(self.detector, self, settings, thorough)
