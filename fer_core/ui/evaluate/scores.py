"""How good the models are on the split: the figure with its interval, where it stands, and every other figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

import pandas as pd
import streamlit as st

from fer_core.charts.evaluation import AccuracyPoint, accuracy_chart
from fer_core.charts.timeline import QUIET
from fer_core.emotions import class_colors
from fer_core.evaluation.metrics import LabelMetrics
from fer_core.evaluation.published import PUBLISHED, Published
from fer_core.evaluation.results import SplitResult
from fer_core.evaluation.truth import Truth
from fer_core.formats import percent
from fer_core.models.label_sets import title_of
from fer_core.ui.components.pictures import label_html
from fer_core.ui.evaluate.choice import choose_model, choose_truth
from fer_core.ui.evaluate.people import PEOPLE_HEAD, people_cells, people_figures, people_points, share_cell
from fer_core.ui.evaluate.view import Evaluation, Measured

# How often people agree with the labels: 65 ± 5 %.
_PEOPLE = (0.60, 0.70)
_ONE_VIEW, _FLIP = "One view", "With flip"


def scores_view(found: Evaluation) -> None:
    """Draw the figures of all models, where they stand, and one model's figures by expression."""
    truth = choose_truth(found)
    figures, chart = st.columns([4, 7], gap="large")
    with figures:
        large = "".join(_large_figure(found, model, truth) for model in found.models)
        st.html(f'<div class="fer-large-figures">{large}</div>')
    with chart:
        if truth is Truth.LABELS:
            _beside_published(found)
        else:
            _beside_people(found)
    st.subheader("All figures")
    _table(_head(found, truth), [_row(found, *row, truth) for row in _rows(found)])
    if any(result.people for _, _, result in _rows(found)):
        st.subheader("Agreement with people")
        _table(PEOPLE_HEAD, [_name_cell(*row) + _cells(people_cells(row[2].people)) for row in _rows(found)])
    st.subheader("By expression" if found.view.faces.has_emotions else "By class")
    _by_label(found, truth)


def _large_figure(found: Evaluation, model: Measured, truth: Truth) -> str:
    result = model.split_result(found.split, truth)
    metrics = result.against(truth).one_view
    low, high = metrics.accuracy_95
    return (
        f'<section class="fer-figure" style="border-left:4px solid {model.color}"><strong>'
        f'{percent(metrics.accuracy)}</strong><span>{escape(model.name)}</span><p class="fer-note">'
        f"of {metrics.images:,} faces of {found.split} recognised, against {found.truth_name(truth)}; one view, "
        f"95 % interval {low * 100:.1f} to {high * 100:.1f} %</p>{people_figures(result.people)}</section>"
    )


def _beside_people(found: Evaluation) -> None:
    majority = [_own_point(found, model, Truth.MAJORITY) for model in found.models]
    st.plotly_chart(
        accuracy_chart({"Accuracy": majority, **people_points(found, Truth.MAJORITY)}, None),
        config=QUIET,
        key="people_chart",
        alt=f"How often the models agree with people on {found.split}",
    )
    st.caption(
        "With 95 % intervals. Accuracy: against the unique majority of ten votes on each face (FER+), where that is "
        "one of the seven expressions. Clear: at least 8 of 10 people saw the same. Negative: angry, disgusted, "
        "fearful or sad; a negative label is supported if at least 4 of 10 people saw the same. The fewer neutral "
        "faces are called negative, the better. Published results are against FER-2013's labels and stand there."
    )


