"""How good the models are on the split: the figure with its interval, where it stands, and every other figure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import pandas as pd
import streamlit as st

from fer_core.charts.evaluation import AccuracyPoint, accuracy_chart
from fer_core.charts.timeline import QUIET
from fer_core.emotions import COLORS, LABELS
from fer_core.evaluation.published import PUBLISHED, Published
from fer_core.ui.components.pictures import label_html
from fer_core.ui.evaluate.choice import choose_model
from fer_core.ui.evaluate.view import Evaluation, Measured, percent

# How often people agree with the labels: 65 ± 5 %.
_PEOPLE = (0.60, 0.70)
_ONE_VIEW, _FLIP = "One view", "With flip"


def scores_view(found: Evaluation) -> None:
    """Draw the figures of all models, where they stand, and one model's figures by expression."""
    figures, chart = st.columns([3, 8], gap="large")
    with figures:
        st.html(f'<div class="fer-large-figures">{"".join(_large(found, model) for model in found.models)}</div>')
    with chart:
        _standings(found)
    st.subheader("All figures")
    _table(found)
    st.subheader("By expression")
    _by_label(found)


def _large(found: Evaluation, model: Measured) -> str:
    figures = model.figures["splits"][found.split]
    low, high = figures["accuracy_95"]
    return (
        f'<section class="fer-figure" style="border-left:4px solid {model.color}"><strong>'
        f'{percent(figures["accuracy"])}</strong><span>{escape(model.name)}</span><p class="fer-note">of '
        f"{figures['images']:,} faces of {found.split} recognised, one view each. With 95 % certainty "
        f"{low * 100:.1f} to {high * 100:.1f} %.</p></section>"
    )


def _standings(found: Evaluation) -> None:
    drawn = found.view.info.source.synthetic
    groups = {"Measured here": [_own(found, model) for model in found.models]}
    if not drawn:
        groups |= published_beside(found.split)
    st.plotly_chart(
        accuracy_chart(groups, None if drawn else _PEOPLE),
        config=QUIET,
        key="accuracy_chart",
        alt=f"Accuracy of the models on {found.split}, with people and published results",
    )
    if drawn:
        st.caption("These faces are drawings: how people or published networks do on photographs says nothing here.")
        return
    st.caption(
        "Dots with arms are measured here, with 95 % intervals. Comparable: one network, trained on FER-2013 "
        f"alone, measured on {found.split} and never shown it before. Rings were reached in other ways: on "
        "another split, with several views, with other data, or with weights picked on the very split. The band "
        "is how often people agree with the labels."
    )
    with st.expander("Published figures and how they were reached", icon=":material/menu_book:"):
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "Who": each.name,
                        "Accuracy": each.accuracy * 100,
                        "Measured on": each.split,
                        "How": each.protocol,
                        "Comparable": _compares(each, found.split),
                    }
                    for each in PUBLISHED
                ]
            ),
            hide_index=True,
            width="stretch",
            column_config={"Accuracy": st.column_config.NumberColumn(format="%.1f %%")},
        )


def published_beside(split: str) -> dict[str, list[AccuracyPoint]]:
    """Return the published figures under their headings: those that compare with figures on `split`, and the rest."""
    networks = [each for each in PUBLISHED if "People" not in each.name]
    return {
        "Published, comparable": [_published(each, split) for each in networks if _compares(each, split)],
        "Published, other ways": [_published(each, split) for each in networks if not _compares(each, split)],
    }


def _compares(each: Published, split: str) -> bool:
    return each.comparable and each.split == split


def _own(found: Evaluation, model: Measured) -> AccuracyPoint:
    figures = model.figures["splits"][found.split]
    low, high = figures["accuracy_95"]
    return AccuracyPoint(
        model.name,
        figures["accuracy"],
        (low, high),
        f"{model.name}: {percent(figures['accuracy'])}, "
        f"95 % interval {low * 100:.1f} to {high * 100:.1f} %, {figures['protocol']}",
        model.color,
    )


