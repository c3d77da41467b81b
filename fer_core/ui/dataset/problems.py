"""What is wrong with a data set: each kind of fault with its count, a sentence, its faces, and what can be done."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from fer_core.audit.corrections import EXCLUDE, Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.problems import Problem, problems
from fer_core.data.duplicate_groups import leaked_rows
from fer_core.data.votes import unique_majority
from fer_core.emotions import LABELS
from fer_core.recognizer import EmotionRecognizer
from fer_core.trained_on import trained_on
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
from fer_core.ui.components.gallery import gallery, next_page, tiles
from fer_core.ui.components.widgets import empty_state

_FACES_A_PAGE = 120
_GROUPS_A_PAGE = 36
_NEAR = "near-copies"

# Of these, all but the first of each group are too many.
_SURPLUS = {"copies": "exact_duplicates", _NEAR: "duplicate_groups"}


def problems_view(
    view: DataView, findings: Findings, corrections: Corrections, recognizer: EmotionRecognizer | None
) -> None:
    """Draw the list of problems beside the chosen one."""
    found = [problem for problem in problems(findings) if problem.key != _NEAR or find_near(view) is not None]
    titles = [problem.title for problem in found]
    kinds, chosen = st.columns([3, 8], gap="medium")
    with kinds:
        title = st.radio(
            "Problem",
            titles,
            captions=[f"{problem.count:,}" for problem in found],
            key="problem",
            bind="query-params",
            label_visibility="collapsed",
            on_change=_first_page,
        )
        _not_looked_for(view, findings, recognizer)
    with chosen:
        _show(view, findings, corrections, found[titles.index(title)], recognizer)


def _not_looked_for(view: DataView, findings: Findings, recognizer: EmotionRecognizer | None) -> None:
    """Offer the looks that take longer than a click and were not taken yet; say which cannot tell anything."""
    if find_near(view) is None:
        st.caption(
            "**Near copies** were not looked for yet: every face is compared with every other, which takes "
            "about a minute."
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
        st.caption(f"**{recognizer.name}** was not asked yet which labels it contradicts.")
        st.button(
            "Ask the model",
            icon=":material/search:",
            key="look_model",
            on_click=look_with_model,
            args=(view, recognizer),
            disabled=model_looking(view, recognizer),
        )
    elif findings.label_issues is None:
        st.caption(f"**{recognizer.name}** may have learned from all of these faces, so it cannot judge their labels.")


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
    per_page = _FACES_A_PAGE if problem.group is None else _GROUPS_A_PAGE
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _actions(view, findings, problem)
        pages = math.ceil(len(groups) / per_page)
        page = st.pagination(pages, key="problem_page", bind="query-params") if pages > 1 else 1
    shown = groups[(page - 1) * per_page : page * per_page]
    note = _note_of(view, findings, problem)
    if problem.group is None:
        walls = [TileGroup(_with_notes(tiles(view, findings, corrections, [rows[0] for rows in shown]), note))]
    else:
        walls = [
            TileGroup(_with_notes(tiles(view, findings, corrections, rows), note), _caption(rows)) for rows in shown
        ]
    gallery(
        view,
        findings,
        corrections,
        walls,
        "problem_wall",
        problem.title.lower(),
        size_px=96 if problem.group is None else 84,
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
        st.button(
            f"Exclude {len(rows):,}, keep the first of each",
            key="act_surplus",
            icon=":material/block:",
            on_click=mark_faces,
            args=(view, rows, EXCLUDE, reason),
        )
        return
    rows, words = problem.rows, f"Exclude all {len(problem.rows):,}"
    if problem.key == "in-training":
        # Only training leaves faces out; what measures keeps every one.
        training = findings.in_splits("Training")
        rows = leaked_rows(training, ~training, findings.exact_duplicates, findings.near_duplicates)
        words = f"Exclude their {len(rows):,} {'copy' if len(rows) == 1 else 'copies'} in Training"
    with st.container(horizontal=True, width="content"):
        st.button(
            words, key="act_exclude", icon=":material/block:", on_click=mark_faces, args=(view, rows, EXCLUDE, reason)
        )
        if problem.key == "votes":
            st.button(
                "Relabel all as people saw them",
                key="act_relabel",
                icon=":material/edit:",
                on_click=relabel_each,
                args=(view, problem.rows, unique_majority(findings.votes[problem.rows]), reason),
            )


def _note_of(view: DataView, findings: Findings, problem: Problem) -> Callable[[Tile], str]:
    """Return what stands under a face: what the model says, or which split it is in, or what people saw."""
    if problem.key == "model":
        said = findings.label_issues
        words = {int(row): f"model: {LABELS[k]}" for row, k in zip(said.rows, said.predicted, strict=True)}
        return lambda tile: words[tile.row]
    if problem.group is not None or problem.key == "in-training":
        return lambda tile: view.split(tile.row)
    return lambda tile: tile.note


def _with_notes(some: Sequence[Tile], note: Callable[[Tile], str]) -> list[Tile]:
    return [replace(tile, note=note(tile)) for tile in some]


def _caption(rows: np.ndarray) -> str:
    return f"{len(rows)} faces, rows {rows[0]:,} to {rows[-1]:,}"


def _judged(view: DataView, recognizer: EmotionRecognizer) -> str:
    """Say which faces the model was asked about."""
    seen = trained_on(recognizer.card, view.faces)
    judged = [split for split in view.faces.splits if not seen[view.faces.rows_of(split)].all()]
    left_out = [split for split in view.faces.splits if split not in judged]
    also = f", not in {' or '.join(left_out)}, which it learned from" if left_out else ""
    return (
        f"{recognizer.name} was asked in {', '.join(judged)}{also}. Faces it saw as copies in training are left "
        "out too."
    )


def _first_page() -> None:
    st.session_state["problem_page"] = 1
