"""The evaluation page with small data sets and kept scores; measuring itself is only noted, not started."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    recall_score,
    top_k_accuracy_score,
)
from streamlit.testing.v1 import AppTest

from fer_core.audit.selections_file import change_selections
from fer_core.background.jobs import list_jobs
from fer_core.cache import cache_folder, save_cached
from fer_core.data.face_set import FaceSet, Provenance
from fer_core.data.store import write_store
from fer_core.emotions import LABELS
from fer_core.evaluation.process import MeasureModels
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.files import sha256_of
from fer_core.models.bundle import (
    BUNDLED_ROOT,
    MODEL_FILE,
    load_bundle,
    scores_key,
)
from fer_core.models.model_store import folder_of, models_root
from fer_core.ui.components.jobs import start_own_job
from tests.drawn_faces import demo_set

PAGE = Path(__file__).parents[2] / "pages" / "evaluate.py"
COUNT = 280
OTHER = "other"
# A bundled model with one label set: its scores are one table a split.
MODEL = "compact"
NEUTRAL = LABELS.index("neutral")
# As the address has them.
MAJORITY_TRUTH, LABELS_TRUTH = "What most people saw", "FER-2013's labels"


@pytest.fixture(autouse=True)
def started(monkeypatch, tmp_path):
    """A machine without data sets, on which measurements are only noted, not started."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_MODEL", raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    calls = []
    monkeypatch.setattr("fer_core.ui.evaluate.measure.start_own_job", calls.append)
    return calls


@pytest.fixture
def faces():
    """A stored set that is not labelled as drawn: faces in three splits, some of PrivateTest copied from Training."""
    drawn = demo_set(COUNT, seed=1)
    images = drawn.images.copy()
    images[-3:] = images[:3]
    votes = np.zeros((COUNT, 10), np.uint8)
    votes[:, 0] = 10  # all see neutral
    return write_store(FaceSet(images, drawn.labels, drawn.split, votes, Provenance("small.csv", "table")), "small")


def keep_scores(faces: FaceSet, name: str = MODEL, seed: int = 0, skill: float = 1.5) -> dict:
    """Keep scores of both test splits as a measurement would; return them by split, one view and mirrored."""
    rng, kept = np.random.default_rng(seed), {}
    file = scores_key(load_bundle(folder_of(name)).card)
    for split in ("PublicTest", "PrivateTest"):
        labels = faces.labels[faces.rows_of(split)]
        views = []
        for _ in range(2):
            probs = np.exp(rng.normal(size=(len(labels), 7)) + skill * np.eye(7)[labels])
            views.append((probs / probs.sum(1, keepdims=True)).astype(np.float32))
        kept[split] = views
        save_cached(
            cache_folder(faces.hash),
            f"scores-{file}-{split}",
            {"probs": views[0], "mirrored": views[1], "ms_per_face": np.array(1.25)},
        )
    return kept


def add_model(name: str = OTHER) -> None:
    """Add a model of the user's own: the bundled one with another hash."""
    folder = models_root() / name
    shutil.copytree(BUNDLED_ROOT / MODEL, folder)
    (folder / MODEL_FILE).write_bytes((folder / MODEL_FILE).read_bytes() + b"\0")
    card = json.loads((folder / "card.json").read_text())
    card |= {"name": name, "files": {MODEL_FILE: sha256_of(folder / MODEL_FILE)}}
    (folder / "card.json").write_text(json.dumps(card))


def open_at(**address) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {"models": MODEL, **address}.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def words_of(at: AppTest) -> str:
    """All text and HTML on a page."""
    parts = (*at.markdown, *at.caption, *at.title, *at.subheader, *at.get("html"), *at.error, *at.warning)
    return " ".join(getattr(element.proto, "body", str(element.proto)) for element in parts)


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def test_without_data_it_says_what_will_be_here_and_what_to_press():
    at = open_at()
    assert "Figures need faces with labels" in words_of(at)
    assert [button.label for button in at.button if button.proto.type == "primary"] == ["Get a data set"]


def test_a_set_without_a_split_to_test_on_is_explained(faces):
    write_store(FaceSet(faces.images[:70], faces.labels[:70], np.zeros(70, np.uint8)), "learnt")
    assert "learnt has nothing to test on" in words_of(open_at(data="learnt"))


