"""The data set page as a new user meets it: with nothing, with the demo set, with a file of their own."""

import os
import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import expect

from fer_core.data.face_set import FaceSet, Provenance
from fer_core.data.store import write_store
from fer_core.emotions import CSV_TO_INDEX
from tests.drawn_faces import demo_set

# Generous, since a busy machine must not fail a test; nothing is measured by it.
PATIENCE_MS = 120_000


@pytest.fixture
def open_page(browser, app, folder):
    """A function that opens the page, at first without any data set: open_page("view=Browse")."""
    shutil.rmtree(folder / "home", ignore_errors=True)
    contexts, hosts = [], set()

    def open_one(address="", **options):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: hosts.add(re.sub(r"^(\w+:)(//([^/:]*))?.*", r"\1\3", request.url)))
        page.set_default_timeout(PATIENCE_MS)
        # The server's first request: the page must come within the app, not alone.
        page.goto(f"{app.url}/dataset?{address}")
        visible(page.get_by_test_id("stSidebarNavLink").filter(has_text="Training"))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert hosts <= {"http:localhost", "ws:localhost", "data:", "blob:"}, "nothing but the server is contacted"


@pytest.fixture(scope="module")
def faces():
    """140 drawn faces of Training, of which rows 3 and 4 are the same."""
    drawn = demo_set(140)
    images = drawn.images.copy()
    images[4] = images[3]
    return FaceSet(images, drawn.labels, np.zeros(140, np.uint8), source=Provenance(name="my-faces.csv"))


@pytest.fixture
def table(faces, tmp_path):
    """The same faces as a fer2013.csv."""
    lines = [
        f"{CSV_TO_INDEX.index(label)},{' '.join(map(str, image.ravel()))},Training"
        for label, image in zip(faces.labels, faces.images, strict=True)
    ]
    path = tmp_path / "my-faces.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return path


@pytest.fixture
def open_gallery(open_page, faces, folder):
    """A function that opens the page on the gallery of the faces, which are stored without being read by the page."""

    def open_one():
        write_store(faces, "my-faces", folder / "home" / "datasets")
        page = open_page("view=Browse")
        expect(page.locator(".face")).to_have_count(120, timeout=PATIENCE_MS)
        return page

    return open_one


def visible(locator):
    expect(locator).to_be_visible(timeout=PATIENCE_MS)
    return locator


def open_another(page, address):
    """Open the page again in a tab of its own, at another address."""
    other = page.context.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    other.goto(f"{page.url.partition('?')[0]}?{address}")
    return other


def read_from_path(page, path):
    page.get_by_role("textbox", name="File or folder on the machine that runs this page").fill(str(path))
    page.get_by_role("button", name="Read", exact=True).click()


def test_from_nothing_to_the_demo_set(open_page):
    page = open_page()
    visible(page.get_by_text("No data set is here yet"))
    page.get_by_role("button", name="Draw the demo set").click()
    visible(page.get_by_text("Drawn by this program, not FER-2013"))
    expect(page.locator(".fer-figure").first).to_contain_text("2,000", timeout=PATIENCE_MS)
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=PATIENCE_MS)


def test_a_path_is_read_and_a_second_set_stands_beside_it(open_page, table):
    page = open_page()
    read_from_path(page, table)
    expect(page.locator(".fer-figure").first).to_contain_text("140", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Add", exact=True).click()
    visible(page.get_by_role("dialog"))
    read_from_path(page, table)
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("my-faces 2", timeout=PATIENCE_MS)


def test_an_upload_is_read(open_page, table):
    page = open_page()
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").first.set_input_files(table)
    read = page.get_by_role("button", name="Read", exact=True)
    expect(read).to_be_enabled(timeout=PATIENCE_MS)
    read.click()
    expect(page.locator(".fer-figure").first).to_contain_text("140", timeout=PATIENCE_MS)


def test_a_broken_file_is_explained_and_leaves_nothing(open_page, table):
    table.write_text(table.read_text()[:5000])
    page = open_page()
    read_from_path(page, table)
    visible(page.get_by_text("Reading my-faces.csv failed."))
    visible(page.get_by_text("No data set is here yet"))


def test_a_face_opens_is_stepped_from_in_a_circle_and_marked(open_gallery):
    page = open_gallery()
    page.locator(".face .open").first.click()
    dialog = visible(page.get_by_role("dialog"))
    page.keyboard.press("ArrowLeft")
    visible(dialog.get_by_text("119, counted from 0"))
    page.keyboard.press("ArrowRight")
    visible(dialog.get_by_text("0, counted from 0", exact=True))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)

    page.locator(".face .open").nth(2).click()
    dialog = visible(page.get_by_role("dialog"))
    visible(dialog.get_by_text("2, counted from 0"))
    assert "face=2" in page.url
    page.keyboard.press("ArrowRight")
    visible(dialog.get_by_text("3, counted from 0"))
    visible(dialog.get_by_text("1 copy"))
    dialog.get_by_text("Exclude from training").click()
    visible(dialog.get_by_text("Marked to be left out of training"))
    page.keyboard.press("Escape")
    expect(page.locator(".face[data-mark=exclude]")).to_have_count(1, timeout=PATIENCE_MS)
    assert "face=" not in page.url


