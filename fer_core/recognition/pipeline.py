"""The one straight line from a picture to its faces' expressions: detect, track, crop, classify, smooth.

The live page, photos, videos and the Python API all go through here. The detector, the classifier and
the clock come in as arguments, so this runs and is tested without a camera and without a network.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol

import numpy as np

from fer_core.detection.boxes import join
from fer_core.detection.detector import Detector
from fer_core.recognition.camera_motion import camera_shift
from fer_core.recognition.crop import crop_faces, to_gray
from fer_core.recognition.new_faces import NewFaces
from fer_core.recognition.quality import measure_quality
from fer_core.recognition.score_stage import ScoreStage
from fer_core.recognition.stream_settings import StreamSettings
from fer_core.recognition.tracker import FOLLOW_S, Track, Tracker
from fer_core.types import Detections, FrameResult, Prediction

_FOLLOW_THOROUGHLY_S = 0.09  # so long after the detector saw it a thorough stream follows a face by its picture alone
_KEEP_SIZE = 0.9  # a known face may be this much smaller than a new one, or faces at the limit would blink
_FAR_APART_S = 0.1  # between frames; so far apart a camera that turns moves faces by much of their width
FORGET_S = 2.0  # after such a gap, or when time runs backwards, the stream begins anew


class Classifier(Protocol):
    """What scores expressions."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the scores, in their order."""
        ...

    def classify(self, faces: np.ndarray, label_set: str | None = None) -> np.ndarray:
        """Return float32 (n, k), rows summing to 1, for faces uint8 (n, 48, 48) and a label set, its own if None."""
        ...

    def classify_all(self, faces: np.ndarray) -> dict[str, np.ndarray]:
        """Return what `classify` returns for every label set, by its name, for the cost of one."""
        ...


def analyze_image(image_bgr: np.ndarray, detector: Detector, classifier: Classifier) -> FrameResult:
    """Find and classify the faces of one picture.

    Args:
        image_bgr: uint8 (h, w, 3) BGR, or (h, w) gray.
        detector: finds the faces.
        classifier: scores them, all in one call.

    Returns:
        Frame 0 at time 0, with the faces numbered from 0 in the detector's order.

    Raises:
        MediaError: if the picture has another dtype or shape.
    """
    gray = to_gray(image_bgr)
    detections = detector.detect(gray)
    faces = crop_faces(gray, detections.xyxy)
    prediction = Prediction(_classify(classifier, faces), classifier.labels)
    return _result(0, 0.0, gray, detections, faces, prediction, list(range(len(detections))))