def test_one_press_measures_what_is_missing(faces, started):
    at = open_at()
    assert "Press Measure above" in words_of(at)
    at.button(key="measure_now").click().run()
    assert started == [MeasureModels((MODEL,), "small", ("PublicTest", "PrivateTest"))]


@pytest.fixture
def really_started(monkeypatch):
    """Measurements run, in processes of their own."""
    monkeypatch.setattr("fer_core.ui.evaluate.measure.start_own_job", start_own_job)
    yield
    for job in list_jobs():
        job.cancel()


def test_a_measurement_runs_can_be_cancelled_and_leaves_the_page_as_before(faces, really_started):
    at = open_at()
    at.button(key="measure_now").click().run()
    [job] = list_jobs()
    if job.refresh().running:
        [cancel] = [button for button in open_at().button if button.label == "Cancel"]
        cancel.click().run()
    assert job.wait(120).state in ("cancelled", "finished")
    assert not at.run().exception and not at.error


def test_what_was_measured_is_shown(faces, really_started):
    at = open_at()
    at.button(key="measure_now").click().run()
    job = list_jobs()[0].wait(120)
    assert job.state == "finished", job.error
    assert "measure_now" not in [button.key for button in at.run().button]
    assert not list_jobs(), "its scores are in the cache"


def test_a_measurement_that_failed_says_why_to_who_started_it(faces, really_started):
    at = open_at()
    in_the_way = cache_folder(faces.hash) / f"scores-{scores_key(load_bundle(MODEL).card)}-PublicTest-v1.npz"
    in_the_way.mkdir(parents=True)
    at.button(key="measure_now").click().run()
    assert list_jobs()[0].wait(120).state == "failed"
    assert "cannot be written" in words_of(at.run())
    assert "cannot be written" not in words_of(open_at())


def test_against_labels_the_scores_are_those_of_scikit_learn(faces):
    probs, mirrored = keep_scores(faces)["PrivateTest"]
    rows = faces.rows_of("PrivateTest")
    labels, predicted = faces.labels[rows], probs.argmax(1)
    words = words_of(open_at(against=LABELS_TRUTH))
    for share in (
        accuracy_score(labels, predicted),
        accuracy_score(labels, ((probs + mirrored) / 2).argmax(1)),
        balanced_accuracy_score(labels, predicted),
        top_k_accuracy_score(labels, probs, k=2, labels=range(7)),
        accuracy_score(labels[:-3], predicted[:-3]),
        accuracy_score(np.full(len(rows), NEUTRAL), predicted),
    ):
        assert f">{percent(share)}<" in words
    assert f">{f1_score(labels, predicted, average='macro'):.3f}<" in words
    assert f"Not in Training, {len(rows) - 3} faces" in words
    recall = recall_score(labels, predicted, average=None, labels=range(7), zero_division=0)
    assert all(f"<span>{percent(share)}</span>" in words for share in recall)


def test_what_most_people_saw_comes_first(faces):
    probs, _ = keep_scores(faces)["PrivateTest"]
    seen_neutral = accuracy_score(np.full(len(probs), NEUTRAL), probs.argmax(1))
    at = open_at()
    assert at.segmented_control(key="against").value == "majority"
    assert f"<strong>{percent(seen_neutral)}</strong>" in words_of(at)
    assert "against what most people saw" in words_of(at)
    at.segmented_control(key="against").set_value("labels").run()
    labels = faces.labels[faces.rows_of("PrivateTest")]
    assert f"<strong>{percent(accuracy_score(labels, probs.argmax(1)))}</strong>" in words_of(at)


def test_agreement_with_people_stands_beside_the_large_figure(faces):
    probs, _ = keep_scores(faces)["PrivateTest"]
    predicted, negative = probs.argmax(1), [LABELS.index(name) for name in ("angry", "disgusted", "fearful", "sad")]
    for against in (MAJORITY_TRUTH, LABELS_TRUTH):
        words = words_of(open_at(against=against))
        for name, share in (
            ("Clear faces right", np.mean(predicted == NEUTRAL)),
            ("Clear neutral called negative", np.mean(np.isin(predicted, negative))),
        ):
            assert f"<dt>{name}</dt><dd>{percent(share)}<small> of {len(probs)}</small>" in words
        assert "Agreement with people" in words


