"""Two models on the same faces: where they differ, and whether by more than chance."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.evaluation.compare import Comparison, compare
from fer_core.evaluation.truth import Truth
from fer_core.formats import percent
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.choice import choose_truth
from fer_core.ui.evaluate.galleries import gallery, most_confident_first
from fer_core.ui.evaluate.people import CLEAR_HELP, NEGATIVES_HELP, NEUTRAL_HELP
from fer_core.ui.evaluate.view import Evaluation, Measured


def compare_view(found: Evaluation) -> None:
    """Draw the comparison of two of the measured models."""
    if len(found.models) < 2:
        empty_state(
            "Two models side by side appear here",
            "Choose a second model above and measure it. Finished runs "
            "become models by Put live on the Training page; others can be imported under Models.",
            300,
        )
        return
    first, second, truth = _choose_two(found)
    labels = found.labels(truth)
    places = np.flatnonzero(labels >= 0)
    probs, others = (model.raw_probs(found.split, truth)[places] for model in (first, second))
    comparison = compare(probs, others, labels[places])
    st.markdown(difference_sentence(comparison, first.name, second.name))
    tiles = {
        "both right": comparison.both,
        f"only {first.name} right": comparison.only_first,
        f"only {second.name} right": comparison.only_second,
        "neither right": comparison.neither,
    }
    st.html(f'<div class="fer-figures">{"".join(_tile(name, faces) for name, faces in tiles.items())}</div>')
    st.caption(
        f"Against {found.truth_name(truth)}: {len(places):,} faces of {found.split}, one view of each. The models "
        f"agree, right or wrong, on {percent(comparison.agreement)} of them."
    )
    _beside(found, truth, first, second)
    left, right = st.columns(2, gap="large")
    with left:
        _only(found, truth, first, second, places[comparison.only_first], "only_first")
    with right:
        _only(found, truth, second, first, places[comparison.only_second], "only_second")


def _choose_two(found: Evaluation) -> tuple[Measured, Measured, Truth]:
    names = [model.name for model in found.models]
    columns = st.columns([3, 3, 6], vertical_alignment="bottom")
    first = columns[0].selectbox("First", names, 0, key="first", bind="query-params")
    others = [name for name in names if name != first]
    second = columns[1].selectbox("Second", others, 0, key="second", bind="query-params")
    with columns[2]:
        truth = choose_truth(found)
    return found.model(first), found.model(second), truth


def difference_sentence(comparison: Comparison, first: str, second: str) -> str:
    """Return in Markdown by how much two models differ and whether that is more than chance."""
    if comparison.difference == 0:
        return f"**{first} and {second} are right equally often.**"
    better, worse, sign = (first, second, 1) if comparison.difference > 0 else (second, first, -1)
    low, high = sorted(sign * value for value in comparison.difference_95)
    p = "less than 0.001" if comparison.p_value < 0.001 else f"{comparison.p_value:.3f}"
    verdict = "That is **more than chance**" if comparison.more_than_chance else "That **could be chance**"
    return (
        f"**{better} is right {abs(comparison.difference) * 100:.1f} points more often than {worse}** (95 % interval "
        f"{low * 100:+.1f} to {high * 100:+.1f}). {verdict}: were both equally good, so unequal a split would "
        f"come with a probability of {p} (McNemar's test)."
    )


def _tile(name: str, faces: np.ndarray) -> str:
    return (
        f'<section class="fer-figure"><strong>{int(faces.sum()):,}</strong><span>{escape(name)}</span>'
        f'<p class="fer-note">{percent(float(faces.mean()))} of the faces</p></section>'
    )


def _beside(found: Evaluation, truth: Truth, *models: Measured) -> None:
    st.dataframe(
        pd.DataFrame([_table_row(found, truth, model) for model in models]),
        hide_index=True,
        width="content",
        column_config={
            "Accuracy": st.column_config.NumberColumn(format="%.1f %%", help=f"Against {found.truth_name(truth)}"),
            "Clear faces": st.column_config.NumberColumn(format="%.1f %%", help=CLEAR_HELP),
            "Neutral called negative": st.column_config.NumberColumn(format="%.1f %%", help=NEUTRAL_HELP),
            "Negatives found": st.column_config.NumberColumn(format="%.1f %%", help=NEGATIVES_HELP),
            "A face": st.column_config.NumberColumn(
                format="%.1f ms", help="One face at a time on this machine, median"
            ),
            "Size": st.column_config.NumberColumn(format="%.1f MB"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        key="beside",
    )


def _table_row(found: Evaluation, truth: Truth, model: Measured) -> dict[str, str | float | int]:
    people = model.split_result(found.split, truth).people
    shares = {
        "Clear faces": people and people.clear and people.clear.accuracy,
        "Neutral called negative": people and people.neutral_called_negative and people.neutral_called_negative.share,
        "Negatives found": people and people.negatives_found and people.negatives_found.share,
    }
    return {
        "Model": model.name,
        "Accuracy": model.metrics(found.split, truth).one_view.accuracy * 100,
        **{name: share * 100 for name, share in shares.items() if share is not None},
        "A face": model.scores[found.split].ms_per_face,
        "Size": model.size_mb,
        "Parameters": model.bundle.card.parameters,
    }


def _only(found: Evaluation, truth: Truth, right: Measured, wrong: Measured, places: np.ndarray, key: str) -> None:
    probs, others = right.probs(found.split, truth), wrong.probs(found.split, truth)
    order = most_confident_first(probs, places)
    faces = "face" if len(order) == 1 else "faces"
    st.markdown(
        f"**{len(order):,} {faces}** only {right.name} gets right, most confident first; "
        f"beneath each, its label and what {wrong.name} says"
    )
    if len(order):
        notes = [f"called {found.view.class_names[row.argmax()]}" for row in others[order]]
        gallery(found, order, notes, key, f"{wrong.name} is wrong", 84)
