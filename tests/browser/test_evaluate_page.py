"""The evaluation page as a new user meets it: nothing measured, one press, and then every view of the figures."""

import json
import re

import pytest
from playwright.sync_api import expect

from fer_core.data.demo import demo_set
from fer_core.data.store import write_store

# Generous, since a busy machine must not fail a test; nothing is measured by it.
PATIENCE_MS = 120_000
SPLIT_FACES = 14


@pytest.fixture
def page(browser, app):
    """The page at its address, as the server's first request may be."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{app.url}/evaluate")
    yield page
    context.close()


def visible(locator):
    expect(locator).to_be_visible(timeout=PATIENCE_MS)
    return locator


def saved(page, button, folder):
    """Press a download button; return what was saved, as text."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_text(encoding="utf-8")


def test_from_nothing_to_a_report(page, app, folder, tmp_path):
    visible(page.get_by_text("Figures need faces with labels"))
    page.get_by_role("button", name="Get a data set").click()
    visible(page.get_by_text("No data set is here yet"))
    write_store(demo_set(10 * SPLIT_FACES), "demo", folder / "home" / "datasets")
    page.goto(f"{app.url}/evaluate?models=seed-cnn")
    page.get_by_role("button", name="Measure").click()
    visible(page.locator(".fer-large-figures").get_by_text(f"of {SPLIT_FACES} faces of PrivateTest recognised"))
    expect(page.locator(".fer-table").first).to_contain_text("seed-cnn")

    page.get_by_role("tab", name="Confusion").click()
    cell = page.locator(".matrix button:enabled").first
    count = int(re.search(r": (\d+) of", visible(cell).get_attribute("aria-label")).group(1))
    cell.press("Enter")  # by keyboard as by mouse
    expect(page.locator(".face")).to_have_count(count, timeout=PATIENCE_MS)
    page.locator(".face .open").first.click()
    visible(page.get_by_role("dialog").get_by_text("What seed-cnn scores"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)

    page.get_by_role("tab", name="Calibration").click()
    slider = page.get_by_role("slider")
    visible(page.locator(".fer-answers"))
    slider.press("Home")
    expect(page.locator(".fer-answers")).to_contain_text("100 % of the faces", timeout=PATIENCE_MS)

    page.get_by_role("tab", name="Report").click()
    figures = json.loads(saved(page, "Download the figures as JSON", tmp_path))
    accuracy = figures["models"][0]["splits"]["PrivateTest"]["accuracy"]
    assert f"{accuracy * 100:.1f} %" in saved(page, "Download the report", tmp_path)

    # The address alone brings another viewer to the same place.
    assert "view=Report" in page.url
    page.get_by_role("tab", name="Scores").click()
    expect(page.locator(".fer-large-figures strong")).to_have_text(f"{accuracy * 100:.1f} %", timeout=PATIENCE_MS)
