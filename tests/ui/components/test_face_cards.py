import base64
import dataclasses
import re

import cv2
import numpy as np
import pytest

from fer_core.emotions import COLORS, LABELS
from fer_core.media.summary import FaceSummary
from fer_core.types import Detections, FaceQuality, FrameResult, Prediction
from fer_core.ui.components.face_cards import (
    face_cards_html,
    face_summaries_html,
)


def result_of(probs, tracks, boxes=None):
    boxes = np.array(boxes if boxes is not None else [[10, 10, 50, 50]] * len(tracks), np.float32)
    return FrameResult(
        0,
        0.0,
        (100, 80),
        Detections(boxes, np.ones(len(tracks), np.float32)),
        Prediction(np.array(probs, np.float32), LABELS),
        np.array(tracks, np.int64),
    )


HAPPY = [0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02]
UNSURE = [0.2, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1]


@pytest.fixture
def image():
    return np.full((80, 100, 3), 127, np.uint8)


def test_a_card_has_the_word_the_score_and_a_bar_in_its_colour_for_every_expression(image):
    html = face_cards_html(result_of([HAPPY], [0]), image, threshold=0.4)
    assert 'data-expression="happy"' in html
    assert "88 %" in html
    for label in LABELS:
        assert f"<span>{label}</span>" in html
        assert COLORS[label] in html


def test_below_the_threshold_a_face_is_uncertain_and_says_what_it_is_most_like(image):
    html = face_cards_html(result_of([UNSURE], [0]), image, threshold=0.4)
    assert 'data-expression="uncertain"' in html
    assert "most like happy" in html


def test_cards_stand_in_the_order_of_their_numbers(image):
    html = face_cards_html(result_of([HAPPY, HAPPY], [5, 2]), image, threshold=0.4)
    assert re.findall(r'<p class="fer-note">(Face \d+)', html) == ["Face 3", "Face 6"]


def test_many_faces_all_have_a_card_with_all_scores_in_less_room(image):
    html = face_cards_html(result_of([HAPPY] * 9, range(9)), image, threshold=0.4)
    assert html.count("<section") == html.count("fer-compact") == html.count("<img") == 9
    assert f'data-faces="{9}"' in html and "fer-bar" not in html
    assert html.count('title="happy 88 %"') == 9 and html.count("height:88.0%") == 9


@pytest.mark.parametrize("faces", [1, 3])
def test_a_second_label_set_stands_beside_the_first(image, faces):
    result = result_of([HAPPY] * faces, range(faces))
    second = dataclasses.replace(result, second=Prediction(np.array([UNSURE] * faces, np.float32), LABELS))
    html = face_cards_html(second, image, 0.4, "FER-2013's labels")
    assert html.count("FER-2013&#x27;s labels: <strong>happy</strong> 30 %") == faces
    assert html.count("<u ") == (7 if faces == 1 else 0) and ("left:30.0%" in html) == (faces == 1)
    assert "fer-second" not in face_cards_html(result, image, 0.4, "FER-2013's labels")


@pytest.mark.parametrize("faces", [2, 3])
def test_corrected_scores_are_marked_as_such_where_a_face_has_a_baseline(image, faces):
    corrected = np.array([UNSURE, *[[np.nan] * 7] * (faces - 1)], np.float32)
    result = dataclasses.replace(result_of([HAPPY] * faces, range(faces)), corrected=corrected)
    first, *others = face_cards_html(result, image, 0.4).split("</section>")[:faces]
    assert 'fer-score">88 %' in first and "Corrected for its neutral face: <strong>happy</strong> 30 %" in first
    assert 'title="angry 20 %"' in first
    assert not any("Corrected" in other for other in others)


def test_a_face_that_cannot_be_seen_well_is_marked_with_the_reason(image):
    values = np.ones(2, np.float32)
    quality = FaceQuality(values, values, values, ((), ("blurred", "dark")))
    result = dataclasses.replace(result_of([HAPPY, HAPPY], [0, 1]), quality=quality)
    first, second = face_cards_html(result, image, 0.4).split("</section>")[:2]
    assert "not valid" not in first and "Face 2 · not valid: blurred, dark" in second


def test_a_held_label_is_shown_with_its_own_score(image):
    result = dataclasses.replace(result_of([UNSURE, HAPPY], [0, 1]), shown=(0, None))
    first, second = face_cards_html(result, image, threshold=0.9).split("</section>")[:2]
    assert 'data-expression="angry"' in first and 'fer-score">20 %' in first
    assert 'data-expression="uncertain"' in second and "most like happy" in second


@pytest.mark.parametrize(
    "box", [[-20, -20, 40, 40], [60, 50, 140, 120], [120, 10, 160, 50]], ids=["top left", "bottom right", "outside"]
)
def test_a_face_at_or_beyond_the_edge_still_has_a_picture(image, box):
    html = face_cards_html(result_of([HAPPY], [0], [box]), image, threshold=0.4)
    jpeg = base64.b64decode(re.search(r"base64,([^\"]+)", html).group(1))
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (112, 112)


def summary(shares, uncertain=0.0, first_s=0.0, last_s=3.0):
    return FaceSummary(
        face=2,
        frames=20,
        first_s=first_s,
        last_s=last_s,
        mean=np.array(HAPPY),
        shares=np.array(shares),
        uncertain=uncertain,
    )


@pytest.mark.parametrize(
    ("each", "word", "score"),
    [
        (summary([0, 0, 0, 0.7, 0.1, 0, 0], 0.2), "happy", "70 %"),
        (summary([0, 0, 0, 0.2, 0.1, 0, 0], 0.7), "uncertain", "70 %"),
        (summary([0, 0, 0, 1, 0, 0, 0], first_s=None, last_s=None), "happy", "88 %"),
        (summary([0] * 7, 1.0, first_s=None, last_s=None), "uncertain", "88 %"),
    ],
)
def test_a_face_in_short_is_what_it_showed_longest(each, word, score):
    html = face_summaries_html([each], LABELS, {2: "data:image/jpeg;base64,AA"}, 30)
    assert f'data-expression="{word}"' in html
    assert f'fer-score">{score}' in html
    assert "Face 2" in html and 'src="data:image/jpeg' in html
    assert ("20 of 30 frames, 0:00 to 0:03" in html) == (each.first_s is not None)
