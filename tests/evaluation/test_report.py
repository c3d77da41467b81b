import dataclasses
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet, Provenance
from fer_core.evaluation.assessment import assess
from fer_core.evaluation.report import ReportedModel, build_report, html_report, report_to_json
from fer_core.evaluation.results import RobustnessLevel
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.evaluation.scoring import Scores
from fer_core.evaluation.serialization import splits_to_json
from fer_core.models.bundle import Bundle
from fer_core.models.card import ModelCard

N = 60
CREATED = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
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


@pytest.fixture
def voted(faces):
    """The same faces with votes: all see happy."""
    votes = np.zeros((3 * N, 10), np.uint8)
    votes[:, 1] = 10
    return dataclasses.replace(faces, votes=votes)


def reported(faces: FaceSet, name: str = "m", seed: int = 0, limits: tuple[str, ...] = ()) -> ReportedModel:
    rng, scores = np.random.default_rng(seed), {}
    for split in ("PublicTest", "PrivateTest"):
        labels = faces.labels[faces.rows_of(split)]
        probs = np.exp(rng.normal(size=(N, 7)) + 2 * np.eye(7)[labels])
        probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
        scores[split] = Scores(probs, probs, 1.25)
    bundle = Bundle(ModelCard(name, "seed-cnn", 1234, (), files={"model.tflite": "ab"}, limits=limits), b"12345")
    levels = {
        key: tuple(RobustnessLevel(level, 0.5) for level in corruption.levels)
        for key, corruption in CORRUPTIONS.items()
    }
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


def report_of(faces, *models, name="mine", split="PrivateTest"):
    return build_report(faces, name, split, models, CREATED)


def content_of(faces, *models):
    return report_to_json(report_of(faces, *models))


def page_of(faces, *models, **options):
    return html_report(report_of(faces, *models, **options))


def test_the_figures_are_those_of_the_assessment_and_plain_json(faces):
    model = reported(faces)
    content = content_of(faces, model)
    assert json.loads(json.dumps(content)) == content
    assert content["models"][0]["splits"] == splits_to_json(model.result.splits)
    assert content["data"]["sha256"] == faces.hash
    assert content["created"] == "2026-05-04T12:00:00+00:00"


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
    page = Page(page_of(faces, reported(faces), reported(faces, "other", 1)))
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert page.tags.count("svg") == 2 * 2 + len(CORRUPTIONS)


def test_ids_are_unique_and_lead_somewhere(faces):
    text = page_of(faces, reported(faces), reported(faces, "other", 1))
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    references = re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text)
    assert references
    assert set(references) <= set(ids)


def test_drawings_have_a_name_the_pages_ink_and_tooltips(faces):
    model = reported(faces)
    text = page_of(faces, model)
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert all('role="img" aria-label="' in drawing and "currentColor" in drawing for drawing in drawings)
    assert all("<text" in drawing and "font-family" not in drawing for drawing in drawings)
    bins = report_to_json(report_of(faces, model))["models"][0]["reliability"]["PrivateTest"]["before"]
    for each in bins:
        assert f"<title>{each['faces']} faces scored {each['low']:.0%} to {each['high']:.0%}: " in drawings[0]


def test_the_same_figures_give_the_same_page(faces):
    assert page_of(faces, reported(faces)) == page_of(faces, reported(faces))


def test_the_page_states_split_protocol_interval_and_date(faces):
    model = reported(faces)
    text = page_of(faces, model)
    metrics = model.result.splits["PrivateTest"].labels.one_view
    low, high = metrics.accuracy_95
    for words in (
        f"{metrics.accuracy * 100:.1f} %",
        f"{low * 100:.1f} to {high * 100:.1f} %",
        "one view",
        "PrivateTest",
        "2026-05-04",
        faces.hash,
        "fitted on PublicTest against FER-2013&#39;s labels",
    ):
        assert words in text
    assert cells_of(text) == [count for row in metrics.confusion for count in row]


def cells_of(text: str) -> list[int]:
    """The numbers in the cells of a page's confusion matrices."""
    cells = re.findall(r'<td style="background[^>]*>([\d,]+)</td>', text)
    return [int(cell.replace(",", "")) for cell in cells]


def test_with_votes_every_figure_stands_against_both_truths(voted):
    model = reported(voted)
    text, result = page_of(voted, model), model.result.splits["PrivateTest"]
    assert "What people see" in text
    assert f"<strong>{result.people.clear.accuracy * 100:.1f} %</strong> <small>of {N}</small>" in text
    by_truth = [metrics.one_view.confusion for metrics in (result.majority, result.labels)]
    assert cells_of(text) == [count for confusion in by_truth for row in confusion for count in row]
    assert [each["against"] for each in content_of(voted, model, reported(voted, "b", 1))["comparisons"]] == [
        "majority",
        "labels",
    ]


def test_without_votes_nothing_is_said_of_people(faces):
    text = page_of(faces, reported(faces))
    assert "What people see" not in text
    assert "what most people saw" not in text


def test_a_model_of_several_label_sets_has_a_row_for_each(voted):
    one = reported(voted)
    scores = {split: dataclasses.replace(some, others={"fer": some}) for split, some in one.scores.items()}
    bundle = dataclasses.replace(one.bundle, card=dataclasses.replace(one.bundle.card, label_sets=("people", "fer")))
    model = ReportedModel("two", bundle, scores, assess(bundle, voted, scores), {})
    text = page_of(voted, model)
    assert "two, What people see" in text
    assert "two, FER-2013&#39;s labels" in text
    assert set(content_of(voted, model)["models"][0]["calibration"]) == {"people", "fer"}


def test_a_split_that_a_model_was_trained_on_is_pointed_out(faces):
    model = reported(faces, HOSTILE)
    assert "was trained on faces of" not in page_of(faces, model)
    trained = dataclasses.replace(model, result=dataclasses.replace(model.result, trained_on=("PublicTest",)))
    assert content_of(faces, trained)["models"][0]["trained_on"] == ["PublicTest"]
    assert "was trained on faces of PublicTest:" in page_of(faces, trained)


def test_models_that_are_right_equally_often_do_not_differ_by_chance(faces):
    text = page_of(faces, reported(faces, "a"), reported(faces, "b"))
    assert "Both are right equally often." in text
    assert "McNemar" not in text


@pytest.mark.parametrize("split, comparable", [("PrivateTest", True), ("PublicTest", False)])
def test_published_figures_compare_only_beside_their_own_split(faces, split, comparable):
    text = page_of(faces, reported(faces), split=split)
    assert ("<td>comparable</td>" in text) == comparable


def test_text_from_outside_is_escaped(faces):
    models = reported(faces, HOSTILE, limits=(HOSTILE,)), reported(faces, HOSTILE, 1)
    text = page_of(faces, *models, name=HOSTILE)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_synthetic_faces_are_named_and_stand_beside_no_photographs(faces):
    synthetic = dataclasses.replace(faces, source=Provenance("demo", "demo", synthetic=True))
    text = page_of(synthetic, reported(synthetic))
    assert "drawings, not photographs" in text
    assert "Published on FER-2013" not in text
    assert "Published on FER-2013" in page_of(faces, reported(faces))
