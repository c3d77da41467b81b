"""What human coders saw: read from BORIS or CSV, held against the model; a session written for BORIS."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from fer_core.emotions import canonical
from fer_core.errors import SessionError
from fer_core.sessions.analysis import runs_of
from fer_core.sessions.icc import MIN_TARGETS, IntraclassCorrelation, intraclass_correlation
from fer_core.sessions.markers import CODE, EXCLUDED, MARKER, Marker, markers_of, read_csv_rows, seconds_of
from fer_core.sessions.store import Session

_EXPECTED = (
    "BORIS's export of events or aggregated events as CSV or TSV, or a CSV file with the columns time_s, label and, if "
    "wanted, end_s"
)
# Of BORIS's export of aggregated events.
_BORIS_COLUMNS = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Coding duration",
    "Media duration (s)",
    "FPS (frame/s)",
    "Subject",
    "Observation duration by subject by observation",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Start (s)",
    "Stop (s)",
    "Duration (s)",
    "Media file name",
    "Image index start",
    "Image index stop",
    "Image file path start",
    "Image file path stop",
    "Comment start",
    "Comment stop",
)


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far two coders of the same frames agree; one of them may be the model.

    Attributes:
        labels: the k names that were used by either.
        frames: how many frames both had a label for.
        share: of these with the same label; None without frames.
        kappa: Cohen's, which takes off what chance alone would give; None where it is not defined.
        counts: int (k, k), frames by the first coder's label (rows) and the second's.
    """

    labels: tuple[str, ...]
    frames: int
    share: float | None
    kappa: float | None
    counts: np.ndarray


def read_codes(content: bytes, name: str, coder: str, length_s: float) -> list[Marker]:
    """Read what a human coder saw.

    A code without an end holds until the coder's next one, the last until the session ends. Other names of the seven
    emotions, such as anger, become this program's.

    Args:
        content: the file.
        name: of the file.
        coder: who coded; replaces whatever this coder had before.
        length_s: of the session.

    Raises:
        SessionError: it is not such a file, or has several observations or subjects.
    """
    if not coder.strip():
        raise SessionError("The coder needs a name or a code, to tell coders apart. Enter one.")
    rows = read_csv_rows(_from_head(content), name)
    columns = set(rows[0]) if rows else set()
    if {"behavior", "start (s)"} <= columns:
        spans = _aggregated(_one_observation(rows, name), name)
    elif {"behavior", "time"} <= columns and columns & {"status", "behavior type"}:
        spans = _tabular(_one_observation(rows, name), name)
    elif {"time_s", "label"} <= columns:
        spans = [
            (
                seconds_of(row["time_s"], name, number, "time_s"),
                seconds_of(row["end_s"], name, number, "end_s") if row.get("end_s", "").strip() else None,
                row["label"],
            )
            for number, row in enumerate(rows, 2)
        ]
    else:
        found = ", ".join(sorted(columns)) or "nothing"
        raise SessionError(f"{name} must be {_EXPECTED}; it has {found}. Export it so.")
    spans.sort(key=lambda span: span[0])
    nexts = [*(span[0] for span in spans[1:]), max(length_s, spans[-1][0] if spans else 0.0)]
    return [
        Marker(begin, _label(label), next_s if end is None else end, CODE, coder.strip())
        for (begin, end, label), next_s in zip(spans, nexts, strict=True)
    ]


def model_codes(rows: pd.DataFrame, face: int | None, sure_only: bool) -> pd.Series:
    """Return the model's label by time, for one face or the first of each frame.

    Args:
        rows: what `short_rows` returns.
        face: number of the face; None takes the lowest in each frame.
        sure_only: whether uncertain frames have no label.
    """
    faces = rows.dropna(subset="face")
    faces = faces[faces["face"] == face] if face is not None else faces.sort_values(["frame", "face"])
    if sure_only:
        faces = faces[faces["uncertain"] == "no"]
    faces = faces.drop_duplicates("frame")
    return pd.Series(faces["expression"].astype("str").to_numpy(), index=faces["time_s"].to_numpy(), dtype=object)


def coder_codes(codes: Sequence[Marker], times_s: np.ndarray) -> pd.Series:
    """Return a coder's label at each time, None where there is none; of codes that overlap the one that began last."""
    labels = np.full(len(times_s), None, object)
    for code in sorted(codes, key=lambda each: each.time_s):
        end_s = code.time_s if code.end_s is None else code.end_s
        labels[(times_s >= code.time_s) & (times_s < end_s)] = code.label
    return pd.Series(labels, index=times_s, dtype=object)


def agreement_of(first: pd.Series, second: pd.Series) -> Agreement:
    """Return how far two series of labels by the same times agree, where both have one."""
    both = (first.notna() & second.notna()).to_numpy()
    a, b = first.to_numpy()[both].astype(str), second.to_numpy()[both].astype(str)
    labels = tuple(sorted({*a, *b}))
    if not len(a):
        return Agreement(labels, 0, None, None, np.zeros((0, 0), np.int64))
    counts = confusion_matrix(a, b, labels=list(labels))
    kappa = float(cohen_kappa_score(a, b)) if len(labels) > 1 else None  # one label alone leaves nothing to chance
    return Agreement(labels, len(a), float((a == b).mean()), kappa, counts)


