"""What a session's rows say: the share of each expression, and how often one follows another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Longer without the face, and what comes is no transition from what was.
_GAP_S = 1.0


@dataclass(frozen=True, eq=False)
class Shares:
    """How often each expression was the best one.

    Attributes:
        rows: faces in frames that were looked at.
        seconds: that they span, gaps left out.
        shares: float (k,), share of the rows in which an expression had the best score and was not uncertain.
        uncertain: share of the rows that were uncertain; with `shares` it sums to 1.
        mean: float (k,), mean scores.
    """

    rows: int
    seconds: float
    shares: np.ndarray
    uncertain: float
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class Run:
    """One face showing one expression without a break.

    Attributes:
        face: its number.
        expression: column of the score.
        begin_s: time of its first frame.
        end_s: time of the frame after its last one, or of its last one where the face is gone then.
    """

    face: int
    expression: int
    begin_s: float
    end_s: float


def in_range(rows: pd.DataFrame, begin_s: float, end_s: float) -> pd.DataFrame:
    """Return the rows from one time to another, both in it."""
    time_s = rows["time_s"]
    return rows[(time_s >= begin_s) & (time_s <= end_s)]


def valid_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of faces that are marked as valid; all of them where that was not measured."""
    return rows[rows["valid"] == "yes"] if "valid" in rows else rows


def shares_of(rows: pd.DataFrame, labels: Sequence[str]) -> Shares:
    """Return the shares of the expressions in some rows; NaN if there is no face in them."""
    faces = rows.dropna(subset="face")
    if not len(faces):
        absent = np.full(len(labels), np.nan)
        return Shares(0, 0.0, absent, float("nan"), absent)
    codes, sure = _codes(faces, labels)
    counts = np.bincount(codes[sure & (codes >= 0)], minlength=len(labels))
    shares = counts / len(faces)
    mean = faces[list(labels)].mean().to_numpy(np.float64)
    return Shares(len(faces), _seconds(faces), shares, 1 - float(shares.sum()), mean)


def runs_of(rows: pd.DataFrame, labels: Sequence[str]) -> list[Run]:
    """Return for each face when it showed which expression; uncertain frames are in no run."""
    runs: list[Run] = []
    for face, own in rows.dropna(subset="face").groupby("face"):
        codes, sure = _codes(own, labels)
        codes = np.where(sure, codes, -1)
        times_s = own["time_s"].to_numpy(np.float64)
        begins = np.flatnonzero(np.r_[True, (np.diff(codes) != 0) | (np.diff(times_s) > _GAP_S)])
        for begin, end in zip(begins, [*begins[1:], len(codes)], strict=True):
            if codes[begin] < 0:
                continue
            goes_on = end < len(codes) and times_s[end] - times_s[end - 1] <= _GAP_S
            last_s = times_s[end] if goes_on else times_s[end - 1]
            runs.append(Run(int(str(face)), int(codes[begin]), float(times_s[begin]), float(last_s)))
    return sorted(runs, key=lambda run: (run.begin_s, run.face))


def transitions(rows: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    """Return how often one expression followed another at once, int (k, k): rows are what was before.

    Frames that were uncertain between two expressions are passed over; a face that was gone for over a second begins
    anew.
    """
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for _, own in rows.dropna(subset="face").groupby("face"):
        codes, sure = _codes(own, labels)
        codes, times_s = codes[sure & (codes >= 0)], own["time_s"].to_numpy(np.float64)[sure & (codes >= 0)]
        changes = (np.diff(codes) != 0) & (np.diff(times_s) <= _GAP_S)
        np.add.at(counts, (codes[:-1][changes], codes[1:][changes]), 1)
    return counts


def scores_at(rows: pd.DataFrame, labels: Sequence[str], time_s: float) -> dict[int, np.ndarray]:
    """Return the scores of each face in the frame that is nearest to a time, by its number; none if it is far."""
    faces = rows.dropna(subset="face")
    times_s = faces["time_s"].to_numpy(np.float64)
    if not len(times_s) or np.abs(times_s - time_s).min() > _GAP_S:
        return {}
    nearest_s = times_s[np.abs(times_s - time_s).argmin()]
    at = faces[times_s == nearest_s]
    return dict(zip(at["face"].astype(int).tolist(), at[list(labels)].to_numpy(np.float64), strict=True))


def _codes(rows: pd.DataFrame, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the column of each row's best score, and whether it was not uncertain."""
    codes = pd.Categorical(rows["expression"], categories=list(labels)).codes.astype(np.int64)
    return codes, (rows["uncertain"] == "no").to_numpy()


def _seconds(faces: pd.DataFrame) -> float:
    steps = np.diff(np.unique(faces["time_s"].to_numpy(np.float64)))
    return float(steps[steps <= _GAP_S].sum())
