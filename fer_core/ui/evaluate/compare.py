"""Two models on the same faces: where they differ, and whether by more than chance."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.emotions import LABELS
from fer_core.evaluation.compare import Comparison, compare
from fer_core.ui.components.widgets import empty_state
from fer_core.ui.evaluate.galleries import gallery, most_confident_first
from fer_core.ui.evaluate.view import Evaluation, Measured, percent


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
    names = [model.name for model in found.models]
    columns = st.columns([3, 3, 6], vertical_alignment="bottom")
    first = columns[0].selectbox("First", names, 0, key="first", bind="query-params")
    others = [name for name in names if name != first]
    second = columns[1].selectbox("Second", others, 0, key="second", bind="query-params")
    a, b = found.model(first), found.model(second)
    both = compare(a.scores[found.split].probs, b.scores[found.split].probs, found.labels)
    st.markdown(difference_words(both, a.name, b.name))
    tiles = {
        "both right": both.both,
        f"only {a.name} right": both.only_first,
        f"only {b.name} right": both.only_second,
        "neither right": both.neither,
    }
    st.html(f'<div class="fer-figures">{"".join(_tile(words, places) for words, places in tiles.items())}</div>')
    st.caption(
        f"They say the same, right or wrong, of {percent(both.agreement)} of the faces of {found.split}. "
        f"One view of each."
    )
    _beside(found, a, b)
    left, right = st.columns(2, gap="large")
    with left:
        _only(found, a, b, both.only_first, "only_first")
    with right:
        _only(found, b, a, both.only_second, "only_second")


def difference_words(found: Comparison, first: str, second: str) -> str:
    """Say in Markdown by how much two models differ and whether that is more than chance."""
    if found.difference == 0:
        return f"**{first} and {second} are right equally often.**"
    better, worse, sign = (first, second, 1) if found.difference > 0 else (second, first, -1)
    low, high = sorted(sign * value for value in found.difference_95)
    p = "less than 0.001" if found.p_value < 0.001 else f"{found.p_value:.3f}"
    verdict = "That is **more than chance**" if found.more_than_chance else "That **could be chance**"
    return (
        f"**{better} is right {abs(found.difference) * 100:.1f} points more often than {worse}** (95 % interval "
        f"{low * 100:+.1f} to {high * 100:+.1f}). {verdict}: were both equally good, so unequal a split would "
        f"come with a probability of {p} (McNemar's test)."
    )


def _tile(words: str, places: np.ndarray) -> str:
    return (
        f'<section class="fer-figure"><strong>{int(places.sum()):,}</strong><span>{escape(words)}</span>'
        f'<p class="fer-note">{percent(float(places.mean()))} of the faces</p></section>'
    )


def _beside(found: Evaluation, *models: Measured) -> None:
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Model": model.name,
                    "Accuracy": model.figures["splits"][found.split]["accuracy"] * 100,
                    "A face": model.scores[found.split].ms_per_face,
                    "Size": model.size_mb,
                    "Parameters": model.bundle.card.parameters,
                }
                for model in models
            ]
        ),
        hide_index=True,
        width="content",
        column_config={
            "Accuracy": st.column_config.NumberColumn(format="%.1f %%"),
            "A face": st.column_config.NumberColumn(
                format="%.1f ms", help="One face at a time on this machine, median"
            ),
            "Size": st.column_config.NumberColumn(format="%.1f MB"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        key="beside",
    )


def _only(found: Evaluation, right: Measured, wrong: Measured, places: np.ndarray, key: str) -> None:
    probs, others = right.said(found.split), wrong.said(found.split)
    order = most_confident_first(probs, np.flatnonzero(places))
    faces = "face" if len(order) == 1 else "faces"
    st.markdown(
        f"**{len(order):,} {faces}** only {right.name} gets right, its surest first; beneath, what {wrong.name} says"
    )
    if len(order):
        notes = [f"called {LABELS[row.argmax()]}" for row in others[order]]
        gallery(found, order, notes, key, f"{wrong.name} is wrong", 84)
