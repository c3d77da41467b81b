"""Every page at three widths in both themes: nothing is cut off, no page is too wide, all text is legible."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from fer_core.cache import cache_folder, save_cached
from fer_core.data.face_set import FaceSet
from fer_core.data.store import write_store
from fer_core.emotions import LABELS
from fer_core.files import write_json
from fer_core.models.bundle import load_bundle, scores_key
from fer_core.models.card import ModelCard
from fer_core.sessions.database import open_database
from fer_core.sessions.details import Details
from fer_core.sessions.markers import CODE, EXCLUDED, Marker, add_markers
from fer_core.training.config import PRESETS
from fer_core.training.run.store import find_run
from tests.browser.layout import layout_problems
from tests.browser.training_app import keep_speed
from tests.drawn_faces import demo_set
from tests.sessions.recording import frame, record

# Generous, since a busy machine must not fail a test; nothing is measured by it.
PATIENCE_MS = 120_000
WIDTHS = (1920, 1280, 390)
MODEL = "compact"
# By the page's name in the menu: a text that shows that it is drawn, and the tabs that are looked at.
PAGES = {
    "Pictures and videos": ("Results appear here", ()),
    "Sessions": ("2 faces", ("Shares", "Markers", "Agreement")),
    "Data set": ("Drawn by this program", ("Browse", "Problems", "Map")),
    "Training": ("Validation after epoch", ()),
    "Evaluate": ("recognised", ("Confusion", "Calibration", "Robustness", "Report", "Models")),
}


@pytest.fixture(scope="module")
def furnished(folder):
    """Fill the home of the app: a data set, kept scores of a model, a finished run and a recorded session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        drawn = demo_set(140)
        votes = np.zeros((len(drawn), 10), np.uint8)
        votes[np.arange(len(drawn)), drawn.labels] = 10
        faces = write_store(dataclasses.replace(drawn, votes=votes), "demo")
        _keep_scores(faces)
        _finish_run("a-run-with-a-rather-long-name")
        _record_session()


def _keep_scores(faces: FaceSet) -> None:
    """Keep scores of both test splits, as a measurement does."""
    rng, file = np.random.default_rng(0), scores_key(load_bundle(MODEL).card)
    for split in ("PublicTest", "PrivateTest"):
        labels = faces.labels[faces.rows_of(split)]
        probs = np.exp(rng.normal(size=(len(labels), 7)) + 1.5 * np.eye(7)[labels])
        probs = (probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)
        save_cached(
            cache_folder(faces.hash),
            f"scores-{file}-{split}",
            {"probs": probs, "mirrored": probs, "ms_per_face": np.array(1.25)},
        )


def _finish_run(name: str) -> None:
    """Write what a finished run of three epochs leaves."""
    keep_speed()
    run = find_run(name)
    run.create(dataclasses.replace(PRESETS["quick"], epochs=3))
    run.history_file.write_text(
        "epoch,accuracy,images_per_s,learning_rate,loss,seconds,val_accuracy,val_loss\n"
        "0,0.3,900,1e-4,1.8,10,0.4,1.7\n1,0.5,900,1e-4,1.4,12.5,0.6,1.5\n2,0.6,900,1e-4,1.2,12.5,0.5,1.6\n"
    )
    cv2.imwrite(str(run.faces_file), np.full((48, 96), 90, np.uint8))
    confusion = 20 * np.eye(7, dtype=int) + np.arange(49).reshape(7, 7) % 5
    predicted = [[0, 1], [0, 2], [0, 3]]
    faces = {"labels": [0, 3], "probs": np.full((2, 7), 1 / 7).tolist(), "predicted": predicted}
    write_json(run.validation_file, {"epoch": 2, "confusion": confusion.tolist(), "faces": faces})
    metrics = {split: {"accuracy": 0.55, "images": 14} for split in ("PublicTest", "PrivateTest")}
    ModelCard(name, "small-cnn", 7, LABELS, metrics=metrics).save(run.card_file)
    run.write_status("finished", epoch=3, steps_per_epoch=25)


def _record_session() -> None:
    """Record two faces in six frames, a tenth of a second apart."""
    details = Details("a study with a rather long name", "P01", "a condition", "A session with a name", "", ("tag",))
    session = record(open_database(), [frame(index, 2) for index in range(6)], details=details)
    add_markers(session, [Marker(0.2, "a marker with a rather long name"), Marker(0.3, "", 0.4, EXCLUDED)])
    add_markers(session, [Marker(0.0, "happy", 0.5, CODE, "Ann"), Marker(0.0, "neutral", 0.5, CODE, "Bob")])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off_or_hard_to_read(browser, app, furnished, theme):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(app.url)
    problems = [*_problems(page, "The notice", "Before you start")]
    page.get_by_role("button", name="I understand").click()
    # Until it has told the server that it is there, the camera's component may call the page back that is left.
    camera = page.frame_locator("iframe[title*='webrtc']")
    expect(camera.get_by_role("button", name="Start camera")).to_be_visible(timeout=PATIENCE_MS)
    problems += _problems(page, "Live", "Faces appear here")
    for name, (text, tabs) in PAGES.items():
        # In the DOM, since at 390 px the menu is out of sight.
        page.get_by_test_id("stSidebarNavLink").filter(has_text=name).dispatch_event("click")
        problems += _problems(page, name, text)
        for tab in tabs:
            page.get_by_role("tab", name=tab, exact=True).click()
            problems += _problems(page, f"{name}, {tab}")
    context.close()
    assert not problems, "\n".join(problems)


def _problems(page: Page, name: str, text: str = "") -> list[str]:
    """Return what is wrong with the page at each width, once it shows `text` and its script has run."""
    if text:
        expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0, timeout=PATIENCE_MS)
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        problems += [f"{name} at {width} px: {problem}" for problem in layout_problems(page)]
    return problems