def test_every_action_in_the_dialog_keeps_style_focus_and_escape(open_gallery):
    page = open_gallery()

    def open_first():
        page.locator(".face .open").nth(3).click()
        return visible(page.get_by_role("dialog"))

    def label(dialog, name):
        return dialog.get_by_test_id("stButtonGroup").get_by_text(name, exact=True)

    def after(what, message):
        dialog = open_first()
        what(dialog)
        visible(dialog.get_by_text(message))
        expect(page.locator("[data-test-script-state=running]")).to_have_count(0, timeout=PATIENCE_MS)
        expect(dialog.locator(".fer-bar").first).to_have_css("display", "grid", timeout=PATIENCE_MS)
        expect(page.locator(".fer-figures")).to_have_css("display", "grid", timeout=PATIENCE_MS)
        page.wait_for_function("document.querySelector('[role=dialog]').contains(document.activeElement)")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)
        expect(page).not_to_have_url(re.compile("face="), timeout=PATIENCE_MS)

    own = page.locator(".face .word").nth(3).inner_text()
    other = "sad" if own != "sad" else "happy"
    after(lambda dialog: dialog.get_by_text("Exclude from training").click(), "Marked to be left out of training")
    after(lambda dialog: dialog.get_by_text("Exclude from training").click(), "Not marked")
    after(lambda dialog: label(dialog, other).click(), f"Marked to be relabelled {other}")
    after(lambda dialog: label(dialog, own).click(), "Not marked")
    after(lambda dialog: dialog.get_by_role("button", name="Next").click(), "4, counted from 0")
    after(lambda dialog: dialog.get_by_role("button", name="Previous").click(), "2, counted from 0")
    after(lambda dialog: dialog.locator(".face .open").nth(1).click(), "4, counted from 0")  # its copy


def test_a_link_to_a_data_set_that_is_gone_says_so(open_page, table):
    page = open_page("data=mine")
    read_from_path(page, table)
    expect(page.locator(".fer-figure").first).to_contain_text("140", timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile("data=my-faces"), timeout=PATIENCE_MS)
    other = open_another(page, "data=mine")
    visible(other.get_by_text("There is no data set named mine here any more."))
    expect(other).to_have_url(re.compile("data=my-faces"), timeout=PATIENCE_MS)


def test_an_open_data_set_whose_file_is_cut_short_does_not_end_the_server(open_gallery, app, folder):
    page = open_gallery()
    [images] = (folder / "home" / "datasets").glob("my-faces/*/images.npy")
    os.truncate(images, 5000)
    page.locator(".face .open").nth(110).click()
    visible(page.get_by_text("my-faces cannot be opened."))
    assert app.process.poll() is None
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete my-faces").click()
    visible(page.get_by_text("No data set is here yet"))


def test_several_faces_are_marked_at_once_and_that_is_undone_and_the_pager_shows_every_page(open_gallery):
    page = open_gallery()
    checks = page.locator(".check")
    checks.nth(5).click()
    checks.nth(9).click(modifiers=["Shift"])
    expect(page.locator(".bar output")).to_have_text("5 faces selected", timeout=PATIENCE_MS)
    page.locator(".bar select").select_option("sad")
    expect(page.locator(".face[data-mark=relabel]")).to_have_count(5, timeout=PATIENCE_MS)
    visible(page.get_by_text("5 to relabel"))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".face[data-mark]")).to_have_count(0, timeout=PATIENCE_MS)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_test_id("stPagination").get_by_text("2", exact=True)).to_be_visible(timeout=PATIENCE_MS)


def test_an_address_shows_another_viewer_the_same_faces(open_gallery, open_page):
    page = open_gallery()
    page.get_by_test_id("stSidebar").get_by_text("happy", exact=True).click()
    happy = page.locator(".face").filter(has_not_text="happy")
    expect(happy).to_have_count(0, timeout=PATIENCE_MS)
    rows = page.locator(".face").evaluate_all("faces => faces.map(face => face.dataset.row)")
    other = open_page(page.url.partition("?")[2])
    expect(other.locator(".face")).to_have_count(len(rows), timeout=PATIENCE_MS)
    assert other.locator(".face").evaluate_all("faces => faces.map(face => face.dataset.row)") == rows


def test_the_map_is_made_and_a_lasso_shows_its_faces(open_gallery):
    page = open_gallery()
    page.get_by_role("tab", name="Problems").click()
    visible(page.get_by_role("heading", name=re.compile("copies", re.I)).first)
    page.get_by_role("tab", name="Map").click()
    page.get_by_role("button", name="Make the map").click()
    plane = visible(page.locator(".js-plotly-plot .nsewdrag").first)
    page.wait_for_timeout(1000)
    box = plane.bounding_box()
    corners = [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95), (0.05, 0.05)]
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()
    visible(page.get_by_text(re.compile(r"\d+ faces selected on the map")))
    expect(page.locator(".face").first).to_be_visible(timeout=PATIENCE_MS)
