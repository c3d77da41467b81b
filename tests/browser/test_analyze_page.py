"""Pictures and videos as a person brings them: chosen, analysed, played, and taken away as a table."""

import base64
from fractions import Fraction

import cv2
import pandas as pd
import pytest
from playwright.sync_api import expect

from fer_core.emotions import LABELS
from fer_core.imaging.video import write_video

# Generous, since a busy machine must not fail a test; nothing is measured by it.
PATIENCE_MS = 120_000

_PASTE = """({ text, picture }) => {
  const clipboardData = new DataTransfer();
  if (text) clipboardData.setData("text/plain", text);
  const bytes = picture && Uint8Array.from(atob(picture), (character) => character.charCodeAt(0));
  if (bytes) clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def clip(tmp_path, draw_scene):
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(20):
            writer.write(draw_scene((200 + 4 * index, 230, 130)), index / 10)
    return tmp_path / "clip.mp4"


def test_a_video_is_analysed_plays_with_its_faces_marked_and_leaves_as_a_table(browser, app, clip, tmp_path):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{app.url}/analyze")
    page.get_by_role("button", name="I understand").click()
    page.locator("input[type=file]").set_input_files(clip)
    page.get_by_role("button", name="Analyse").click()
    expect(page.locator(".fer-card")).to_have_count(1, timeout=PATIENCE_MS)
    # The browser can decode what was written, and it is as long as it was.
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2.0, abs=0.15)
    # The player goes where a moment, or a place on the curves, is clicked on; a line on the curves shows where it is.
    now = "document.querySelector('video').currentTime"
    chart = page.locator(".st-key-course .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    size = chart.bounding_box()
    chart.click(position={"x": 0.6 * size["width"], "y": 0.5 * size["height"]})
    page.wait_for_function(f"() => {now} > 0.8 && {now} < 1.4")
    expect(page.locator(".fer-playhead")).to_have_count(1)
    moment = page.locator(".moments button").first
    moment.click()
    page.wait_for_function(f"(time_s) => Math.abs({now} - time_s) < 0.05", arg=float(moment.get_attribute("data-time")))
    # The faces that the player shows, one of them large.
    page.get_by_role("button", name="Look closer at the faces shown now").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("clip.mp4 · face 1 · ", timeout=PATIENCE_MS)
    expect(dialog.locator("figure")).to_have_count(3, timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=PATIENCE_MS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Table", exact=True).click()
    download.value.save_as(tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["face"].tolist() == [1] * 20
    assert list(table)[-7:] == list(LABELS)
    context.close()


def test_a_pasted_picture_is_analysed_and_a_click_on_a_face_shows_it_large(browser, app, draw_scene):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{app.url}/analyze")
    page.get_by_role("button", name="I understand").click()
    said = page.locator("[role=status]")
    expect(page.locator("input[type=file]")).to_have_count(1, timeout=PATIENCE_MS)
    expect(said).to_have_count(1, timeout=PATIENCE_MS)
    page.evaluate(_PASTE, {"text": "some words"})
    expect(said).to_contain_text("holds text, not a picture", timeout=PATIENCE_MS)
    page.evaluate(_PASTE, {})
    expect(said).to_contain_text("holds no picture", timeout=PATIENCE_MS)
    picture = cv2.imencode(".png", draw_scene((160, 230, 120), (460, 240, 130)))[1].tobytes()
    page.evaluate(_PASTE, {"picture": base64.b64encode(picture).decode()})
    expect(page.get_by_text("pasted-1.png")).to_be_visible(timeout=PATIENCE_MS)
    expect(said).to_be_hidden()
    page.get_by_role("button", name="Analyse").click()
    faces = page.get_by_role("group", name="Faces in the picture").get_by_role("button")
    expect(faces).to_have_count(2, timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    left_first = sorted((faces.nth(i) for i in range(2)), key=lambda face: face.bounding_box()["x"])
    # Where the face was drawn, not where the script says it is.
    size = page.get_by_alt_text("pasted-1.png with 2 faces marked").bounding_box()
    page.mouse.click(size["x"] + 160 / 640 * size["width"], size["y"] + 230 / 480 * size["height"])
    number = left_first[0].get_attribute("title").split(",")[0].lower()
    expect(dialog).to_contain_text(f"pasted-1.png · {number} · ", timeout=PATIENCE_MS)
    expect(dialog.locator("figure")).to_have_count(3, timeout=PATIENCE_MS)
    context.close()