class StreamAnalyzer:
    """Follows the faces of one viewer's stream. Not to be shared between threads, save for `settings`.

    Args:
        detector: finds the faces.
        classifier: scores them, all of a frame in one call.
        settings: may be replaced as a whole at any time, from any thread; the next frame obeys it.
        thorough: whether faces are looked for more often and whole frames as thoroughly as possible, for streams that
            need not keep up with a camera.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        settings: StreamSettings | None = None,
        thorough: bool = False,
    ) -> None:
        self.settings = settings or StreamSettings()
        self._detector = detector
        self._classifier = classifier
        self._thorough = thorough
        self._label_sets = self.settings.label_set, self.settings.second_label_set
        self._scores = ScoreStage()
        self._tracker = Tracker()
        self._new_faces = NewFaces(detector, thorough)
        self._index = 0
        self._time_s = -math.inf
        self._shape: tuple[int, ...] = (1, 1)
        self._reset()

    def process(self, image_bgr: np.ndarray, time_s: float, confirm_immediately: bool = False) -> FrameResult:
        """Analyse the stream's next frame.

        Args:
            image_bgr: uint8 (h, w, 3) BGR, or (h, w) gray.
            time_s: the frame's time in seconds. A step back, or a gap of over two seconds, begins anew.
            confirm_immediately: whether a new face counts from its first frame on; otherwise it must be
                seen again in the next frame, since false detections rarely last.

        Returns:
            The faces in sight, the longest known first, each with its number, smoothed scores and label to show.

        Raises:
            MediaError: if the picture has another dtype or shape.
        """
        settings = self.settings  # read once: it may be replaced meanwhile
        return self._scores.apply(self._observe(image_bgr, time_s, confirm_immediately, settings), settings)

    def observe(self, image_bgr: np.ndarray, time_s: float, confirm_immediately: bool = False) -> FrameResult:
        """Do what `process` does but for the last step, `ScoreStage`: scores are those of this frame alone."""
        return self._observe(image_bgr, time_s, confirm_immediately, self.settings)

    @property
    def tracks(self) -> list[Track]:
        """The faces that it follows, those too that are not in sight at the moment or not yet shown."""
        return self._tracker.tracks

    def _observe(
        self, image_bgr: np.ndarray, time_s: float, confirm_immediately: bool, settings: StreamSettings
    ) -> FrameResult:
        gray = to_gray(image_bgr)
        if not 0.0 <= time_s - self._time_s <= FORGET_S:
            self._reset()
        self._fit_to(gray.shape)
        if self._before is not None and time_s - self._time_s > _FAR_APART_S and self._tracker.boxes:
            self._tracker.shift(camera_shift(self._before, gray))
        label_sets = settings.label_set, settings.second_label_set
        if label_sets != self._label_sets:  # scores for different label sets cannot be averaged
            self._label_sets = label_sets
            self._scores.reset()
        detections = self._detect(gray, time_s, settings.min_face_px)
        tracks = [
            track
            for track in self._tracker.update(gray, detections, time_s, settings.hold_s, confirm_immediately)
            if track.xyxy[2] - track.xyxy[0] >= _KEEP_SIZE * settings.min_face_px
        ]
        boxes = np.array([track.xyxy for track in tracks], np.float32).reshape(-1, 4)
        ids = [track.track_id for track in tracks]
        faces = crop_faces(gray, boxes)
        unsmoothed, second = self._classify(faces, settings)
        detected = Detections(boxes, np.array([track.score for track in tracks], np.float32))
        prediction = Prediction(unsmoothed, self._classifier.labels)
        result = _result(self._index, time_s, gray, detected, faces, prediction, ids)
        if second is not None:
            result = dataclasses.replace(result, second=Prediction(second, self._classifier.labels))
        self._index += 1
        self._time_s, self._before = time_s, gray
        return result

    def _reset(self) -> None:
        self._before: np.ndarray | None = None
        self._tracker.reset()
        self._scores.reset()
        self._new_faces.reset()

    def _fit_to(self, shape: tuple[int, ...]) -> None:
        """Keep the faces when frames change size, as browsers do to theirs when the processor is busy."""
        if shape == self._shape:
            return
        self._before = None
        factors = shape[0] / self._shape[0], shape[1] / self._shape[1]
        if abs(factors[0] / factors[1] - 1.0) < 0.02:
            self._tracker.rescale(factors[0])
            self._new_faces.reset()
        else:
            self._reset()
        self._shape = shape

    def _detect(self, gray: np.ndarray, time_s: float, min_face_px: int) -> Detections:
        """Look where faces were and, when it is time again, for new ones."""
        lost = self._tracker.follow(gray, time_s, _FOLLOW_THOROUGHLY_S if self._thorough else FOLLOW_S)
        again = [self._detector.detect_around(gray, xyxy) for xyxy in lost]
        seen = np.concatenate([self._tracker.followed(time_s), *(found.xyxy for found in again if len(found))])
        known = self._tracker.boxes
        missing = not known or any(not len(found) for found in again)
        new = self._new_faces.find(gray, time_s, known, seen, missing, bool(lost))
        return join([*again, _at_least(new, min_face_px)])

    def _classify(self, faces: np.ndarray, settings: StreamSettings) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the faces' scores, and those for the second label set if there is one; both for the cost of one."""
        if settings.second_label_set is None or settings.label_set is None or not len(faces):
            return _classify(self._classifier, faces, settings.label_set), None
        scores = self._classifier.classify_all(faces)
        return scores[settings.label_set], scores[settings.second_label_set]


def _at_least(detections: Detections, side_px: float) -> Detections:
    large = detections.xyxy[:, 2] - detections.xyxy[:, 0] >= side_px
    return detections[large]


def _classify(classifier: Classifier, faces: np.ndarray, label_set: str | None = None) -> np.ndarray:
    if not len(faces):
        return np.empty((0, len(classifier.labels)), np.float32)
    return classifier.classify(faces, label_set)


def _result(
    index: int,
    time_s: float,
    gray: np.ndarray,
    detections: Detections,
    faces: np.ndarray,
    prediction: Prediction,
    ids: list[int],
) -> FrameResult:
    size_wh = gray.shape[1], gray.shape[0]
    quality = measure_quality(faces, detections.xyxy, size_wh)
    return FrameResult(index, time_s, size_wh, detections, prediction, np.array(ids, np.int64), quality)