def _beside_published(found: Evaluation) -> None:
    synthetic, other_classes = found.view.info.source.synthetic, not found.view.faces.has_emotions
    groups = {"Measured here": [_own_point(found, model, Truth.LABELS) for model in found.models]}
    not_comparable = synthetic or other_classes
    if not not_comparable:
        groups |= published_beside(found.split)
    st.plotly_chart(
        accuracy_chart(groups, None if not_comparable else _PEOPLE),
        config=QUIET,
        key="accuracy_chart",
        alt=f"Accuracy of the models on {found.split}, with people and published results",
    )
    if other_classes:
        st.caption(
            "With 95 % intervals. What people and published networks reach is known for FER-2013's seven expressions "
            "only: it does not compare with figures for other classes."
        )
        return
    if synthetic:
        st.caption("These faces are drawings: how people or published networks do on photographs says nothing here.")
        return
    st.caption(
        f"All against {found.truth_name(Truth.LABELS)}. Dots with arms are measured here, with 95 % intervals. "
        f"Comparable: one network, trained on FER-2013 alone, measured on {found.split} and never shown it before. "
        "Rings were reached in other ways: on another split, with several views, with other data, or with weights "
        "picked on the same split. The band is how often people agree with the labels."
    )
    with st.expander("Published figures and how they were reached", icon=":material/menu_book:"):
        _published_table(found.split)


def _published_table(split: str) -> None:
    rows = [
        {
            "Who": published.name,
            "Accuracy": published.accuracy * 100,
            "Measured on": published.split,
            "How": published.protocol,
            "Comparable": _compares(published, split),
        }
        for published in PUBLISHED
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        column_config={"Accuracy": st.column_config.NumberColumn(format="%.1f %%")},
    )


def published_beside(split: str) -> dict[str, list[AccuracyPoint]]:
    """Return the published figures under their headings: those that compare with figures on `split`, and the rest."""
    networks = [published for published in PUBLISHED if "People" not in published.name]
    return {
        "Published, comparable": [_published_point(one, split) for one in networks if _compares(one, split)],
        "Published, other ways": [_published_point(one, split) for one in networks if not _compares(one, split)],
    }


def _compares(published: Published, split: str) -> bool:
    return published.comparable and published.split == split


def _own_point(found: Evaluation, model: Measured, truth: Truth) -> AccuracyPoint:
    result = model.split_result(found.split, truth)
    metrics = result.against(truth).one_view
    low, high = metrics.accuracy_95
    description = (
        f"{model.name}: {percent(metrics.accuracy)} against {found.truth_name(truth)}, "
        f"95 % interval {low * 100:.1f} to {high * 100:.1f} %, {result.protocol}"
    )
    return AccuracyPoint(model.name, metrics.accuracy, metrics.accuracy_95, description, model.color)


def _published_point(published: Published, split: str) -> AccuracyPoint:
    return AccuracyPoint(
        published.name,
        published.accuracy,
        None,
        f"{published.name}: {percent(published.accuracy)} on {published.split}; {published.protocol}",
        open=not _compares(published, split),
    )


def _rows(found: Evaluation) -> list[tuple[Measured, str, SplitResult]]:
    """Return a row for each label set of each model: the model, the label set and its result."""
    return [
        (model, label_set, model.result.split(found.split, label_set))
        for model in found.models
        for label_set in model.result.label_sets
    ]


