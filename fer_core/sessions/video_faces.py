"""Where a session's faces are in its video: boxes as its rows have them, brought to what the video shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_core.sessions.rows import read_boxes
from fer_core.sessions.schema import SIZE
from fer_core.sessions.store import Session
from fer_core.sessions.videos import RecordedVideo


@dataclass(frozen=True, slots=True)
class VideoFace:
    """A face in a frame of a video.

    Attributes:
        face: its number in the session, from 1.
        box: left, top, right and bottom as shares of the video's width and height.
        expression: column of its best score; None if it is uncertain.
        score: the best one, 0 to 1.
    """

    face: int
    box: tuple[float, float, float, float]
    expression: int | None
    score: float


@dataclass(frozen=True, slots=True)
class FramedFaces:
    """The faces of an analysed frame, possibly none, and its time in the session, seconds."""

    time_s: float
    faces: tuple[VideoFace, ...]


def faces_in_video(
    session: Session, video: RecordedVideo, rows: pd.DataFrame, begin_s: float, end_s: float
) -> list[FramedFaces]:
    """Return the faces of the frames from one time to another, both in it.

    Args:
        session: with the video.
        video: of the session.
        rows: some of those that `Session.short_rows` returns, those without a face among them; their scores count.
        begin_s: time in the session, seconds.
        end_s: the same.
    """
    first, last = np.searchsorted(rows["time_s"].to_numpy(np.float64), [begin_s, np.nextafter(end_s, np.inf)])
    part = rows.iloc[first:last]
    if video.size_wh is None or not len(part):
        return []
    numbers = part.index.to_numpy(np.int64)
    with session.database.begin() as connection:
        boxes = read_boxes(connection, session.id, int(numbers[0]), int(numbers[-1]))[numbers - numbers[0]]
    times_s = part["time_s"].to_numpy(np.float64)
    boxes = _in_video(boxes, _Changes.of(session), times_s, video.size_wh)
    frames: dict[float, list[VideoFace]] = {}
    for time_s, box, face in zip(times_s.tolist(), boxes, _faces(part, session.labels), strict=True):
        shown = frames.setdefault(time_s, [])
        if face is not None and not np.isnan(box).any():
            left, top, right, bottom = box.tolist()
            shown.append(VideoFace(face[0], (left, top, right, bottom), *face[1:]))
    return [FramedFaces(time_s, tuple(faces)) for time_s, faces in frames.items()]


def _faces(rows: pd.DataFrame, labels: Sequence[str]) -> list[tuple[int, int | None, float] | None]:
    """Return of each row the face's number, the column of its best score and that score; None for one without."""
    scores = np.nan_to_num(rows[list(labels)].to_numpy(np.float64), nan=-1.0)
    best = scores.argmax(axis=1)
    # What the rows call uncertain is their own expression; corrected scores may have another.
    own = pd.Categorical(rows["expression"], categories=list(labels)).codes == best
    unsure = own & (rows["uncertain"] == "yes").to_numpy() | (scores.max(axis=1) < 0)
    return [
        None if face is pd.NA else (int(face), None if is_unsure else int(column), max(float(row[column]), 0.0))
        for face, column, is_unsure, row in zip(rows["face"], best, unsure, scores, strict=True)
    ]


@dataclass(frozen=True)
class _Changes:
    """What frames were like when they were analysed: each a list of times in seconds and what holds from then on."""

    mirrored: list[tuple[float, bool]]
    size_wh: list[tuple[float, tuple[int, int]]]

    @classmethod
    def of(cls, session: Session) -> _Changes:
        mirrored, sizes = [(-np.inf, bool(session.about.get("mirrored", False)))], []
        for event in session.events():
            content: Mapping[str, Any] = event["content"]
            if event["kind"] == "settings" and "mirrored" in content:
                mirrored.append((event["time_s"], bool(content["mirrored"])))
            elif event["kind"] == SIZE:
                sizes.append((event["time_s"], (int(content["width"]), int(content["height"]))))
        return cls(mirrored, sizes)


def _in_video(boxes: np.ndarray, changes: _Changes, times_s: np.ndarray, video_wh: tuple[int, int]) -> np.ndarray:
    """Return boxes (n, 4), pixels of the frames that were analysed, as shares of the video's width and height."""
    sizes = np.array([video_wh, *(size for _, size in changes.size_wh)], np.float64)
    begins_s = [time_s for time_s, _ in changes.size_wh]
    wh = sizes[np.searchsorted(begins_s, times_s, side="right")]
    values = np.array([value for _, value in changes.mirrored])
    mirrored = values[np.searchsorted([time_s for time_s, _ in changes.mirrored], times_s, side="right") - 1]
    left, right = np.where(mirrored[:, None], wh[:, :1] - boxes[:, [2, 0]], boxes[:, [0, 2]]).T
    # As `FragmentWriter` fits a frame of another size: an odd last column or row is left out, nothing else is cut.
    fits = (wh - wh % 2 == video_wh).all(axis=1)
    scale = np.where(fits, 1.0, (np.array(video_wh) / wh).min(axis=1))
    margin = np.where(fits[:, None], 0.0, (np.array(video_wh) - wh * scale[:, None]) / 2)
    placed = np.stack([left, boxes[:, 1], right, boxes[:, 3]], axis=1) * scale[:, None] + np.tile(margin, 2)
    return placed / np.tile(np.array(video_wh, np.float64), 2)
