"""Carrying a face from frame to frame, so that a detector that blinks does not make the page blink.

A new face counts once it was seen in two frames, or in one where that is trusted. A face the detector
then misses is looked for by its picture: while the last sighting's own pixels are found nearby, it
stays, for at most half a second; where they are not, it is not shown. So a box neither flickers nor
settles on the background.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_core.detection.boxes import SAME_FACE, box_ios, centers, non_max_suppression
from fer_core.detection.patch import cut_square_quickly
from fer_core.types import Detections

MAX_HOLD_S = 0.5

_MAX_STEP = 1.0  # farthest match: distance in sides of the face plus |ln| of the ratio of the sides
_ENCLOSING = 1.5  # ratio of sides from which an overlapping box counts as clearly larger
_BOX_SMOOTHING_S = 0.12
_PATCH_PX = 32
_REACH = 2.0
_MIN_CORRELATION = 0.6
FOLLOW_S = 0.15  # so long after the detector saw it a face may be followed by its picture alone,
_FOLLOW_CORRELATION = 0.85  # if that is found as clearly as this
_FOLLOW_SIGHTINGS = 4  # and if it was seen so often; what is mistaken for a face rarely is
_MIN_CONTRAST = 4.0  # standard deviation in gray levels; a flatter picture correlates with anything flat


@dataclass(slots=True, eq=False)
class Track:
    """One face through time.

    Attributes:
        track_id: its number, never used again.
        xyxy: float32 (4,), where it is now, in pixels; small jitter of the detector is smoothed away.
        score: the detector's score when it was last seen.
        seen_s: time of the last sighting by the detector.
        sightings: how often the detector saw it.
        visible: whether it was found in the latest frame, by the detector or by its picture.
        followed_s: when its picture alone was last found clearly enough.
    """

    track_id: int
    xyxy: np.ndarray
    score: float
    seen_s: float
    updated_s: float
    patch: np.ndarray
    sightings: int = 1
    visible: bool = False
    followed_s: float = -math.inf


class Tracker:
    """Keeps the faces of one stream."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._next_id = 0

    @property
    def boxes(self) -> list[np.ndarray]:
        """Where faces, shown or not yet shown, were last: xyxy each."""
        return [track.xyxy for track in self._tracks]

    @property
    def tracks(self) -> list[Track]:
        """The faces that are known, shown or not yet shown, oldest first."""
        return list(self._tracks)

    def reset(self) -> None:
        """Drop all faces; their numbers are not used again."""
        self._tracks = []

    def rescale(self, factor: float) -> None:
        """Follow a change of the frames' size: the next frame is `factor` times as wide and as high."""
        for track in self._tracks:
            track.xyxy = track.xyxy * np.float32(factor)

    def shift(self, xy: np.ndarray) -> None:
        """Follow a turn of the camera: in the next frame everything is by (2,) pixels to the right and down."""
        for track in self._tracks:
            track.xyxy = track.xyxy + np.tile(xy, 2).astype(np.float32)

    def follow(self, gray: np.ndarray, time_s: float, for_s: float = FOLLOW_S) -> list[np.ndarray]:
        """Follow faces that the detector has just seen by their picture, which costs far less than to look for them.

        Args:
            gray: uint8 (h, w), the next frame.
            time_s: when, in seconds; `update` is then called with the same.
            for_s: how long after the detector saw a face it may be followed so, in seconds.

        Returns:
            Where the detector has to look for the others: xyxy each.
        """
        return [track.xyxy for track in self._tracks if not self._follows(track, gray, time_s, for_s)]

    def followed(self, time_s: float) -> np.ndarray:
        """Return where the faces are that `follow` found at that time, (n, 4)."""
        boxes = [track.xyxy for track in self._tracks if track.followed_s == time_s]
        return np.array(boxes, np.float32).reshape(-1, 4)

    def update(
        self, gray: np.ndarray, detections: Detections, time_s: float, hold_s: float, confirm_immediately: bool = False
    ) -> list[Track]:
        """Take in what the detector saw in the next frame.

        Args:
            gray: uint8 (h, w), the frame.
            detections: all that was seen in it; the same face may be in it twice.
            time_s: when, in seconds; not before the frame before.
            hold_s: how long a missed face may be held, in seconds.
            confirm_immediately: whether a new face counts from this frame on; else from the next in which it is seen.

        Returns:
            The faces to show, oldest first.
        """
        detections = non_max_suppression(detections)
        pairs = _match(self._tracks, detections)
        for i, track in enumerate(self._tracks):
            if i in pairs:
                self._see(track, gray, detections.xyxy[pairs[i]], detections.score[pairs[i]], time_s)
            elif track.followed_s != time_s:
                self._hold(track, gray, time_s, hold_s)
        alive = [
            track
            for track in self._tracks
            if time_s in (track.seen_s, track.followed_s) or (track.sightings > 1 and time_s - track.seen_s <= hold_s)
        ]
        self._tracks = _without_doubles(alive)
        for j in sorted(set(range(len(detections))) - set(pairs.values())):
            self._begin(gray, detections.xyxy[j], detections.score[j], time_s, confirm_immediately)
        return [track for track in self._tracks if track.visible]

    def _begin(self, gray: np.ndarray, xyxy: np.ndarray, score: float, time_s: float, visible: bool) -> None:
        if any(
            box_ios(xyxy, track.xyxy[None])[0] >= SAME_FACE and not _encloses(xyxy, track.xyxy)
            for track in self._tracks
        ):
            return
        self._tracks.append(
            Track(self._next_id, xyxy, float(score), time_s, time_s, _patch(gray, xyxy), visible=visible)
        )
        self._next_id += 1

    def _see(self, track: Track, gray: np.ndarray, xyxy: np.ndarray, score: float, time_s: float) -> None:
        track.xyxy = _follow(track.xyxy, xyxy, time_s - track.updated_s)
        track.score, track.seen_s, track.updated_s = float(score), time_s, time_s
        track.patch = _patch(gray, track.xyxy)
        track.sightings += 1
        track.visible = True

    def _follows(self, track: Track, gray: np.ndarray, time_s: float, for_s: float) -> bool:
        if not track.visible or track.sightings < _FOLLOW_SIGHTINGS or time_s - track.seen_s >= for_s:
            return False
        xyxy, correlation = _find(track.patch, gray, track.xyxy)
        if correlation < _FOLLOW_CORRELATION:
            return False
        track.xyxy, track.followed_s = xyxy, time_s
        return True

    def _hold(self, track: Track, gray: np.ndarray, time_s: float, hold_s: float) -> None:
        track.visible = False
        track.updated_s = time_s
        if track.sightings > 1 and time_s - track.seen_s <= hold_s:
            xyxy, correlation = _find(track.patch, gray, track.xyxy)
            if correlation >= _MIN_CORRELATION:
                track.xyxy, track.visible = xyxy, True


