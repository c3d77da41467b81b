import dataclasses
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet, Provenance
from fer_core.evaluation.assessment import assess
from fer_core.evaluation.report import ReportedModel, html_report, report_content
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.evaluation.scoring import Scores
from fer_core.models.bundle import Bundle
from fer_core.models.card import ModelCard

N = 60
MADE = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOSTILE = '<script>alert("1")</script>'


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    return FaceSet(
        rng.integers(0, 256, (3 * N, 48, 48), np.uint8),
        rng.integers(0, 7, 3 * N),
        np.repeat(np.arange(3, dtype=np.uint8), N),
        source=Provenance("set.csv", "table"),
    )


def reported(faces: FaceSet, name: str = "m", seed: int = 0, limits: tuple[str, ...] = ()) -> ReportedModel:
    rng, scores = np.random.default_rng(seed), {}
    for split in ("PublicTest", "PrivateTest"):
        labels = faces.labels[faces.rows_of(split)]
        probs = np.exp(rng.normal(size=(N, 7)) + 2 * np.eye(7)[labels])
        probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
        scores[split] = Scores(probs, probs, 1.25)
    bundle = Bundle(ModelCard(name, "seed-cnn", 1234, (), files={"model.tflite": "ab"}, limits=limits), b"12345")
    levels = {key: [{"level": level, "accuracy": 0.5} for level in each.levels] for key, each in CORRUPTIONS.items()}
    return ReportedModel(name, bundle, scores, assess(bundle, faces, scores), {"PrivateTest": levels})


class Page(HTMLParser):
    """Collects the tags of a page, checks that they nest, and keeps whatever names another file."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.links, self._open = [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "data", "action", "xlink:href")]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)


def content_of(faces, *models):
    return report_content(faces, "mine", "PrivateTest", models, MADE)


def test_the_figures_are_those_of_the_assessment_and_plain_json(faces):
    model = reported(faces)
    content = content_of(faces, model)
    assert json.loads(json.dumps(content)) == content
    assert content["models"][0]["splits"] == model.figures["splits"]
    assert content["data"]["sha256"] == faces.hash
    assert content["made"] == "2026-05-04T12:00:00+00:00"


def test_bins_give_the_calibration_error_of_the_assessment(faces):
    model = content_of(faces, reported(faces))["models"][0]
    for key in ("before", "after"):
        bins = model["reliability"]["PublicTest"][key]
        gap = sum(abs(each["confidence"] - each["accuracy"]) * each["faces"] for each in bins) / N
        assert gap == pytest.approx(model["calibration"]["by_split"]["PublicTest"][f"ece_{key}"])


def test_every_two_models_are_compared(faces):
    content = content_of(faces, reported(faces, "a"), reported(faces, "b", 1), reported(faces, "c", 2))
    assert [(each["first"], each["second"]) for each in content["comparisons"]] == [("a", "b"), ("a", "c"), ("b", "c")]
    one = content["comparisons"][0]
    assert one["both"] + one["only_first"] + one["only_second"] + one["neither"] == N


def test_the_page_stands_alone(faces):
    page = Page(html_report(content_of(faces, reported(faces), reported(faces, "other", 1))))
    assert page.links == []
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert page.tags.count("svg") == 2 * 2 + len(CORRUPTIONS)


def test_the_page_states_split_protocol_interval_and_date(faces):
    model = reported(faces)
    text = html_report(content_of(faces, model))
    figures = model.figures["splits"]["PrivateTest"]
    low, high = figures["accuracy_95"]
    for words in (
        f"{figures['accuracy'] * 100:.1f} %",
        f"{low * 100:.1f} to {high * 100:.1f} %",
        figures["protocol"],
        "PrivateTest",
        "2026-05-04",
        faces.hash,
        "fitted on PublicTest",
    ):
        assert words in text
    cells = re.findall(r'<td style="background[^>]*>([\d,]+)</td>', text)
    assert [int(cell) for cell in cells] == [count for row in figures["confusion"] for count in row]


def test_a_split_that_a_model_learned_from_is_pointed_out(faces):
    model = reported(faces, HOSTILE)
    assert "learned from faces of" not in html_report(content_of(faces, model))
    learned = dataclasses.replace(model, figures={**model.figures, "learned": ["PublicTest"]})
    content = content_of(faces, learned)
    assert content["models"][0]["learned"] == ["PublicTest"]
    assert "learned from faces of PublicTest:" in html_report(content)


def test_models_that_are_right_equally_often_do_not_differ_by_chance(faces):
    text = html_report(content_of(faces, reported(faces, "a"), reported(faces, "b")))
    assert "Both are right equally often." in text
    assert "McNemar" not in text


@pytest.mark.parametrize("split, comparable", [("PrivateTest", True), ("PublicTest", False)])
def test_published_figures_compare_only_beside_their_own_split(faces, split, comparable):
    text = html_report(report_content(faces, "mine", split, [reported(faces)], MADE))
    assert ("<td>comparable</td>" in text) == comparable


def test_words_from_outside_are_escaped(faces):
    text = html_report(
        report_content(
            faces,
            HOSTILE,
            "PrivateTest",
            [reported(faces, HOSTILE, limits=(HOSTILE,)), reported(faces, HOSTILE, 1)],
            MADE,
        )
    )
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_drawn_faces_are_said_to_be_drawn_and_stand_beside_no_photographs(faces):
    drawn = FaceSet(faces.images, faces.labels, faces.split, source=Provenance("demo", "demo", synthetic=True))
    assert "drawings, not photographs" in html_report(content_of(drawn, reported(drawn)))
    assert "Published on FER-2013" not in html_report(content_of(drawn, reported(drawn)))
    assert "Published on FER-2013" in html_report(content_of(faces, reported(faces)))
