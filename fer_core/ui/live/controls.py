"""The sidebar of the live page: what can be changed while the stream runs."""

from __future__ import annotations

import streamlit as st

from fer_core.annotate import AnnotateOptions
from fer_core.live.session import LiveSettings
from fer_core.models.card import ModelCard
from fer_core.recognition.pipeline import StreamSettings

_DEFAULT = LiveSettings()
_STEP_PERCENT = 5


def live_settings(of_stream: bool, card: ModelCard) -> LiveSettings:
    """Draw the settings in the sidebar and return what is chosen. They outlive a change of page.

    Args:
        of_stream: whether to offer what only matters for a stream.
        card: of the model; it knows below which score a face should be called uncertain.
    """
    with st.sidebar:
        st.subheader("Expressions")
        known = _DEFAULT.draw.threshold if card.uncertain_below is None else card.uncertain_below
        threshold = _slider(
            "Uncertain below",
            0,
            90,
            round(known * 100 / _STEP_PERCENT) * _STEP_PERCENT,
            _STEP_PERCENT,
            "%d %%",
            f"A face whose best score is lower is called uncertain.{_right(card)}",
            key=f"live uncertain {card.name}",
        )
        stream = _stream_settings() if of_stream else _DEFAULT.stream
        st.subheader("Picture")
        mirror = of_stream and _toggle("Mirror", _DEFAULT.mirror)
        boxes = _toggle("Boxes", _DEFAULT.draw.boxes)
        words = _toggle("Words and scores", _DEFAULT.draw.words)
    return LiveSettings(
        stream=stream, mirror=mirror, draw=AnnotateOptions(threshold=threshold / 100, boxes=boxes, words=words)
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
        "Smaller faces are passed over, and so is more of what is no face.",
    )
    return StreamSettings(min_face_px=min_face_px, smoothing_s=smoothing_s)


def _right(card: ModelCard) -> str:
    """Say what the model's own threshold is good for, where that was measured."""
    split, known = card.calibration.get("fitted_on"), card.uncertain_below
    if known is None or split is None:
        return ""
    found = card.calibration.get("by_split", {}).get(split)
    if not found or found["accuracy_answered"] is None:
        return ""
    return (
        f" At {known * 100:.0f} %, {card.name} answers {found['answered'] * 100:.0f} % of the faces of {split}, "
        f"{found['accuracy_answered'] * 100:.0f} % of them rightly."
    )


def _slider(
    label: str, low: float, high: float, value: float, step: float, form: str, text: str, key: str | None = None
) -> float:
    return st.slider(
        label, low, high, value, step, format=form, help=text, key=key or f"live {label}", persist_state="session"
    )


def _toggle(label: str, value: bool) -> bool:
    return st.toggle(label, value, key=f"live {label}", persist_state="session")
