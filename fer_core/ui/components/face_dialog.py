"""One face, large: its row, label, votes, the model's scores, its copies, its nearest neighbours, and its mark.

What can be clicked stays where it is whatever is clicked: a control that disappears takes the keyboard's focus with
it, and Escape then no longer closes the dialog.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from fer_core.audit.corrections import EXCLUDE, Correction, Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.problems import labels_text
from fer_core.audit.projection import nearest
from fer_core.audit.search import SUSPICIOUS
from fer_core.data.face_set import VOTE_COLUMNS, hash_images
from fer_core.emotions import COLORS, LABELS
from fer_core.formats import count_text
from fer_core.models.card import ModelCard
from fer_core.recognizer import EmotionRecognizer
from fer_core.trained_on import trained_on, training_fingerprint
from fer_core.ui.components.analysis import (
    find_model_outputs,
    look_with_model,
    model_looking,
)
from fer_core.ui.components.corrections import mark_faces, read_or_explain
from fer_core.ui.components.data_view import DataView, seen_word
from fer_core.ui.components.face_grid import Tile, TileGroup, face_grid
from fer_core.ui.components.pictures import Bar, bars_html, label_html, png_url
from fer_core.ui.components.selections import explain_failure, saved_selections, tag_faces, untag_faces

# The address's word for the face that is open.
_ASKED = "face"
_ORDER = "face_order"
_EXCLUDED, _LABEL, _TAGS = "face_excluded", "face_label", "face_tags"
# What the list of corrections gives as the reason.
_REASON = "looked at"
_NEIGHBOURS = 14
_STRIP_PX = 72
_STEPS = (("Previous", "chevron_left", -1, "Left"), ("Next", "chevron_right", 1, "Right"))
_OTHER_COLOR = "#8C8678"
# More than any row has; Python reads no number of thousands of digits.
_MOST_DIGITS = 12


def open_face(row: int, order: Sequence[int] = ()) -> None:
    """Open a face with the next run of the page, as the callback of a widget.

    Args:
        row: of the data set.
        order: the faces that Previous and Next step through; those before if empty.
    """
    st.query_params[_ASKED] = str(row)
    if order:
        st.session_state[_ORDER] = list(order)


def show_asked_face(view: DataView, findings: Findings, recognizer: EmotionRecognizer | None) -> None:
    """Open the face that the address asks for, if it asks for one of this data set."""
    asked = st.query_params.get(_ASKED)
    if asked is None:
        return
    if not asked.isdecimal() or len(asked) > _MOST_DIGITS or int(asked) >= len(view.faces):
        _close()
        st.warning(
            f"There is no row {asked} in this data set; it has rows 0 to {len(view.faces) - 1:,}.",
            icon=":material/search_off:",
        )
        return
    _dialog(view, findings, recognizer)


def _close() -> None:
    st.query_params.pop(_ASKED, None)


@st.dialog("One face", width="large", on_dismiss=_close)
def _dialog(view: DataView, findings: Findings, recognizer: EmotionRecognizer | None) -> None:
    row = int(st.query_params.get(_ASKED, 0))
    corrections = read_or_explain(view)
    explain_failure(view.info)
    picture, facts, scores = st.columns([3, 4, 4], gap="medium")
    with picture:
        st.html(f'<img class="fer-large" src="{png_url(view.faces.images[row])}" alt="{escape(view.title(row))}">')
        _steps(row)
    with facts:
        _facts(view, findings, corrections, row)
        _mark_controls(view, corrections, row)
        _tags(view, row)
    with scores:
        _votes(findings, row)
        _scores(view, recognizer, row)
    _copies(view, findings, row)
    _neighbours(view, recognizer, row)


def _steps(row: int) -> None:
    """Draw Previous and Next; after the last face comes the first."""
    order = st.session_state.get(_ORDER, [])
    can_step = row in order and len(order) > 1
    with st.container(horizontal=True, horizontal_alignment="center"):
        for name, icon, step, shortcut in _STEPS:
            st.button(
                name,
                icon=f":material/{icon}:",
                key=f"face_{name}",
                disabled=not can_step,
                shortcut=shortcut,
                icon_position="left" if step < 0 else "right",
                on_click=open_face,
                args=(order[(order.index(row) + step) % len(order)] if can_step else row,),
            )


def _facts(view: DataView, findings: Findings, corrections: Corrections, row: int) -> None:
    score = float(findings.issue_score.score[row])
    reasons = findings.issue_score.reasons(row)
    stats = findings.image_stats
    drawn = "<p class='fer-note'>Drawn by this program, not a photograph.</p>" if view.info.source.synthetic else ""
    facts = {
        "Row": f"{row:,}, counted from 0",
        "Split": view.split(row),
        "Brightness": f"{stats.mean[row]:.0f} of 255",
        "Contrast": f"{stats.std[row]:.0f}",
    }
    if reasons:
        facts["Issue score"] = f"{score * 100:.0f} %: {', '.join(reasons)}"
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    badge = ' <span class="fer-tag">suspicious</span>' if score >= SUSPICIOUS else ""
    st.html(
        f'<p class="fer-note">Labelled</p><p class="fer-word">{label_html(view.label(row))}{badge}</p>{drawn}'
        f'<dl class="fer-facts">{rows}</dl>'
    )


def _mark_controls(view: DataView, corrections: Corrections, row: int) -> None:
    """Draw what marks a face: a toggle that excludes it and its label, of which another one can be chosen."""
    mark = corrections.current.get(row)
    own = view.label(row)
    excluded = mark is not None and mark.action == EXCLUDE
    st.session_state[_EXCLUDED] = excluded
    st.session_state[_LABEL] = own if mark is None or excluded else mark.label
    st.toggle("Exclude from training", key=_EXCLUDED, on_change=_exclude, args=(view, row))
    st.pills("Label for training", LABELS, required=True, key=_LABEL, wrap=True, on_change=_relabel, args=(view, row))
    st.caption(_mark_sentence(mark, own))


def _mark_sentence(mark: Correction | None, label: str) -> str:
    if mark is None:
        return "Not marked: training uses this face as it is."
    if mark.action == EXCLUDE:
        return ":material/bookmark: Marked to be left out of training."
    return f":material/bookmark: Marked to be relabelled {mark.label}; the data set says {label}."


def _exclude(view: DataView, row: int) -> None:
    mark_faces(view, [row], EXCLUDE if st.session_state[_EXCLUDED] else "", _REASON, toast=False)


def _relabel(view: DataView, row: int) -> None:
    label = st.session_state[_LABEL]
    mark_faces(view, [row], "" if label == view.label(row) else label, _REASON, toast=False)


def _tags(view: DataView, row: int) -> None:
    """Draw the face's tags; any can be taken off, and new ones added."""
    selections = saved_selections(view.info)
    st.session_state[_TAGS] = list(selections.tags_of(row))
    st.multiselect(
        "Tags",
        list(selections.tags),
        accept_new_options=True,
        placeholder="Choose a tag or type a new one",
        key=_TAGS,
        on_change=_change_tags,
        args=(view, row),
    )


