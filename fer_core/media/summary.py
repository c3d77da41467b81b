"""A table of faces in short: each face's mean scores, and their course over a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class FaceSummary:
    """One face of one file.

    Attributes:
        face: its number, from 1.
        frames: how many frames it was found in.
        first_s: time of the first of them in seconds; None in a picture.
        last_s: time of the last.
        mean: float (k,), its mean scores, 0 to 1.
        shares: float (k,), share of its frames in which each expression had the best score and was not uncertain.
        uncertain: share of its frames that were uncertain; with `shares` it sums to 1.
    """

    face: int
    frames: int
    first_s: float | None
    last_s: float | None
    mean: np.ndarray
    shares: np.ndarray
    uncertain: float


def summarize(rows: pd.DataFrame, labels: Sequence[str]) -> list[FaceSummary]:
    """Return the faces of one file, those found most often first.

    Args:
        rows: the file's rows of a `Table`.
        labels: the k names of its scores.
    """
    summaries = []
    for face, own in rows.dropna(subset="face").groupby("face"):
        sure = own["expression"].where(own["uncertain"] == "no")
        times_s = own["time_s"].dropna()
        summaries.append(
            FaceSummary(
                face=int(face),
                frames=len(own),
                first_s=float(times_s.min()) if len(times_s) else None,
                last_s=float(times_s.max()) if len(times_s) else None,
                mean=own[list(labels)].mean().to_numpy(),
                shares=np.array([float((sure == label).mean()) for label in labels]),
                uncertain=float(sure.isna().mean()),
            )
        )
    return sorted(summaries, key=lambda each: (-each.frames, each.face))


def courses(
    rows: pd.DataFrame, labels: Sequence[str], faces: Sequence[int], points: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return how the scores of faces went over a video.

    Args:
        rows: the video's rows of a `Table`.
        labels: the k names of its scores.
        faces: numbers of the faces.
        points: how many points of time to give at most; more frames are averaged over equal spans.

    Returns:
        Number of a face to (time_s (n,), probs (n, k)); a row is NaN where the face was not there.
    """
    times_s = np.sort(rows["time_s"].unique())
    # Where each frame goes: to itself, or to its span.
    spans = (
        np.arange(len(times_s))
        if len(times_s) <= points
        else np.minimum((times_s - times_s[0]) / (times_s[-1] - times_s[0]) * points, points - 1).astype(int)
    )
    span_of = pd.Series(spans, index=times_s)
    at_s = pd.Series(times_s).groupby(spans).mean()
    courses = {}
    for face in faces:
        own = rows[rows["face"] == face]
        means = own[list(labels)].groupby(span_of[own["time_s"]].to_numpy()).mean().reindex(at_s.index)
        courses[face] = at_s.to_numpy(), means.to_numpy()
    return courses
