"""The segments of a video as one stream: faces keep their numbers, scores and labels go on across boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_core.detection.boxes import SAME_FACE, box_ios
from fer_core.recognition.pipeline import FORGET_S, StreamAnalyzer
from fer_core.recognition.score_stage import ScoreStage
from fer_core.recognition.stream_settings import StreamSettings
from fer_core.recognition.tracker import match_boxes
from fer_core.types import FaceQuality, FrameResult, Prediction


@dataclass(frozen=True, slots=True, eq=False)
class KnownFaces:
    """The faces that a segment's analysis knows after some frame, in sight or not.

    Attributes:
        index: number of the frame in the video; -1 if there was none.
        track_id: int64 (n,), their numbers within the segment.
        xyxy: float32 (n, 4), where they were last, in pixels.
        seen_s: float64 (n,), when they were seen last, seconds.
    """

    index: int
    track_id: np.ndarray
    xyxy: np.ndarray
    seen_s: np.ndarray

    @classmethod
    def of(cls, analyzer: StreamAnalyzer, index: int) -> Self:
        """Return the faces that an analysis knows after the frame with this number."""
        tracks = analyzer.tracks
        return cls(
            index,
            np.array([track.track_id for track in tracks], np.int64),
            np.array([track.xyxy for track in tracks], np.float32).reshape(-1, 4),
            np.array([track.seen_s for track in tracks], np.float64),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _LostFace:
    """A face that was known at a boundary, and that the segment after it has not found yet."""

    number: int
    xyxy: np.ndarray
    seen_s: float


class SegmentJoin:
    """Gives the faces of successive segments the same numbers, and does with their scores what a stream does.

    At a boundary both segments have analysed the same frame: the boxes that lie on each other there are one face. A
    face that the next segment has not found by then has its number again where it comes back as soon and as near as
    `Tracker` asks. Faces of the first segment keep the numbers that they have in it.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._scores = ScoreStage()
        self._numbers: dict[int, int] = {}  # of a face within its segment, to that in the video
        self._next = 0
        self._lost: list[_LostFace] = []
        self._segments = 0
        self._is_at_boundary = False

    def begin(self, head: KnownFaces, tail: KnownFaces | None) -> None:
        """Go on with another segment.

        Args:
            head: the faces that it knows before its first frame.
            tail: those that the segment before knew after its last; None if this is the first.
        """
        self._segments += 1
        if tail is None:
            return
        numbers = [self._number_of(track_id, is_first=self._segments == 2) for track_id in tail.track_id.tolist()]
        pairs = _same_faces(tail, head) if tail.index == head.index else {}
        self._numbers = {int(head.track_id[j]): numbers[i] for i, j in pairs.items()}
        self._lost = [
            _LostFace(number, tail.xyxy[i], float(tail.seen_s[i])) for i, number in enumerate(numbers) if i not in pairs
        ]
        self._is_at_boundary = True

    def add(self, observed: FrameResult) -> FrameResult:
        """Return the next frame with the faces' numbers in the video, smoothed scores and labels to show.

        Args:
            observed: the frame with the numbers within its segment, and its own scores.
        """
        self._find_lost(observed)
        numbers = [self._number_of(track_id, self._segments == 1) for track_id in observed.track_id.tolist()]
        return self._scores.apply(_renumbered(observed, numbers), self._settings)

    def _number_of(self, track_id: int, is_first: bool) -> int:
        if track_id not in self._numbers:
            self._numbers[track_id] = track_id if is_first else self._next
            self._next = max(self._next, self._numbers[track_id] + 1)
        return self._numbers[track_id]

    def _find_lost(self, observed: FrameResult) -> None:
        """Give new faces the numbers of lost ones that they are."""
        if not self._lost:
            return
        # As in a stream: the frame after the last may be late, then a face is looked for as long as it is held.
        limit_s = FORGET_S if self._is_at_boundary else self._settings.hold_s
        self._is_at_boundary = False
        lost = [face for face in self._lost if observed.time_s - face.seen_s <= limit_s]
        new = [row for row, track_id in enumerate(observed.track_id.tolist()) if track_id not in self._numbers]
        pairs = {}
        if lost and new:
            pairs = match_boxes(np.stack([face.xyxy for face in lost]), observed.detections.xyxy[new])
        for i, j in pairs.items():
            self._numbers[int(observed.track_id[new[j]])] = lost[i].number
        self._lost = [
            face
            for i, face in enumerate(lost)
            if i not in pairs and observed.time_s - face.seen_s <= self._settings.hold_s
        ]


def _same_faces(tail: KnownFaces, head: KnownFaces) -> dict[int, int]:
    """Return which of two segments' faces lie on each other in the same frame, most of all together."""
    if not len(tail.xyxy) or not len(head.xyxy):
        return {}
    shared = np.stack([box_ios(xyxy, head.xyxy) for xyxy in tail.xyxy])
    rows, columns = linear_sum_assignment(np.where(shared >= SAME_FACE, -shared, 0.0))
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if shared[i, j] >= SAME_FACE}


def _renumbered(result: FrameResult, numbers: Sequence[int]) -> FrameResult:
    """Return a frame with other numbers of its faces, the lowest first, as a stream has them."""
    track_id = np.array(numbers, np.int64)
    order = np.argsort(track_id, kind="stable")
    if (order == np.arange(len(order))).all():
        return replace(result, track_id=track_id)
    quality, second = result.quality, result.second
    if quality is not None:
        problems = tuple(quality.problems[i] for i in order)
        quality = FaceQuality(quality.size_px[order], quality.sharpness[order], quality.brightness[order], problems)
    if second is not None:
        second = Prediction(second.probs[order], second.labels)
    return replace(
        result,
        detections=result.detections[order],
        prediction=Prediction(result.prediction.probs[order], result.prediction.labels),
        track_id=track_id[order],
        quality=quality,
        second=second,
    )
