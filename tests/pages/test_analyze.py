"""The page of pictures and videos: before, during and after, and with files that cannot be read."""

from fractions import Fraction
from pathlib import Path

import cv2
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.background.jobs import list_jobs
from fer_core.imaging.video import write_video
from fer_core.media.job import read_media_result

PAGE = Path(__file__).parents[2] / "pages" / "analyze.py"
TIMEOUT_S = 60


@pytest.fixture
def page(bundled_alone):
    """The page after its notice, with the bundled models alone."""
    at = AppTest.from_file(PAGE, default_timeout=TIMEOUT_S).run()
    return at.button(key="acknowledge").click().run()


def analysed(at, *files):
    """Choose files, press Analyse and wait for the end."""
    at.file_uploader(key="media_files").set_value(list(files)).run()
    at.button(key="media_start").click().run()
    list_jobs()[0].wait(TIMEOUT_S)
    at.run()
    assert not at.exception
    return at


def words_of(at):
    return " ".join(str(element.proto) for element in (*at.markdown, *at.caption, *at.get("html"), *at.error))


def png(scene):
    return cv2.imencode(".png", scene)[1].tobytes()


def test_without_files_there_is_nothing_to_press(page):
    assert not page.exception
    assert "Results appear here" in words_of(page)
    assert page.button(key="media_start").disabled


def test_a_picture_gives_a_card_and_a_table(page, draw_scene):
    analysed(page, ("two.png", png(draw_scene((160, 230, 120), (460, 240, 130))), "image/png"))
    assert "Face 2" in words_of(page) and "Face 3" not in words_of(page)
    assert "2 rows" in words_of(page)
    assert [each.label for each in page.get("download_button")] == ["Marked copy", "Table", "How it was made"]
    assert len(page.dataframe[0].value) == 2
    assert not page.get("plotly_chart")  # a picture has no course


def test_a_video_gives_faces_their_course_and_a_table(page, draw_scene, tmp_path):
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(15):
            writer.write(draw_scene((200 + 2 * index, 230, 120)), index / 10)
    analysed(page, ("clip.mp4", (tmp_path / "clip.mp4").read_bytes(), "video/mp4"))
    assert "Face 1 · 15 of 15 frames, 0:00 to 0:01" in words_of(page)
    assert page.get("plotly_chart") and page.get("video")
    assert page.dataframe[0].value["face"].tolist() == [1] * 15


def test_of_several_files_the_broken_one_is_explained_and_the_others_can_be_chosen(page, draw_scene):
    analysed(
        page,
        ("broken.png", b"no picture", "image/png"),
        ("a.png", png(draw_scene((300, 230, 120))), "image/png"),
        ("none.png", png(draw_scene()), "image/png"),
    )
    assert "broken.png cannot be read" in page.error[0].value
    assert page.selectbox(key="media_file").options == ["a.png", "none.png"]
    page.selectbox(key="media_file").select("none.png").run()
    assert "No face was found" in words_of(page)
    assert not page.exception


def test_faces_are_scored_for_the_chosen_label_set(bundled_alone, monkeypatch, three_label_sets, draw_scene):
    monkeypatch.setenv("FER_MODEL", str(three_label_sets))
    at = AppTest.from_file(PAGE, default_timeout=TIMEOUT_S).run().button(key="acknowledge").click().run()
    rows = {}
    for label_set in ("people", "votes"):
        at.selectbox(key="label_set_three").select(label_set)
        analysed(at, ("one.png", png(draw_scene((300, 230, 120))), "image/png"))
        job = next(job for job in list_jobs() if job.state == "finished")
        result = read_media_result(job.outputs, job.result)
        assert result.metadata["model"]["label_set"] == label_set
        rows[label_set] = result.rows
    assert (rows["people"]["happy"] != rows["votes"]["happy"]).all()


def test_files_that_are_all_broken_leave_only_the_reason(page):
    analysed(page, ("broken.mp4", b"no video", "video/mp4"))
    assert "broken.mp4 cannot be read" in page.error[0].value
    assert not page.get("download_button")
