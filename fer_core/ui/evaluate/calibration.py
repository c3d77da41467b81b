"""Whether the scores mean what they say, and what is gained by leaving unsure faces unanswered."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.charts.evaluation import (
    ReliabilityBins,
    coverage_chart,
    reliability_chart,
)
from fer_core.charts.timeline import QUIET
from fer_core.evaluation.assessment import own_labels
from fer_core.evaluation.calibration import Coverage, coverage, reliability
from fer_core.models.card import temperature_of
from fer_core.models.temperature import Temperature
from fer_core.ui.evaluate.choice import choose_model
from fer_core.ui.evaluate.view import Evaluation, Measured, percent


def calibration_view(found: Evaluation) -> None:
    """Draw one model's reliability before and after its temperature, and risk against coverage."""
    model = choose_model(found)
    fitted = model.figures["calibration"]
    chosen, labels = own_labels(model.bundle.card, found.view.faces, found.split)
    before = model.scores[found.split].probs[chosen]
    temperature = temperature_of(fitted)
    after = temperature.apply(before)
    st.subheader("Do its scores mean what they say?")
    _reliability(model, before, after, labels, temperature)
    st.caption(_fitted_words(found, model))
    st.subheader("When should it rather say uncertain?")
    _risk(model, coverage(after, labels))


def _reliability(
    model: Measured, before: np.ndarray, after: np.ndarray, labels: np.ndarray, temperature: Temperature
) -> None:
    diagrams = []
    for words, probs in (("as trained", before), ("after temperature", after)):
        bins = reliability(probs, labels)
        diagrams.append(
            ReliabilityBins(
                f"<b>{words.capitalize()}</b> · calibration error {percent(bins.error)}",
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
        alt="How often faces scored so high are right, as trained and after the temperature",
    )
    st.caption(
        "Each bar gathers the faces whose best score is so high and shows how many of them are right. On the "
        "dotted line scores mean what they say; bars below it are surer than right. Beneath: how many faces. "
        f"The temperature, which divides the logits of each face, is {temperature}"
        f"{' of its scores' if temperature.entropy_power else ''}."
    )


def _fitted_words(found: Evaluation, model: Measured) -> str:
    fitted = model.figures["calibration"]
    voted = model.figures["label_set"] == "ferplus" and found.view.info.votes
    truth = (
        "what more of ten people saw than anything else (FER+), which it learned from"
        if voted
        else "the data set's labels"
    )
    if fitted["fitted_on"] in model.scores and fitted["fitted_on"] not in model.figures["learned"]:
        same = (
            " That is the split on show, so the figures after it are flattering."
            if fitted["fitted_on"] == found.split
            else ""
        )
        return f"Temperature and threshold were fitted on {fitted['fitted_on']}, against {truth}.{same}"
    if fitted["fitted_on"]:
        return (
            "This data set has no split to fit on that the model did not learn from: temperature and threshold "
            f"come from the model's card, fitted on {fitted['fitted_on']} of its own data."
        )
    return (
        "This data set has no split to fit a temperature on that the model did not learn from, and the model's "
        "card has none: the scores stay as they are."
    )


@st.fragment
def _risk(model: Measured, curve: Coverage) -> None:
    own = model.figures["calibration"]["uncertain_below"]
    target = model.figures["calibration"]["target"]
    with st.container(key="risk"):
        words, chart = st.columns([5, 7], gap="large", vertical_alignment="center")
        with words:
            # Another model starts at its own threshold.
            threshold = (
                st.slider(
                    "Uncertain below a best score of",
                    0,
                    99,
                    round((own or 0) * 100),
                    format="%d %%",
                    key=f"threshold_{model.name}",
                )
                / 100
            )
            answered, accuracy = curve.at_threshold(threshold)
            st.html(f'<p class="fer-answers">{answer_words(answered, accuracy)}</p>')
            st.caption(
                f"The model's own threshold is {percent(own)}: there what is answered was right at least "
                f"{target * 100:.0f} % of the time on the split it was fitted on."
                if own is not None
                else f"The model has no threshold of its own: at none is it right {target * 100:.0f} % of the time."
            )
        with chart:
            st.plotly_chart(
                coverage_chart(
                    curve.answered,
                    curve.accuracy,
                    (answered, accuracy),
                    None if own is None else curve.at_threshold(own),
                    model.color,
                ),
                config=QUIET,
                key="coverage",
                alt="How often answers are right, by the share answered",
            )


def answer_words(answered: float, accuracy: float | None) -> str:
    """Say what a threshold answers.

    >>> answer_words(0.541, 0.812)
    'Answers <b>54 %</b> of the faces, <b>81 %</b> of these rightly'
    """
    if accuracy is None:
        return "Answers <b>no face</b>: none is scored so high"
    return f"Answers <b>{percent(answered, 0)}</b> of the faces, <b>{percent(accuracy, 0)}</b> of these rightly"
