"""Where models look on one face: occlusion and Grad-CAM over it, for any expression, for one model or two."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from fer_core.emotions import class_colors
from fer_core.errors import ModelError
from fer_core.explain.gradcam import GradCam
from fer_core.explain.occlusion import occlusion
from fer_core.explain.overlay import overlay
from fer_core.models.bundle import load_bundle, scores_key
from fer_core.models.temperature import Temperature
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.pictures import Bar, bars_html, png_url

_STYLE = Path(__file__).parent / "saliency.css"
# A strongest fall below this, of a score from 0 to 1, is not blown up to full colour.
_LEAST_SCALE = 0.02


@dataclass(frozen=True, eq=False)
class _SaliencyMaps:
    """Where one model looks on one face, for each of the recognizer's k labels, in their order.

    Attributes:
        scores: float32 (k,), 0 to 1.
        falls: float32 (k, 48, 48), -1 to 1, as `occlusion` returns.
        gradcam: float32 (k, 48, 48), as `GradCam.explain` returns; None if there is none.
        problem: why there is no Grad-CAM, as text.
    """

    scores: np.ndarray
    falls: np.ndarray
    gradcam: np.ndarray | None
    problem: str = ""


@st.fragment
def where_it_looks(
    models: Sequence[tuple[EmotionRecognizer, Path]], face: np.ndarray, label: str | None = None, key: str = "looks"
) -> None:
    """Show what the scores of one face depend on, with the choice of an expression.

    It is a fragment: choosing another expression redraws nothing else of the page.

    Args:
        models: one or two models of the same classes, each loaded and with the folder it was loaded from.
        face: uint8 (48, 48), gray.
        label: what the face is labelled; None if that is not known.
        key: tells the choices of several such views on one page apart.
    """
    st.html(_STYLE)
    # Another face starts anew from what the first model takes it for.
    which = hashlib.sha256(face.tobytes()).hexdigest()[:12]
    emotion = st.segmented_control(
        "Expression", models[0][0].labels, default=_top(models[0][0], face), required=True, key=f"{key}_{which}"
    )
    with st.spinner("Working…"):
        looks = [_look(recognizer, str(folder), _version(recognizer), face) for recognizer, folder in models]
    # Falls are in points of the score, so one scale serves both models.
    scale = max(
        _LEAST_SCALE,
        *(
            float(np.abs(_of(recognizer, emotion, one.falls)).max())
            for (recognizer, _), one in zip(models, looks, strict=True)
        ),
    )
    for column, (recognizer, _), one in zip(st.columns(len(models), gap="large"), models, looks, strict=True):
        with column:
            _show(recognizer, one, face, label, emotion, scale)
    st.html(_scale_html())
    st.caption(
        "A map shows what the score depends on; it is no proof of a reason. Covering makes a picture unlike any "
        "that a network learned from, and Grad-CAM sees only the last convolution, in coarse cells. Trust a "
        "place more where both maps agree."
    )


def _top(recognizer: EmotionRecognizer, face: np.ndarray) -> str:
    return recognizer.labels[int(recognizer.classify(face[None])[0].argmax())]


def _of(recognizer: EmotionRecognizer, emotion: str, values: np.ndarray) -> np.ndarray:
    """Return what belongs to an emotion, wherever the recognizer's order has it."""
    return values[recognizer.labels.index(emotion)]


def _version(recognizer: EmotionRecognizer) -> tuple[str, Temperature]:
    """Return what changes with a model's scores: its network, the label set and its temperature."""
    card, label_set = recognizer.card, recognizer.label_set
    return scores_key(card, label_set), card.calibration_of(label_set).scaling