def test_without_votes_only_labels_are_measured_against(faces):
    bare = write_store(FaceSet(faces.images, faces.labels, faces.split, None, Provenance("bare.csv", "table")), "bare")
    keep_scores(bare)
    at = open_at(data="bare", against=MAJORITY_TRUTH)
    assert "against" not in [control.key for control in at.get("segmented_control")]
    assert "against FER-2013's labels" in words_of(at)
    assert "Clear faces right" not in words_of(at)


def test_figures_by_expression_with_flip(faces):
    probs, mirrored = keep_scores(faces)["PrivateTest"]
    labels = faces.labels[faces.rows_of("PrivateTest")]
    recall = recall_score(labels, (probs + mirrored).argmax(1), average=None, labels=range(7), zero_division=0)
    words = words_of(open_at(views="With flip", against=LABELS_TRUTH))
    assert all(f"<span>{percent(share)}</span>" in words for share in recall)


def test_the_address_names_split_and_models(faces):
    add_model()
    kept = keep_scores(faces)
    keep_scores(faces, OTHER, seed=1)
    at = open_at(split="PublicTest", models=OTHER)
    assert at.multiselect(key="models").value == [OTHER]
    labels = faces.labels[faces.rows_of("PublicTest")]
    assert f"<strong>{percent(accuracy_score(labels, kept['PublicTest'][0].argmax(1)))}<" not in words_of(at)
    assert f"{len(labels)} faces of PublicTest" in words_of(at)


def test_a_split_that_a_set_does_not_have_gives_way_to_one_that_it_has(faces):
    keep_scores(faces)
    at = open_at(split="Test")
    assert not at.error
    assert "faces of PrivateTest" in words_of(at)


def test_people_and_published_figures_stand_beside_photographs_but_not_beside_drawings(faces):
    keep_scores(faces)
    assert "how often people agree" in words_of(open_at(against=LABELS_TRUTH))
    assert "how often people agree" not in words_of(open_at(against=MAJORITY_TRUTH))
    drawn = write_store(demo_set(COUNT, seed=2), "demo")
    keep_scores(drawn)
    words = words_of(open_at(data="demo (drawn)"))
    assert "demo (drawn)" in words
    assert "These faces are drawings" in words
    assert "how often people agree" not in words


def test_a_cell_of_the_confusion_matrix_shows_its_faces(faces):
    probs, _ = keep_scores(faces)["PrivateTest"]
    labels, predicted = faces.labels[faces.rows_of("PrivateTest")], probs.argmax(1)
    counts = confusion_matrix(labels, predicted, labels=range(7))
    true, called = np.unravel_index(np.argmax(counts * (1 - np.eye(7, dtype=int))), (7, 7))
    assert "The faces of a cell appear here" in words_of(open_at(view="Confusion"))
    cell = f"{LABELS[true]}-{LABELS[called]}"
    words = words_of(open_at(view="Confusion", cell=cell, against=LABELS_TRUTH))
    assert f"**{counts[true, called]} face" in words
    assert f"labelled {LABELS[true]}, called {LABELS[called]}" in words
    # To people all faces are neutral.
    words = words_of(open_at(view="Confusion", cell=f"neutral-{LABELS[called]}"))
    assert f"**{np.sum(predicted == called)} face" in words
    assert f"seen by most people as neutral, called {LABELS[called]}" in words


def test_a_face_opens_as_on_the_data_set_page(faces):
    keep_scores(faces)
    words = words_of(open_at(view="Confusion", face="7"))
    assert "7, counted from 0" in words
    assert f"What {MODEL} scores" in words


def test_the_threshold_says_what_is_answered_and_how_often_it_is_right(faces):
    probs, _ = keep_scores(faces)["PrivateTest"]
    labels = faces.labels[faces.rows_of("PrivateTest")]
    at = open_at(view="Calibration")
    assert "fitted on PublicTest against FER-2013's labels" in words_of(at)
    at.slider(key=f"threshold_{MODEL}").set_value(0).run()
    assert f"<b>100 %</b> of the faces; <b>{accuracy_score(labels, probs.argmax(1)) * 100:.0f} %</b>" in words_of(at)
    at.slider(key=f"threshold_{MODEL}").set_value(99).run()
    assert not at.exception