def boris_csv(session: Session, rows: pd.DataFrame) -> bytes:
    """Return a session as BORIS's export of aggregated events: each expression of each face a state, markers too."""
    common = {
        "Observation id": session.name,
        "Observation date": f"{session.began_utc:%Y-%m-%d %H:%M:%S}",
        "Description": session.details.title,
        "Observation type": "Live observation",
        "Time offset (s)": 0,
        "Coding duration": round(session.length_s, 3),
    }
    events = [
        (f"Face {run.face}", session.labels[run.expression], "expression", run.begin_s, run.end_s)
        for run in runs_of(rows, session.labels)
    ]
    kinds = {MARKER: "marker", EXCLUDED: "excluded"}
    events += [
        ("No focal subject", each.label or kinds[each.kind], kinds[each.kind], each.time_s, each.end_s)
        for each in markers_of(session)
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, _BORIS_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for subject, behavior, category, begin_s, end_s in sorted(events, key=lambda event: event[3]):
        point = end_s is None
        stop_s = begin_s if end_s is None else end_s
        writer.writerow(
            {
                **common,
                "Subject": subject,
                "Behavior": behavior,
                "Behavioral category": category,
                "Behavior type": "POINT" if point else "STATE",
                "Start (s)": round(begin_s, 3),
                "Stop (s)": round(stop_s, 3),
                "Duration (s)": "NA" if point else round(stop_s - begin_s, 3),
            }
        )
    return file.getvalue().encode("utf-8")


def _from_head(content: bytes) -> bytes:
    """Return a file from the line with the names of its columns on: older versions of BORIS tell more before it."""
    lines = content.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if b"behavior" in line.lower() and (b"time" in line.lower() or b"start (s)" in line.lower()):
            return b"".join(lines[number:])
    return content


def _one_observation(rows: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    for column in ("observation id", "subject"):
        if len(found := sorted({row.get(column, "") for row in rows})) > 1:
            raise SessionError(
                f"{name} must have one {column}, and it has {len(found)}: {', '.join(found)}. Export them one by one."
            )
    return rows


def _aggregated(rows: list[dict[str, str]], name: str) -> list[tuple[float, float | None, str]]:
    spans = []
    for number, row in enumerate(rows, 2):
        begin_s = seconds_of(row["start (s)"], name, number, "Start (s)")
        point = row.get("behavior type", "").strip().upper() == "POINT"
        end_s = None if point else seconds_of(row.get("stop (s)", ""), name, number, "Stop (s)")
        spans.append((begin_s, end_s, row["behavior"]))
    return spans


def _tabular(rows: list[dict[str, str]], name: str) -> list[tuple[float, float | None, str]]:
    """Pair the starts and stops of states."""
    spans: list[tuple[float, float | None, str]] = []
    begun: dict[str, float] = {}
    for number, row in enumerate(rows, 2):
        time_s = seconds_of(row["time"], name, number, "Time")
        kind = (row.get("behavior type") or row.get("status") or "").strip().upper()
        behavior = row["behavior"]
        if kind == "STOP" and behavior in begun:
            spans.append((begun.pop(behavior), time_s, behavior))
        elif kind == "START":
            begun[behavior] = time_s
        elif kind == "POINT":
            spans.append((time_s, None, behavior))
        else:
            raise SessionError(
                f"{name}, row {number}: expected START, STOP after a START, or POINT for {behavior}, got "
                f"{kind or 'nothing'}. Correct it in BORIS and export again."
            )
    return spans + [(time_s, None, behavior) for behavior, time_s in begun.items()]


def _label(text: str) -> str:
    return canonical(text) or text.strip()


def by_coder(codes: Sequence[Marker]) -> Mapping[str, list[Marker]]:
    """Return codes by who coded them."""
    return {
        coder: [code for code in codes if code.source == coder] for coder in sorted({code.source for code in codes})
    }


def shares_agreement(agreements: Sequence[Agreement], label: str) -> IntraclassCorrelation | None:
    """Return how far two coders agree on the share of the time that shows an expression, over sessions.

    Args:
        agreements: of the same two coders, one for each session.
        label: the expression.

    Returns:
        None if fewer than three sessions have frames that both coded.
    """
    shares = [_shares(each, label) for each in agreements if each.frames]
    return intraclass_correlation(np.array(shares)) if len(shares) >= MIN_TARGETS else None


def _shares(agreement: Agreement, label: str) -> tuple[float, float]:
    if label not in agreement.labels:
        return 0.0, 0.0
    place, counts = agreement.labels.index(label), agreement.counts
    return counts[place].sum() / agreement.frames, counts[:, place].sum() / agreement.frames