def _without_doubles(tracks: list[Track]) -> list[Track]:
    """Return the tracks, and of two that lie on one face the one that began first.

    A mouth is sometimes taken for a face: a clearly larger box around another wins once it is shown.
    """
    kept: list[Track] = []
    for track in sorted(tracks, key=lambda track: track.track_id):
        doubles = [other for other in kept if box_ios(track.xyxy, other.xyxy[None])[0] >= SAME_FACE]
        larger = all(_encloses(track.xyxy, other.xyxy) for other in doubles)
        if larger and track.visible:
            kept = [other for other in kept if other not in doubles]
        if larger:
            kept.append(track)
    return kept


def _encloses(xyxy: np.ndarray, other: np.ndarray) -> bool:
    return bool(xyxy[2] - xyxy[0] >= _ENCLOSING * (other[2] - other[0]))


def _match(tracks: list[Track], detections: Detections) -> dict[int, int]:
    """Return which track goes on as which detection, so that all steps together are smallest."""
    if not tracks or not len(detections):
        return {}
    return match_boxes(np.stack([track.xyxy for track in tracks]), detections.xyxy)


def match_boxes(before: np.ndarray, now: np.ndarray) -> dict[int, int]:
    """Return which face goes on as which, so that all steps together are smallest; those too far apart are left out.

    Args:
        before: (n, 4), where faces were, in pixels.
        now: (m, 4), where faces are, a little later.

    Returns:
        Row of a face in `before` to its row in `now`.
    """
    side_before, side_now = before[:, 2] - before[:, 0], now[:, 2] - now[:, 0]
    offset = centers(before)[:, None] - centers(now)[None]  # (n, m, 2)
    step = np.hypot(offset[..., 0], offset[..., 1]) / side_before[:, None]
    step += np.abs(np.log(side_now[None] / side_before[:, None]))
    rows, columns = linear_sum_assignment(np.where(step <= _MAX_STEP, step, 2 * _MAX_STEP))
    pairs = np.stack([rows, columns], axis=1)[step[rows, columns] <= _MAX_STEP]  # (k, 2)
    return dict(pairs.tolist())


def _follow(before: np.ndarray, now: np.ndarray, dt_s: float) -> np.ndarray:
    """Return the box between: jitter is smoothed, a real move is followed at once."""
    side = before[2] - before[0]
    moved = float(np.abs(now - before).max() / side)
    weight = max(1.0 - math.exp(-dt_s / _BOX_SMOOTHING_S), min(1.0, moved / 0.25))
    return (before + weight * (now - before)).astype(np.float32)


def _find(patch: np.ndarray, gray: np.ndarray, xyxy: np.ndarray) -> tuple[np.ndarray, float]:
    """Return where around a box a face's picture is now, and how well it correlates (-1 to 1)."""
    if patch.std() < _MIN_CONTRAST:
        return xyxy, 0.0
    area = cut_square_quickly(gray, xyxy, _REACH, round(_REACH * _PATCH_PX))
    correlations = cv2.matchTemplate(area, patch, cv2.TM_CCOEFF_NORMED)
    _, correlation, _, (x, y) = cv2.minMaxLoc(correlations)
    peak = np.array([_summit(correlations[y], x), _summit(correlations[:, x], y)], np.float32)
    shift = (peak - (len(area) - _PATCH_PX) / 2) * (xyxy[2] - xyxy[0]) / _PATCH_PX
    return xyxy + np.tile(shift, 2), float(correlation)


def _summit(values: np.ndarray, i: int) -> float:
    """Return the place of the peak near the largest of some values, the i-th, between them."""
    if not 0 < i < len(values) - 1:
        return float(i)
    before, top, after = (float(value) for value in values[i - 1 : i + 2])
    curvature = before - 2 * top + after
    return i + 0.5 * (before - after) / curvature if curvature < 0 else float(i)


def _patch(gray: np.ndarray, xyxy: np.ndarray) -> np.ndarray:
    return cut_square_quickly(gray, xyxy, 1.0, _PATCH_PX)
