"""Cards that say what was found: each face's picture, its expression, and all scores as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from fer_core.annotate import UNCERTAIN
from fer_core.charts.timeline import clock
from fer_core.emotions import class_colors
from fer_core.formats import percent
from fer_core.media.portraits import portrait
from fer_core.media.summary import FaceSummary
from fer_core.types import FrameResult

# So many faces of a picture get a card with a bar for each score; where there are more, all get a compact card.
FULL_CARDS = 2
# Cards of the faces of a file.
MAX_CARDS = 4


def face_cards_html(result: FrameResult, image_bgr: np.ndarray, threshold: float, second: str = "") -> str:
    """Return one card per face, in the order of their numbers, as HTML for `st.html`; compact ones for many faces.

    Args:
        result: the faces and their scores.
        image_bgr: uint8 (h, w, 3), the image in which they were found.
        threshold: a best score below it is called uncertain, 0 to 1; not asked where the stream has decided.
        second: what the second label set is called, if the result has its scores.
    """
    columns = result.labels_to_show(threshold)
    compact = len(columns) > FULL_CARDS
    order = np.argsort(result.track_id, kind="stable").tolist()
    cards = [_card(result, i, columns[i], image_bgr, compact, second) for i in order]
    return f'<div class="fer-cards" data-faces="{len(order)}">{"".join(cards)}</div>'


def face_summaries_html(
    faces: Sequence[FaceSummary],
    labels: Sequence[str],
    portraits: Mapping[int, str],
    frames: int,
    names: Mapping[int, str] | None = None,
) -> str:
    """Return one card per face with its mean scores, as HTML for `st.html`.

    Args:
        faces: those of one file; the first four get a card.
        labels: names of the scores.
        portraits: number of a face to an address of its picture.
        frames: how many frames of the file were analysed.
        names: what faces are called, by their number; "Face 1" and so on if None.
    """
    names = names or {each.face: face_name(each.face - 1) for each in faces}
    cards = [_summary(each, names[each.face], labels, portraits.get(each.face), frames) for each in faces[:MAX_CARDS]]
    if more := len(faces) - len(cards):
        cards.append(f'<p class="fer-note">And {more} more, in the table.</p>')
    return f'<div class="fer-cards" data-faces="{len(faces)}">{"".join(cards)}</div>'


def face_name(track_id: int) -> str:
    """Return what a face is called on the pages; people count from 1."""
    return f"Face {track_id + 1}"


def _card(result: FrameResult, i: int, column: int | None, image_bgr: np.ndarray, compact: bool, second: str) -> str:
    """Return the card of a result's i-th face, which shows the label of a column, or that it is uncertain."""
    labels, probs = result.prediction.labels, result.prediction.probs[i]
    best = int(probs.argmax()) if column is None else column
    word = UNCERTAIN if column is None else labels[column]
    other = None if result.second is None else result.second.probs[i]
    corrected = None if result.corrected is None or np.isnan(result.corrected[i]).any() else result.corrected[i]
    name = face_name(int(result.track_id[i]))
    hint = name if column is not None else f"{name} · most like {labels[best]}"
    if result.quality is not None and (problems := result.quality.problems[i]):
        hint += f" · not valid: {', '.join(problems)}"
    return (
        f'<section class="fer-card{" fer-compact" if compact else ""}" data-expression="{escape(word)}">'
        f'<header><img alt="{name}" decoding="sync" src="{portrait(result, i, image_bgr)}">'
        f'<div><p class="fer-note">{escape(hint)}</p><p class="fer-word">{escape(word.capitalize())}</p></div>'
        f"{_columns(labels, probs) if compact else ''}"
        f'<p class="fer-score">{percent(float(probs[best]), 0)}</p></header>'
        f"{'' if compact else _bars(labels, probs, best, other)}"
        f"{_second_line(second, labels, other) if other is not None else ''}"
        f"{_corrected_line(labels, corrected) if corrected is not None else ''}</section>"
    )


def _corrected_line(labels: Sequence[str], probs: np.ndarray) -> str:
    """Return a line with the scores relative to the face's neutral baseline."""
    best = int(probs.argmax())
    return (
        '<div class="fer-corrected"><p class="fer-note">Corrected for its neutral face: '
        f"<strong>{escape(labels[best])}</strong> {percent(float(probs[best]), 0)}</p>{_columns(labels, probs)}</div>"
    )


def _second_line(title: str, labels: Sequence[str], probs: np.ndarray) -> str:
    """Return a line with what a second label set says."""
    best = int(probs.argmax())
    return (
        f'<p class="fer-note fer-second">{escape(title)}: '
        f"<strong>{escape(labels[best])}</strong> {percent(float(probs[best]), 0)}</p>"
    )


def _columns(labels: Sequence[str], probs: np.ndarray) -> str:
    """Return all scores as small columns side by side, in the labels' order."""
    colors = class_colors(tuple(labels))
    scores = [f"{label} {percent(float(prob), 0)}" for label, prob in zip(labels, probs, strict=True)]
    bars = "".join(
        f'<i title="{escape(score)}"><b style="height:{float(prob):.1%};background:{colors[label]}"></b></i>'
        for score, label, prob in zip(scores, labels, probs, strict=True)
    )
    return f'<div class="fer-columns" role="img" aria-label="{escape(", ".join(scores))}">{bars}</div>'


def _summary(face: FaceSummary, name: str, labels: Sequence[str], picture: str | None, frames: int) -> str:
    best = int(face.mean.argmax())
    if face.first_s is None:
        where, word, score = name, labels[best] if not face.uncertain else UNCERTAIN, face.mean[best]
    else:
        where = f"{name} · {face.frames:,} of {frames:,} frames, {clock(face.first_s)} to {clock(face.last_s)}"
        # What it showed longest, not the highest mean: a mean of opposites is neither.
        most = int(face.shares.argmax())
        word, score = (
            (labels[most], face.shares[most]) if face.shares[most] >= face.uncertain else (UNCERTAIN, face.uncertain)
        )
        best = most
    rows = _bars(labels, face.mean, best)
    header = (
        f'<header><img alt="{escape(name)}" decoding="sync" src="{picture}">'
        if picture
        else '<header class="fer-bare">'
    )
    of = "" if face.first_s is None else "<small>of its frames</small>"
    return (
        f'<section class="fer-card" data-expression="{escape(word)}">{header}'
        f'<div><p class="fer-note">{escape(where)}</p><p class="fer-word">{escape(word.capitalize())}</p></div>'
        f'<p class="fer-score">{percent(float(score), 0)}{of}</p></header>{rows}</section>'
    )


def _bars(labels: Sequence[str], probs: np.ndarray, best: int, second: np.ndarray | None = None) -> str:
    """Return a bar for each score, with a mark where a second label set has it."""
    colors = class_colors(tuple(labels))
    marks = ["" if second is None else _mark(float(prob)) for prob in (probs if second is None else second)]
    return "".join(
        _bar(label, colors[label], float(p), k == best, mark)
        for k, (label, p, mark) in enumerate(zip(labels, probs, marks, strict=True))
    )


def _mark(prob: float) -> str:
    return f'<u style="left:{prob:.1%}" title="{percent(prob, 0)}"></u>'


def _bar(label: str, color: str, prob: float, is_best: bool, mark: str) -> str:
    return (
        f'<div class="fer-bar{" fer-best" if is_best else ""}"><span>{escape(label)}</span>'
        f'<i><b style="width:{prob:.1%};background:{color}"></b>{mark}</i><span>{percent(prob, 0)}</span></div>'
    )
