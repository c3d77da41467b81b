"""Whether the scores mean what they say, and what is gained by calling faces with low scores uncertain."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.charts.calibration import (
    ReliabilityBins,
    coverage_chart,
    reliability_chart,
)
from fer_core.charts.timeline import QUIET
from fer_core.evaluation.assessment import calibration_labels
from fer_core.evaluation.calibration import Coverage, coverage, reliability
from fer_core.evaluation.results import CalibrationResult
from fer_core.formats import percent
from fer_core.models.label_sets import title_of
from fer_core.models.temperature import Temperature
from fer_core.ui.evaluate.choice import choose_model
from fer_core.ui.evaluate.view import Evaluation, Measured


def calibration_view(found: Evaluation) -> None:
    """Draw one model's reliability before and after its temperature, and its accuracy against its coverage."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        model = choose_model(found)
        label_set = _choose_label_set(model)
    fitted = model.result.calibrations[label_set]
    labels, truth = calibration_labels(found.faces, found.split, label_set)
    scores = model.scores[found.split].by_label_set(model.bundle.card)[label_set]
    before, labels = scores.probs[labels >= 0], labels[labels >= 0]
    after = fitted.temperature.apply(before)
    st.subheader("Do its scores mean what they say?")
    _reliability(model, before, after, labels, fitted.temperature)
    st.caption(f"On {found.split}, against {found.truth_name(truth)}. {_fitted_sentence(found, model, fitted)}")
    st.subheader("When should it rather say uncertain?")
    _selective_accuracy(model, label_set, coverage(after, labels))


def _choose_label_set(model: Measured) -> str:
    """Return the label set whose calibration is shown; with more than one, draw the choice."""
    names = model.result.label_sets
    if len(names) == 1:
        return names[0]
    chosen = st.segmented_control(
        "Answers for",
        names,
        default=names[0],
        format_func=lambda name: title_of(name),
        required=True,
        key="label_set",
        bind="query-params",
    )
    return chosen if chosen in names else names[0]


def _reliability(
    model: Measured, before: np.ndarray, after: np.ndarray, labels: np.ndarray, temperature: Temperature
) -> None:
    diagrams = []
    for name, probs in (("As trained", before), ("After temperature", after)):
        bins = reliability(probs, labels)
        diagrams.append(
            ReliabilityBins(
                f"<b>{name}</b><br>error {percent(bins.error)}",
                bins.edges,
                bins.count,
                bins.confidence,
                bins.accuracy,
            )
        )
    st.plotly_chart(
        reliability_chart(diagrams, model.color),
        config=QUIET,
        key="reliability",
        alt="Accuracy by best score, as trained and after the temperature",
    )
    st.caption(
        "Each bar is the accuracy of the faces whose best score falls in its range. On the dotted line scores mean "
        "what they say; bars below it are overconfident. Beneath: the number of faces. "
        f"The temperature, which divides the logits of each face, is {temperature}"
        f"{' of its scores' if temperature.entropy_power else ''}."
    )


def _fitted_sentence(found: Evaluation, model: Measured, fitted: CalibrationResult) -> str:
    """Say where temperature and threshold come from."""
    against = "" if fitted.against is None else f" against {found.truth_name(fitted.against)}"
    if fitted.fitted_on in model.scores and fitted.fitted_on not in model.result.trained_on:
        same = (
            " That is the split on show, so the figures after it are flattering."
            if fitted.fitted_on == found.split and not found.subset
            else ""
        )
        return f"Temperature and threshold were fitted on {fitted.fitted_on}{against}.{same}"
    if fitted.fitted_on:
        return (
            "This data set has no split to fit on that the model was not trained on: temperature and threshold "
            f"come from the model's card, fitted on {fitted.fitted_on} of its own data{against}."
        )
    return (
        "This data set has no split to fit a temperature on that the model was not trained on, and the model's "
        "card has none: the scores stay as they are."
    )


@st.fragment
def _selective_accuracy(model: Measured, label_set: str, curve: Coverage) -> None:
    fitted = model.result.calibrations[label_set]
    own, target = fitted.uncertain_below, fitted.target * 100
    with st.container(key="risk"):
        figures, chart = st.columns([5, 7], gap="large", vertical_alignment="center")
        with figures:
            # Another model or label set starts at its own threshold.
            threshold = (
                st.slider(
                    "Uncertain below a best score of",
                    0,
                    99,
                    round((own or 0) * 100),
                    format="%d %%",
                    key=f"threshold_{model.name}"
                    + ("" if label_set == model.result.label_sets[0] else f"_{label_set}"),
                )
                / 100
            )
            covered, accuracy = curve.at_threshold(threshold)
            st.html(f'<p class="fer-answers">{coverage_sentence(covered, accuracy)}</p>')
            st.caption(
                f"The model's own threshold is {percent(own)}: above it at least {target:.0f} % of the faces were "
                "right on the split it was fitted on."
                if own is not None
                else f"The model has no threshold of its own: at none are {target:.0f} % of the faces above it right."
            )
        with chart:
            st.plotly_chart(
                coverage_chart(
                    curve.coverage,
                    curve.accuracy,
                    (covered, accuracy),
                    None if own is None else curve.at_threshold(own),
                    model.color,
                ),
                config=QUIET,
                key="coverage",
                alt="Accuracy of the faces that are not called uncertain, by their share",
            )


def coverage_sentence(covered: float, accuracy: float | None) -> str:
    """Say what a threshold keeps.

    >>> coverage_sentence(0.541, 0.812)
    'Answers for <b>54 %</b> of the faces; <b>81 %</b> of these are right'
    """
    if accuracy is None:
        return "Answers for <b>no face</b>: none has so high a score"
    return f"Answers for <b>{percent(covered, 0)}</b> of the faces; <b>{percent(accuracy, 0)}</b> of these are right"
