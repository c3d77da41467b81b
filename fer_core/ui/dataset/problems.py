"""What is wrong with a data set: each kind of fault with its count, a sentence, its faces, and what can be done."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from fer_core.audit.corrections import EXCLUDE, Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.problems import Problem, excluded_shares, labels_text, problems
from fer_core.data.duplicate_groups import leaked_rows
from fer_core.data.votes import unique_majority
from fer_core.emotions import LABELS
from fer_core.formats import count_text
from fer_core.recognizer import EmotionRecognizer
from fer_core.trained_on import trained_on, training_fingerprint
from fer_core.ui.components.analysis import (
    find_model_outputs,
    find_near,
    look_for_near,
    look_with_model,
    looking_for_near,
    model_looking,
)
from fer_core.ui.components.corrections import mark_faces, relabel_each
from fer_core.ui.components.data_view import DataView
from fer_core.ui.components.face_grid import Tile, TileGroup
from fer_core.ui.components.gallery import gallery, next_page, pager, tiles
from fer_core.ui.components.widgets import empty_state

_FACES_A_PAGE = 120
_GROUPS_A_PAGE = 36
_NEAR, _LEAKS = "near-copies", "in-training"

# Share of a split, 0 to 1, above which excluding that much with one click asks first.
_ASK_ABOVE = 0.05

# Of these, all but the first of each group are too many.
_SURPLUS = {"copies": "exact_duplicates", _NEAR: "duplicate_groups"}


def problems_view(
    view: DataView, findings: Findings, corrections: Corrections, recognizer: EmotionRecognizer | None
) -> None:
    """Draw the list of problems beside the chosen one."""
    listed = problems(findings)
    titles = [problem.title for problem in listed]
    kinds, chosen = st.columns([3, 8], gap="medium")
    with kinds:
        title = st.radio(
            "Problem",
            titles,
            captions=[problem.count_text for problem in listed],
            key="problem",
            bind="query-params",
            label_visibility="collapsed",
            on_change=_first_page,
        )
        _not_looked_for(view, findings, recognizer)
    with chosen:
        _show(view, findings, corrections, listed[titles.index(title)], recognizer)


def _not_looked_for(view: DataView, findings: Findings, recognizer: EmotionRecognizer | None) -> None:
    """Offer the analyses that take longer than a click and were not run yet; say which cannot tell anything."""
    if find_near(view) is None:
        st.caption(
            "**Near copies** were not looked for yet. Every face is compared with every other; you see how far it is."
        )
        st.button(
            "Look for near copies",
            icon=":material/search:",
            key="look_near",
            on_click=look_for_near,
            args=(view,),
            disabled=looking_for_near(view),
        )
    if recognizer is None:
        return
    if find_model_outputs(view, recognizer) is None:
        st.caption(f"**{recognizer.name}** was not yet asked which labels it contradicts.")
        st.button(
            "Ask the model",
            icon=":material/search:",
            key="look_model",
            on_click=look_with_model,
            args=(view, recognizer),
            disabled=model_looking(view, recognizer),
        )
    elif findings.label_issues is None:
        was = "may have been" if training_fingerprint(recognizer.card) is None else "was"
        st.caption(f"**{recognizer.name}** {was} trained on these faces, so it cannot judge their labels.")


def _show(
    view: DataView, findings: Findings, corrections: Corrections, problem: Problem, recognizer: EmotionRecognizer | None
) -> None:
    st.subheader(problem.title)
    if len(problem.rows) == 0:
        empty_state("None found", "This data set is free of this problem.", 200)
        return
    st.markdown(problem.explanation)
    if problem.key == "model" and recognizer is not None:
        st.caption(_judged(view, recognizer))
    groups = _groups(problem)
    grouped = problem.group is not None or problem.key == _LEAKS
    per_page = _GROUPS_A_PAGE if grouped else _FACES_A_PAGE
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _actions(view, findings, problem)
        pages = math.ceil(len(groups) / per_page)
        page = pager("problem_page", pages) if pages > 1 else 1
    shown = groups[(page - 1) * per_page : page * per_page]
    if problem.key == _LEAKS:
        shown = [np.concatenate([rows, findings.copies_of(int(rows[0]))]) for rows in shown]
    note = _note_of(view, findings, problem)
    if grouped:
        walls = [
            TileGroup(_with_notes(tiles(view, findings, corrections, rows), note), _caption(view, rows))
            for rows in shown
        ]
    else:
        walls = [TileGroup(_with_notes(tiles(view, findings, corrections, [rows[0] for rows in shown]), note))]
    gallery(
        view,
        findings,
        corrections,
        walls,
        "problem_wall",
        problem.title.lower(),
        size_px=84 if grouped else 96,
    )
    next_page("problem_page", page, pages)


def _groups(problem: Problem) -> list[np.ndarray]:
    """Return the rows of each group, or each row by itself."""
    if problem.group is None:
        return list(problem.rows[:, None])
    return np.split(problem.rows, np.flatnonzero(np.diff(problem.group)) + 1)


def _actions(view: DataView, findings: Findings, problem: Problem) -> None:
    """Offer what can be done with all faces of a problem at once; each is one step for Undo."""
    reason = problem.title.lower()
    if problem.key in _SURPLUS:
        surplus = getattr(findings, _SURPLUS[problem.key]).surplus
        rows = np.intersect1d(surplus, problem.rows)
        _exclude_button(
            view,
            findings,
            rows,
            f"Exclude {count_text(len(rows), 'image')}, keep the first of each",
            reason,
            "act_surplus",
        )
        return
    rows, title = problem.rows, f"Exclude all {count_text(len(problem.rows), 'image')}"
    if problem.key == _LEAKS:
        # Only training leaves faces out; what measures keeps every one.
        training = findings.in_splits("Training")
        tests = np.isin(np.arange(len(training)), problem.rows)
        rows = leaked_rows(training, tests, findings.exact_duplicates, findings.near_duplicates)
        title = f"Exclude their {count_text(len(rows), 'copy')} in Training"
    with st.container(horizontal=True, width="content"):
        _exclude_button(view, findings, rows, title, reason, "act_exclude")
        if problem.key == "votes":
            st.button(
                "Relabel all as people saw them",
                key="act_relabel",
                icon=":material/edit:",
                on_click=relabel_each,
                args=(view, problem.rows, unique_majority(findings.votes[problem.rows]), reason),
            )


def _exclude_button(view: DataView, findings: Findings, rows: np.ndarray, title: str, reason: str, key: str) -> None:
    """Draw a button that excludes `rows`; ask first where that takes away much of a split."""
    exclude = {"key": key, "on_click": mark_faces, "args": (view, rows, EXCLUDE, reason)}
    shares = {split: share for split, share in excluded_shares(findings, rows).items() if share > _ASK_ABOVE}
    if not shares:
        st.button(title, icon=":material/block:", **exclude)
        return
    with st.popover(title, icon=":material/block:"):
        parts = " and ".join(f"**{share * 100:.0f} % of {split}**" for split, share in shares.items())
        st.markdown(f"This leaves out {parts}. Look at the groups first: are these really copies?")
        st.button(f"Exclude {len(rows):,} images", type="primary", **exclude)


def _note_of(view: DataView, findings: Findings, problem: Problem) -> Callable[[Tile], str]:
    """Return what stands under a face: what the model says, or which split it is in, or what people saw."""
    if problem.key == "model":
        issues = findings.label_issues
        predicted = {int(row): f"model: {LABELS[k]}" for row, k in zip(issues.rows, issues.predicted, strict=True)}
        return lambda tile: predicted[tile.row]
    if problem.group is not None or problem.key == _LEAKS:
        return lambda tile: view.split(tile.row)
    return lambda tile: tile.note


def _with_notes(shown: Sequence[Tile], note: Callable[[Tile], str]) -> list[Tile]:
    return [replace(tile, note=note(tile)) for tile in shown]


def _caption(view: DataView, rows: np.ndarray) -> str:
    return f"{count_text(len(rows), 'face')} · {labels_text(view.faces.labels[rows])}"


def _judged(view: DataView, recognizer: EmotionRecognizer) -> str:
    """Say which faces the model was asked about."""
    known = trained_on(recognizer.card, view.faces)
    judged = [split for split in view.faces.splits if not known[view.faces.rows_of(split)].all()]
    left_out = [split for split in view.faces.splits if split not in judged]
    was = "may have been" if training_fingerprint(recognizer.card) is None else "was"
    also = f", not in {' or '.join(left_out)}, which it {was} trained on" if left_out else ""
    return (
        f"{recognizer.name} was asked in {', '.join(judged)}{also}. Faces of which a copy or near copy was among its "
        "training images are left out too."
    )


def _first_page() -> None:
    st.session_state["problem_page"] = 1
