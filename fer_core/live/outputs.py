"""What other programs get of a live stream: its frames' scores and its markers, while they come.

Frames have the form of the service's (`fer_core.service.schemas.Frame`), with what only a live stream has besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from fer_core.service.schemas import frame_fields
from fer_core.sessions.markers import Marker
from fer_core.types import FrameResult


@dataclass(frozen=True, eq=False)
class ScoredFrame:
    """A frame of a live stream with its scores.

    Attributes:
        result: its faces.
        captured_s: when it was captured, as well as that is known, in monotonic seconds.
        utc: the same as a time of day.
        time_s: the same in seconds since the stream began.
        model: what gave the scores, as `fer_core.recognition.provenance.model_metadata` tells it; empty if not known.
        shown_uncertain_below: best score below which the page calls a face uncertain, 0 to 1.
        session: name of the session that is being recorded, None if none is.
    """

    result: FrameResult
    captured_s: float
    utc: datetime
    time_s: float
    model: Mapping[str, Any] = field(default_factory=dict)
    shown_uncertain_below: float = 0.0
    session: str | None = None


@dataclass(frozen=True, eq=False)
class SetMarker:
    """A marker that was set while a stream runs.

    Attributes:
        marker: the marker; its own times count from the beginning of the recording, or of the stream if there is none.
        kind: "point", or "begin" or "end" of a range.
        at_s: when it was set, in monotonic seconds.
        utc: the same as a time of day.
        time_s: the same in seconds since the stream began.
    """

    marker: Marker
    kind: str
    at_s: float
    utc: datetime
    time_s: float


class Output(Protocol):
    """Gets what a stream gives, in the stream's own thread: nothing in it may wait."""

    def add(self, frame: ScoredFrame) -> None:
        """Take in a frame."""
        ...

    def mark(self, marker: SetMarker) -> None:
        """Take in a marker; any thread may call it."""
        ...

    def end_stream(self) -> None:
        """Note that the stream has ended; another may begin."""
        ...

    def close(self, reason: str) -> None:
        """Send nothing more, and tell whoever listens why."""
        ...


def frame_message(frame: ScoredFrame) -> dict[str, Any]:
    """Return a frame as plain JSON values.

    Each face has `scores` as they are shown, `unsmoothed` scores of this frame alone, and `corrected` ones if it has a
    neutral baseline, else null; `label` is what the page writes on it, null where it calls the face uncertain.
    """
    result, model = frame.result, frame.model
    fields = frame_fields(result, model.get("uncertain_below"))
    labels = result.prediction.labels
    unsmoothed = result.prediction.probs if result.unsmoothed is None else result.unsmoothed
    shown = result.labels_to_show(frame.shown_uncertain_below)
    for face, scores, column in zip(fields["faces"], unsmoothed, shown, strict=True):
        face["label"] = None if column is None else labels[column]
        face["unsmoothed"] = dict(zip(labels, map(float, scores), strict=True))
        face.setdefault("corrected", None)
    return {
        "type": "frame",
        "utc": frame.utc.isoformat(timespec="milliseconds"),
        **fields,
        "time_s": round(frame.time_s, 3),
        "session": frame.session,
        "model": {name: model.get(name) for name in ("name", "sha256", "label_set")},
    }


def marker_message(each: SetMarker) -> dict[str, Any]:
    """Return a marker as plain JSON values; both ends of a range have the same `id`."""
    return {
        "type": "marker",
        "utc": each.utc.isoformat(timespec="milliseconds"),
        "time_s": round(each.time_s, 3),
        "kind": each.kind,
        "label": each.marker.label,
        "source": each.marker.source,
        "id": each.marker.id,
    }


def score_rows(result: FrameResult, kind: str, faces: int) -> np.ndarray:
    """Return the scores of the faces with the lowest numbers, and what tells whether they can be used.

    Args:
        result: a frame with k labels.
        kind: "scores" as they are shown, "unsmoothed" or "corrected".
        faces: how many faces.

    Returns:
        float32 (faces, k + 2): scores, number of the face, and 1 if it is valid, else 0; a row of NaN where there is no
        such face, NaN for the scores of a kind that it has not.
    """
    k = len(result.prediction.labels)
    rows = np.full((faces, k + 2), np.nan, np.float32)
    scores = {"scores": result.prediction.probs, "unsmoothed": result.unsmoothed, "corrected": result.corrected}[kind]
    if scores is None and kind == "unsmoothed":  # nothing was smoothed
        scores = result.prediction.probs
    for row, face in zip(rows, np.argsort(result.track_id)[:faces], strict=False):
        if scores is not None:
            row[:k] = scores[face]
        row[k] = result.track_id[face] + 1
        row[k + 1] = result.quality is None or not result.quality.problems[face]
    return rows
