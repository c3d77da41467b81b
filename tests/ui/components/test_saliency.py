"""The view of where models look, in Streamlit's own test harness."""

import dataclasses
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.models.bundle import BUNDLED_ROOT, CARD_FILE, DEFAULT_MODEL
from fer_core.models.card import ModelCard
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components import saliency
from tests.drawn_faces import demo_set

FACE = demo_set(70).images[0]


def show(folders, face, label):
    from pathlib import Path

    from fer_core.recognizer import EmotionRecognizer
    from fer_core.ui.components.saliency import where_it_looks

    where_it_looks([(EmotionRecognizer(Path(folder)), Path(folder)) for folder in folders], face, label)


@pytest.fixture
def view():
    """A function that shows a face to models: view(folder, label="happy")."""
    st.cache_data.clear()

    def run(*folders, label=None):
        at = AppTest.from_function(
            show, kwargs={"folders": [str(f) for f in folders], "face": FACE, "label": label}, default_timeout=60
        ).run()
        assert not at.exception
        return at

    return run


@pytest.fixture
def bundled():
    return BUNDLED_ROOT / "compact"


@pytest.fixture
def other_order(bundled, tmp_path):
    """The same network with its labels named in the opposite order."""
    folder = shutil.copytree(bundled, tmp_path / "other")
    card = ModelCard.load(folder / CARD_FILE)
    dataclasses.replace(card, name="other order", labels=card.labels[::-1]).save(folder / CARD_FILE)
    return folder


def words_of(at) -> str:
    html = " ".join(element.proto.body for element in at.get("html"))
    return " ".join([*(part.value for part in at.markdown), re.sub(r"<[^>]*>", " ", html)])


def pictures_of(at) -> list[str]:
    """The addresses, holding the pictures themselves, of all figures in their order."""
    return re.findall('<figure><img src="([^"]+)"', " ".join(element.proto.body for element in at.get("html")))


def test_it_opens_with_what_the_first_model_takes_the_face_for(view, bundled):
    at = view(bundled, label="happy")
    scores = EmotionRecognizer(bundled).classify(FACE[None])[0]
    top = LABELS[int(scores.argmax())]
    assert at.segmented_control[0].value == top
    assert f"scores {top} {scores.max() * 100:.0f} %" in words_of(at)
    assert f"lowers the score of {top} most" in words_of(at)
    assert "Labelled happy" in words_of(at)
    assert "no proof of a reason" in at.caption[0].value
    assert len(pictures_of(at)) == 3


def test_the_default_model_is_explained_both_ways(view):
    assert len(pictures_of(view(BUNDLED_ROOT / DEFAULT_MODEL))) == 3


def test_an_ensemble_is_explained_by_occlusion_and_says_why_not_by_grad_cam(view):
    at = view(BUNDLED_ROOT / "accurate")
    assert len(pictures_of(at)) == 2
    assert "mean of several networks" in " ".join(
        [words_of(at), *(part.value for part in [*at.info, *at.caption, *at.warning])]
    )


def test_another_expression_has_other_maps(view, bundled):
    at = view(bundled)
    before = pictures_of(at)
    at.segmented_control[0].select("surprised").run()
    after = pictures_of(at)
    assert "speaks for surprised" in words_of(at)
    assert after[0] == before[0] and after[1] != before[1] and after[2] != before[2], "the face stays"


def test_two_models_stand_side_by_side_each_by_its_own_label_order(view, bundled, other_order):
    at = view(bundled, other_order)
    scores = EmotionRecognizer(bundled).classify(FACE[None])[0]
    top = int(scores.argmax())
    said = words_of(at)
    assert f"**other order** scores {LABELS[top]} {scores[len(LABELS) - 1 - top] * 100:.0f} %" in said
    assert len(pictures_of(at)) == 6
    bars = [element.proto.body for element in at.get("html") if "fer-bar" in element.proto.body]
    assert [re.findall("|".join(LABELS), html) for html in bars] == [[*LABELS]] * 2, "in the project's order"


def test_maps_belong_to_the_expression_by_each_models_own_label_order(view, bundled, other_order):
    """What the first model takes the face for and what the other does is the same score of the same network."""
    at, other = view(bundled), view(other_order)
    assert LABELS.index(at.segmented_control[0].value) == 6 - LABELS.index(other.segmented_control[0].value)
    assert pictures_of(at) == pictures_of(other)


def test_a_model_without_grad_cam_says_why_and_keeps_the_rest(view, bundled, monkeypatch):
    def refuse(content, output):
        raise ModelError("Between them stands TANH.")

    monkeypatch.setattr(saliency, "GradCam", refuse)
    said = words_of(view(bundled))
    assert "No Grad-CAM" in said and "stands TANH" in said
    assert "Where covering the face lowers" in said


def test_nothing_is_blown_up_where_covering_changes_nothing(view, bundled, monkeypatch):
    monkeypatch.setattr(saliency, "occlusion", lambda classifier, face: np.full((7, 48, 48), 1e-4, np.float32))
    assert "Covering no part of the face lowers the score" in words_of(view(bundled))


def test_the_server_loads_no_tensorflow_for_it():
    code = "import sys, fer_core.ui.components.saliency\nassert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