@pytest.mark.parametrize("view", ["Scores", "Confusion", "Calibration", "Robustness", "Report"])
def test_a_saved_subset_is_measured_alone(faces, view):
    keep_scores(faces)
    rows = faces.rows_of("PrivateTest")[:5]
    change_selections("small", faces.hash, len(faces), lambda it: it.save_rows("five", rows, datetime.now(UTC)))
    at = open_at(subset="five", split="PrivateTest", view=view)
    assert not at.exception and not at.error
    assert "subset five" in words_of(at)
    assert ">5 faces<" in words_of(at)


def test_a_subset_without_faces_in_the_split_is_said(faces):
    keep_scores(faces)
    row = faces.rows_of("Training")[:1]
    change_selections("small", faces.hash, len(faces), lambda it: it.save_rows("one", row, datetime.now(UTC)))
    at = open_at(subset="one", split="PrivateTest")
    assert not at.exception
    assert "The subset one has no faces in PrivateTest" in at.error[0].value


def test_robustness_is_measured_on_request_and_then_drawn(faces, started):
    keep_scores(faces)
    at = open_at(view="Robustness")
    at.button(key="measure_robustness").click().run()
    assert started == [MeasureModels((MODEL,), "small", ("PrivateTest",), robustness=True)]
    file = scores_key(load_bundle(MODEL).card)
    save_cached(
        cache_folder(faces.hash),
        f"robustness-{file}-PrivateTest",
        {name: np.linspace(0.6, 0.2, len(each.levels)) for name, each in CORRUPTIONS.items()},
    )
    at = open_at(view="Robustness")
    assert len(at.get("plotly_chart")) == 1
    assert "measure_robustness" not in [button.key for button in at.button]


def test_two_models_are_compared_and_one_alone_is_not(faces):
    kept = keep_scores(faces)["PrivateTest"][0]
    assert "Two models side by side appear here" in words_of(open_at(view="Compare"))
    add_model()
    other = keep_scores(faces, OTHER, seed=1, skill=4.0)["PrivateTest"][0]
    words = words_of(open_at(view="Compare", models=[MODEL, OTHER], against=LABELS_TRUTH))
    labels = faces.labels[faces.rows_of("PrivateTest")]
    right, better = kept.argmax(1) == labels, other.argmax(1) == labels
    assert f"<strong>{np.sum(right & better)}</strong><span>both right" in words
    assert f"<strong>{np.sum(~right & better)}</strong><span>only {OTHER} right" in words
    points = (np.mean(better) - np.mean(right)) * 100
    assert f"**{OTHER} is right {points:.1f} points more often than {MODEL}**" in words
    assert "more than chance" in words
    words = words_of(open_at(view="Compare", models=[MODEL, OTHER]))
    right, better = kept.argmax(1) == NEUTRAL, other.argmax(1) == NEUTRAL
    assert f"<strong>{np.sum(right & ~better)}</strong><span>only {MODEL} right" in words
    assert "Against what most people saw" in words


def test_a_row_is_explained(faces):
    keep_scores(faces)
    at = open_at(view="Where it looks", row="5")
    assert at.number_input(key="row").value == 5
    assert "Covered part by part" in words_of(at)


def test_models_come_in_and_go_out(faces):
    at = open_at(view="Models")
    labels = [expander.label for expander in at.expander]
    assert "Import a model" in labels
    assert f"Export {MODEL}" in labels


def test_both_reports_are_offered_for_what_was_measured(faces):
    at = open_at(view="Report")
    assert not at.get("download_button")
    keep_scores(faces)
    assert len(open_at(view="Report").get("download_button")) == 2


def test_a_broken_model_is_named_and_the_others_are_shown(faces):
    keep_scores(faces)
    add_model("broken")
    (models_root() / "broken" / MODEL_FILE).write_bytes(b"not a network")
    words = words_of(open_at(models=["broken", MODEL]))
    assert "broken cannot be measured" in words
    assert "All figures" in words


def test_a_split_that_a_model_was_trained_on_is_pointed_out(faces):
    add_model()
    card = models_root() / OTHER / "card.json"
    content = json.loads(card.read_text())
    content["training"]["train_splits"] = ["Training", "PublicTest"]
    content["data"]["sha256"] = "of data whose images are not known"
    card.write_text(json.dumps(content))
    keep_scores(faces, OTHER)
    assert "trained on faces of PublicTest" in words_of(open_at(models=OTHER, split="PublicTest"))
    assert "trained on faces" not in words_of(open_at(models=OTHER, split="PrivateTest"))