def _table(head: Iterable[tuple[str, str]], rows: Sequence[str]) -> None:
    """Draw a table of columns, each a name and its meaning, and rows of HTML cells."""
    names = "".join(f'<th scope="col" title="{escape(meaning)}">{escape(name)}</th>' for name, meaning in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    st.html(
        f'<div class="fer-scroll"><table class="fer-table"><thead><tr>{names}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


def _head(found: Evaluation, truth: Truth) -> Iterator[tuple[str, str]]:
    result = found.models[0].result.split(found.split)
    yield "Model", ""
    yield "Accuracy, one view", f"Share of faces recognised against {found.truth_name(truth)}, with its 95 % interval"
    yield "With flip", "Mean of the face and its mirror image"
    yield "Macro-F1", f"Mean F1 of the {len(found.view.class_names)} classes, 0 to 1"
    yield "Balanced accuracy", "Mean recall: every class counts the same"
    yield "Top 2", "The truth is among the two highest scores"
    if result.without_copies and truth is Truth.LABELS:
        images = result.without_copies.one_view.images
        yield f"Not in Training, {images:,} faces", "Accuracy on the faces of which Training holds no exact copy"
    for other in found.truths:
        if other is not truth:
            images = result.against(other).one_view.images
            name = "labels" if other is Truth.LABELS else "people"
            yield f"Against {name}, {images:,} faces", f"Accuracy against {found.truth_name(other)}"
    yield "Calibration error", "Expected calibration error as trained, and after the temperature"
    yield "One face", "Time for one face on this machine, median"
    yield "Size", "Of its file"
    yield "Parameters", ""


def _row(found: Evaluation, model: Measured, label_set: str, result: SplitResult, truth: Truth) -> str:
    calibration = model.result.calibrations[label_set].by_split[found.split]
    cells = [
        *_truth_cells(result, truth),
        *(percent(result.against(other).one_view.accuracy) for other in found.truths if other is not truth),
        f"{calibration.ece_before * 100:.1f} → {percent(calibration.ece_after)}",
        f"{model.scores[found.split].ms_per_face:.1f} ms",
        f"{model.size_mb:.1f} MB",
        f"{model.bundle.card.parameters:,}",
    ]
    return _name_cell(model, label_set, result) + _cells(cells)


def _truth_cells(result: SplitResult, truth: Truth) -> Iterator[str]:
    metrics = result.against(truth)
    yield share_cell(metrics.one_view.accuracy, metrics.one_view.accuracy_95)
    yield percent(metrics.with_flip and metrics.with_flip.accuracy)
    yield f"{metrics.one_view.macro_f1:.3f}"
    yield percent(metrics.one_view.balanced_accuracy)
    yield percent(metrics.one_view.top2)
    if result.without_copies and truth is Truth.LABELS:
        yield percent(result.without_copies.one_view.accuracy)


def _name_cell(model: Measured, label_set: str, result: SplitResult) -> str:
    several = len(model.result.label_sets) > 1
    note = f"<small>{escape(title_of(label_set))}</small>" if several else ""
    name = f'<span class="fer-label"><i style="background:{model.color}"></i>{escape(model.name)}</span>'
    return f'<th scope="row">{name}{note}</th>'


def _cells(cells: Iterable[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _by_label(found: Evaluation, truth: Truth) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        model = choose_model(found)
        view = st.segmented_control(
            "Views",
            [_ONE_VIEW, _FLIP],
            default=_ONE_VIEW,
            required=True,
            key="views",
            bind="query-params",
            label_visibility="visible",
        )
    metrics = model.metrics(found.split, truth)
    chosen = metrics.with_flip if view == _FLIP and metrics.with_flip else metrics.one_view
    st.html(by_label_html(chosen.by_label, "Expression" if found.view.faces.has_emotions else "Class"))
    st.caption(
        f"Against {found.truth_name(truth)}. Precision: share of the faces predicted as a class that are it. "
        "Recall: share of the faces of a class that are predicted as it. F1 is their harmonic mean."
    )


def by_label_html(figures: Mapping[str, LabelMetrics], heading: str = "Expression") -> str:
    """Return a table of precision, recall, F1 and support, one row a class, under a heading of the first column."""
    names = tuple(figures)
    colors = class_colors(names)
    rows = "".join(
        f'<tr><th scope="row">{label_html(label, names)}</th>{_bars(figures[label], colors[label])}'
        f"<td>{figures[label].support:,}</td></tr>"
        for label in names
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in (heading, "Precision", "Recall", "F1", "Faces"))
    return f'<table class="fer-table fer-by-label"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _bars(figures: LabelMetrics, color: str) -> str:
    return "".join(
        f'<td><div class="fer-share"><span>{percent(share)}</span>'
        f'<i><b style="width:{share:.1%};background:{color}"></b></i></div></td>'
        for share in (figures.precision, figures.recall, figures.f1)
    )