@st.cache_data(max_entries=128, show_spinner=False)
def _look(
    _recognizer: EmotionRecognizer, folder: str, version: tuple[str, Temperature], face: np.ndarray
) -> _SaliencyMaps:
    """Explain a face once; `version` tells models apart that were in the folder at different times."""
    scores, falls = _recognizer.classify(face[None])[0], occlusion(_recognizer, face)
    try:
        output = _recognizer.card.output_of(_recognizer.label_set)
        maps = GradCam(load_bundle(folder).content, output).explain(face[None])[0]
    except ModelError as error:
        return _SaliencyMaps(scores, falls, None, str(error))
    # Grad-CAM reads the network itself, whose labels have an order of their own.
    return _SaliencyMaps(scores, falls, maps[[_recognizer.card.labels.index(label) for label in _recognizer.labels]])


def _show(
    recognizer: EmotionRecognizer, looks: _SaliencyMaps, face: np.ndarray, label: str | None, emotion: str, scale: float
) -> None:
    score = float(_of(recognizer, emotion, looks.scores))
    st.markdown(f"**{recognizer.name}** scores {emotion} {score * 100:.0f} %")
    figures = [
        _figure(png_url(face), "The face", f"Labelled {label}." if label else "As the model gets it."),
        _occlusion_figure(face, _of(recognizer, emotion, looks.falls), emotion, scale),
    ]
    if looks.gradcam is None:
        figures.append(
            f'<figure><div class="fer-empty"><strong>No Grad-CAM</strong></div>'
            f"<figcaption><span>{escape(looks.problem)}</span></figcaption></figure>"
        )
    else:
        figures.append(_gradcam_figure(face, _of(recognizer, emotion, looks.gradcam), emotion))
    st.html(f'<div class="fer-looks">{"".join(figures)}</div>')
    colors, scores = class_colors(recognizer.labels), dict(zip(recognizer.labels, looks.scores.tolist(), strict=True))
    bars = [Bar(name, p, f"{p * 100:.0f} %", colors[name], p == max(scores.values())) for name, p in scores.items()]
    st.html(f'<div class="fer-looks-scores">{bars_html(bars)}</div>')


def _occlusion_figure(face: np.ndarray, falls: np.ndarray, emotion: str, scale: float) -> str:
    lowers, raises = float(falls.max()) * 100, float(-falls.min()) * 100
    words = [f"Where covering the face lowers the score of {emotion} most: {_points(lowers)}."]
    if lowers < 1:
        words = [f"Covering no part of the face lowers the score of {emotion} by as much as a point."]
    if raises >= 1:
        words.append(f"Blue raises it, by {_points(raises)}.")
    return _figure(_rgb_url(overlay(face, falls / scale)), "Covered part by part", " ".join(words))


def _gradcam_figure(face: np.ndarray, cam: np.ndarray, emotion: str) -> str:
    strongest = float(cam.max())
    words = (
        f"Where the last convolution sees most that speaks for {emotion}."
        if strongest
        else f"The last convolution sees nothing that speaks for {emotion}."
    )
    return _figure(_rgb_url(overlay(face, cam / strongest if strongest else cam)), "Grad-CAM", words)


def _points(points: float) -> str:
    return f"up to {points:.0f} {'point' if round(points) == 1 else 'points'}"


def _figure(url: str, title: str, words: str) -> str:
    return (
        f'<figure><img src="{url}" alt="{escape(title)}. {escape(words)}"><figcaption><strong>{escape(title)}'
        f"</strong><span>{escape(words)}</span></figcaption></figure>"
    )


def _scale_html() -> str:
    strip = overlay(np.full((1, 101), 150, np.uint8), np.linspace(-1, 1, 101)[None])
    return (
        f'<div class="fer-scale"><span>speaks against</span><img src="{_rgb_url(strip)}" alt="Blue over gray to '
        'orange"><span>speaks for</span></div>'
    )


def _rgb_url(image: np.ndarray) -> str:
    """Return a picture, uint8 (h, w, 3) RGB, as an address that holds the picture itself."""
    _, png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return "data:image/png;base64," + base64.b64encode(png).decode()