def _published(each: Published, split: str) -> AccuracyPoint:
    return AccuracyPoint(
        each.name,
        each.accuracy,
        None,
        f"{each.name}: {percent(each.accuracy)} on {each.split}; {each.protocol}",
        open=not _compares(each, split),
    )


def _table(found: Evaluation) -> None:
    figures = found.models[0].figures["splits"][found.split]
    head = [
        ("Model", ""),
        ("Accuracy, one view", "Share of faces recognised, with its 95 % interval"),
        ("With flip", "Mean of the face and its mirror image"),
        ("Macro-F1", "Mean F1 of the seven expressions, 0 to 1"),
        ("Balanced accuracy", "Mean recall: every expression counts the same"),
        ("Top 2", "The label is among the two highest scores"),
    ]
    if "without_copies" in figures:
        head.append(
            (
                f"Not in Training, {figures['without_copies']['images']:,} faces",
                "Accuracy on the faces of which Training holds no exact copy",
            )
        )
    if "ferplus" in figures:
        head.append(
            (
                f"Against FER+, {figures['ferplus']['images']:,} faces",
                "Accuracy against what more of ten people saw than anything else, where that is one of the seven",
            )
        )
    head += [
        ("Calibration error", "Expected calibration error as trained, and after the temperature"),
        ("One face", "Time for one face on this machine, median"),
        ("Size", "Of its file"),
        ("Parameters", ""),
    ]
    words = "".join(f'<th scope="col" title="{escape(meaning)}">{escape(name)}</th>' for name, meaning in head)
    rows = "".join(_row(found, model) for model in found.models)
    st.html(
        f'<div class="fer-scroll"><table class="fer-table"><thead><tr>{words}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(found: Evaluation, model: Measured) -> str:
    figures = model.figures["splits"][found.split]
    calibrated = model.figures["calibration"]["by_split"][found.split]
    low, high = figures["accuracy_95"]
    cells = [
        f"<b>{percent(figures['accuracy'])}</b><small>{low * 100:.1f} to {high * 100:.1f} %</small>",
        percent(figures["with_flip"]["accuracy"]),
        f"{figures['macro_f1']:.3f}",
        percent(figures["balanced_accuracy"]),
        percent(figures["top2"]),
        *(percent(figures[part]["accuracy"]) for part in ("without_copies", "ferplus") if part in figures),
    ]
    cells += [
        f"{calibrated['ece_before'] * 100:.1f} → {percent(calibrated['ece_after'])}",
        f"{model.scores[found.split].ms_per_face:.1f} ms",
        f"{model.size_mb:.1f} MB",
        f"{model.bundle.card.parameters:,}",
    ]
    name = f'<span class="fer-label"><i style="background:{model.color}"></i>{escape(model.name)}</span>'
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _by_label(found: Evaluation) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        model = choose_model(found)
        way = st.segmented_control(
            "Views",
            [_ONE_VIEW, _FLIP],
            default=_ONE_VIEW,
            required=True,
            key="views",
            bind="query-params",
            label_visibility="visible",
        )
    figures = model.figures["splits"][found.split]
    if way == _FLIP:
        figures = figures["with_flip"]
    st.html(by_label_html(figures["by_label"]))
    st.caption(
        "Precision: of the faces called so, the share that is labelled so. Recall: of the faces labelled so, "
        "the share that is called so. F1 is their harmonic mean."
    )


def by_label_html(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return a table of precision, recall, F1 and support, one row an expression."""
    rows = "".join(
        f'<tr><th scope="row">{label_html(label)}</th>'
        f"{''.join(_bar(figures[label][key], COLORS[label]) for key in ('precision', 'recall', 'f1'))}"
        f"<td>{figures[label]['support']:,}</td></tr>"
        for label in LABELS
    )
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Expression", "Precision", "Recall", "F1", "Faces"))
    return f'<table class="fer-table fer-by-label"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _bar(share: float, color: str) -> str:
    bar = f'<i><b style="width:{share:.1%};background:{color}"></b></i>'
    return f'<td><div class="fer-share"><span>{percent(share)}</span>{bar}</div></td>'