def _change_tags(view: DataView, row: int) -> None:
    before, after = set(saved_selections(view.info).tags_of(row)), set(st.session_state[_TAGS])
    for name in before - after:
        untag_faces(view, [row], name, toast=False)
    for name in after - before:
        tag_faces(view, [row], name, toast=False)


def _votes(findings: Findings, row: int) -> None:
    if findings.votes is None:
        return
    votes = findings.votes[row]
    total = int(votes.sum())
    if total == 0:
        st.html('<p class="fer-note">Nobody voted on this image for FER+.</p>')
        return
    names = [seen_word(column) for column in VOTE_COLUMNS]
    bars = [
        Bar(names[k], votes[k] / total, str(votes[k]), COLORS.get(names[k], _OTHER_COLOR), votes[k] == votes.max())
        for k in np.argsort(-votes, kind="stable")
        if votes[k]
    ]
    st.html(f'<p class="fer-note">What {total} people saw</p>{bars_html(bars)}')


def _scores(view: DataView, recognizer: EmotionRecognizer | None, row: int) -> None:
    if recognizer is None:
        st.caption("No model is at hand to score this face.")
        return
    probs = recognizer.classify(view.faces.images[row : row + 1])[0]
    bars = [
        Bar(label, float(p), f"{p * 100:.0f} %", COLORS[label], p == probs.max())
        for label, p in zip(recognizer.labels, probs, strict=True)
    ]
    hint = _scores_hint(view, recognizer.card, row)
    note = f'<p class="fer-note">{hint}</p>' if hint else ""
    st.html(f'<p class="fer-note">What {escape(recognizer.name)} scores</p>{bars_html(bars)}{note}')


def _scores_hint(view: DataView, card: ModelCard, row: int) -> str:
    """Return why the scores of a face mean less than they seem to; empty if nothing is known against them."""
    fingerprint = training_fingerprint(card)
    if fingerprint is not None and np.isin(hash_images(view.faces.images[row : row + 1]), fingerprint)[0]:
        return "It was trained on this very image."
    if view.info.source.synthetic and not card.data.get("synthetic"):
        return "It learned from photographs: on drawings its scores mean little."
    if fingerprint is None and trained_on(card, view.faces)[row]:
        return "It may have been trained on this very image."
    return ""


def _copies(view: DataView, findings: Findings, row: int) -> None:
    """Show the face beside its copies, each with its label and split, and say whether their labels differ."""
    copies = findings.copies_of(row)
    if len(copies) == 0:
        return
    rows = np.concatenate([[row], copies])
    same = np.isin(rows, findings.exact_duplicates.with_row(row))
    notes = [f"{view.split(r)}{'' if exact else ', near'}" for r, exact in zip(rows, same, strict=True)]
    st.markdown(
        f"**{count_text(len(copies), 'copy')}** of this picture, which stands first: "
        f"{labels_text(view.faces.labels[rows])}"
    )
    _strip(view, rows, notes, "face_copies")


def _neighbours(view: DataView, recognizer: EmotionRecognizer | None, row: int) -> None:
    if recognizer is None:
        return
    outputs = find_model_outputs(view, recognizer)
    if outputs is None:
        st.caption(
            "The faces most like this one, by the model's features, appear here once it has looked at all of them."
        )
        if st.button("Look at all faces", key="face_look", disabled=model_looking(view, recognizer)):
            look_with_model(view, recognizer)
            _close()
            st.rerun()
        return
    rows, cosine = nearest(outputs.features, row, _NEIGHBOURS)
    st.markdown(f"**Most alike** by the features of {recognizer.name}")
    _strip(view, rows, [f"{value:.2f} alike" for value in cosine], "face_nearest")


def _strip(view: DataView, rows: Sequence[int], notes: Sequence[str], key: str) -> None:
    tiles = [Tile(int(r), view.label(r), view.title(r), note) for r, note in zip(rows, notes, strict=True)]
    face_grid(view.faces.images, [TileGroup(tiles)], key, _STRIP_PX, on_open=open_face)
