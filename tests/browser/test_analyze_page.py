"""Pictures and videos as a person brings them: chosen, analysed, played, and taken away as a table."""

from fractions import Fraction

import pandas as pd
import pytest
from playwright.sync_api import expect

from fer_core.emotions import LABELS
from fer_core.imaging.video import write_video

# Generous, since a busy machine must not fail a test; nothing is measured by it.
PATIENCE_MS = 120_000


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
    with page.expect_download() as download:
        page.get_by_role("button", name="Table", exact=True).click()
    download.value.save_as(tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["face"].tolist() == [1] * 20
    assert list(table)[-7:] == list(LABELS)
    context.close()
