"""The sidebar of the live page: what can be changed while the stream runs."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from fer_core.annotate import AnnotateOptions
from fer_core.live.session import LiveSettings
from fer_core.models.calibration import Calibration
from fer_core.models.card import ModelCard
from fer_core.recognition.hysteresis import HysteresisSettings
from fer_core.recognition.pipeline import StreamSettings
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.ui.components.label_set_choice import label_set_choice, second_label_set_choice
from fer_core.ui.live.sources import CAMERA, PHOTO, LiveSource

_DEFAULT = LiveSettings()
_STEP_PERCENT = 5
_STEADY = (
    f"The word on a face changes at once when another expression leads by {HysteresisSettings().margin * 100:.0f} "
    f"percentage points, else after it has led for {HysteresisSettings().hold_s:g} s. Scores are not changed by it."
)


def live_settings(source: LiveSource, card: ModelCard) -> LiveSettings:
    """Draw the settings in the sidebar and return what is chosen. They outlive a change of page.

    Args:
        source: of the pictures; some of it only matters for a stream, and only a person's own picture is mirrored.
        card: of the model; it knows the label sets and below which score a face should be called uncertain.
    """
    of_stream = source.kind != PHOTO
    with st.sidebar:
        st.subheader("Expressions")
        label_set = label_set_choice(card, "Changing it starts the last minute anew; a recording notes it and goes on.")
        second = second_label_set_choice(card, label_set) if of_stream else None
        threshold = _uncertain_below(card, label_set)
        steady = of_stream and _toggle("Steady labels", True, help=_STEADY)
        stream = replace(
            _stream_settings() if of_stream else _DEFAULT.stream,
            label_set=label_set,
            second_label_set=second,
            hysteresis=HysteresisSettings(uncertain_below=threshold / 100) if steady else None,
        )
        st.subheader("Picture")
        mirror = source.kind == CAMERA and _toggle("Mirror", _DEFAULT.mirror)
        boxes = _toggle("Boxes", _DEFAULT.draw.boxes)
        words = _toggle("Words and scores", _DEFAULT.draw.words)
    draw = AnnotateOptions(threshold=threshold / 100, boxes=boxes, words=words, numbers=True)
    return LiveSettings(
        stream=stream, mirror=mirror, draw=draw, recorded=_recorded(card, stream, mirror, threshold, source)
    )


def _recorded(
    card: ModelCard, stream: StreamSettings, mirror: bool, threshold: float, source: LiveSource
) -> RecordedSettings:
    """Return what a recording writes down of the settings."""
    values = {
        "smoothing_s": stream.smoothing_s,
        "min_face_px": stream.min_face_px,
        "mirrored": mirror,
        "steady_labels": stream.hysteresis is not None,
        "shown_uncertain_below": threshold / 100,
        "source": source.recorded_as,
    }
    return RecordedSettings(card, stream.label_set, values)


def _uncertain_below(card: ModelCard, label_set: str) -> float:
    """Draw the threshold, in percent; each label set has its own."""
    calibration = card.calibration_of(label_set)
    fitted = calibration.uncertain_below
    known = _DEFAULT.draw.threshold if fitted is None else fitted
    return _slider(
        "Uncertain below",
        0,
        90,
        round(known * 100 / _STEP_PERCENT) * _STEP_PERCENT,
        _STEP_PERCENT,
        "%d %%",
        f"A face whose best score is lower is called uncertain.{_coverage_text(card.name, calibration)}",
        key=f"live uncertain {card.name} {label_set}",
    )


def _stream_settings() -> StreamSettings:
    smoothing_s = _slider(
        "Smoothing",
        0.0,
        2.0,
        _DEFAULT.stream.smoothing_s,
        0.1,
        "%.1f s",
        "Scores are averaged over about this time. More is calmer and follows more slowly.",
    )
    st.subheader("Faces")
    min_face_px = _slider(
        "Smallest face",
        48,
        240,
        _DEFAULT.stream.min_face_px,
        12,
        "%d px",
        "Smaller faces are ignored, and so are more false detections.",
    )
    return StreamSettings(min_face_px=min_face_px, smoothing_s=smoothing_s)


def _coverage_text(model: str, calibration: Calibration) -> str:
    """Say how many faces the model's own threshold leaves, and how many of them are right, if that was measured."""
    threshold, split = calibration.uncertain_below, calibration.fitted_on
    figures = calibration.by_split.get(split) if split else None
    if threshold is None or not figures or figures["accuracy_covered"] is None:
        return ""
    return (
        f" At {threshold * 100:.0f} %, {model} answers {figures['coverage'] * 100:.0f} % of the faces of {split}, and "
        f"{figures['accuracy_covered'] * 100:.0f} % of these answers are right."
    )


def _slider(
    label: str, low: float, high: float, value: float, step: float, form: str, text: str, key: str | None = None
) -> float:
    return st.slider(
        label, low, high, value, step, format=form, help=text, key=key or f"live {label}", persist_state="session"
    )


def _toggle(label: str, value: bool, help: str | None = None) -> bool:
    return st.toggle(label, value, key=f"live {label}", help=help, persist_state="session")
