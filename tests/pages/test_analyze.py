"""The page of pictures and videos: before, during and after, and with files that cannot be read."""

import dataclasses
import zipfile
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.background.jobs import list_jobs
from fer_core.emotions import LABELS
from fer_core.imaging.video import open_video, write_video
from fer_core.media.face_crops import read_face
from fer_core.media.job import read_media_result
from fer_core.recognizer import EmotionRecognizer
from fer_core.ui.components.pictures import png_url

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


def table_of(at):
    return next(each.value for each in at.dataframe if "not_valid_because" in each.value)


def video_frames(path):
    with open_video(path) as video:
        yield from (frame.image_bgr for frame in video.frames())


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
    assert [each.label for each in page.get("download_button")] == [
        *("Marked copy", "Report", "Table", "Parquet", "JSON Lines"),
        *(["Excel"] if find_spec("openpyxl") else []),
        "How it was made",
    ]
    assert len(table_of(page)) == 2
    assert not page.get("plotly_chart")  # a picture has no course


def test_a_face_opens_as_the_model_got_it_and_where_the_model_looks(page, draw_scene):
    analysed(page, ("two.png", png(draw_scene((160, 230, 120), (460, 240, 130))), "image/png"))
    page.session_state["media_opened"] = 1
    assert "face 2 · " in words_of(page.run())
    assert "Scored for: What people see" in words_of(page) and "no proof of a reason" in words_of(page)
    job_id, result = page.session_state["media_result"]
    scores = result.rows.loc[1, list(LABELS)].to_numpy(float)
    crop = read_face(result.faces, result.rows, 1)
    np.testing.assert_allclose(EmotionRecognizer().classify(crop[None])[0], scores, atol=0.01)
    assert png_url(crop) in words_of(page)
    page.selectbox(key="media_face_0").select(0).run()
    assert "face 1 · " in words_of(page)
    # The model that scored it may be deleted while the results are looked at.
    model = {**result.metadata["model"], "sha256": "gone"}
    del page.session_state["media_named"]
    page.session_state["media_result"] = (
        job_id,
        dataclasses.replace(result, metadata={**result.metadata, "model": model}),
    )
    page.run()
    assert "no longer among the models" in page.info[0].value and not page.exception


def test_a_video_gives_faces_their_course_and_a_table(page, draw_scene, tmp_path):
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(15):
            writer.write(draw_scene((200 + 2 * index, 230, 120)), index / 10)
    analysed(page, ("clip.mp4", (tmp_path / "clip.mp4").read_bytes(), "video/mp4"))
    assert "Face 1 · 15 of 15 frames, 0:00 to 0:01" in words_of(page)
    assert page.get("plotly_chart") and page.get("video")
    assert table_of(page)["face"].tolist() == [1] * 15
    page.session_state["media_names"][1]["clip.mp4"] = {1: "Ann <3"}
    page.run()
    assert "Ann &lt;3 · 15 of 15 frames" in words_of(page) and "Face 1" not in words_of(page)
    assert table_of(page)["name"].tolist() == ["Ann <3"] * 15


def test_a_part_of_a_video_with_its_faces_blurred(page, draw_scene, tmp_path):
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(30):
            writer.write(draw_scene((200 + 2 * index, 230, 120)), index / 10)
    page.number_input(key="media_from").set_value(2.0).run()
    page.number_input(key="media_to").set_value(1.0).run()
    assert "end must be after the start" in page.error[0].value
    page.number_input(key="media_to").set_value(2.5).run()
    page.toggle(key="media_blur").set_value(True).run()
    analysed(page, ("clip.mp4", (tmp_path / "clip.mp4").read_bytes(), "video/mp4"))
    assert table_of(page)["frame"].tolist() == [20, 21, 22, 23, 24]
    result = read_media_result(list_jobs()[0].outputs, list_jobs()[0].result)
    (moment, *_) = result.moments["clip.mp4"]
    assert 2.0 <= moment.time_s < 2.5 and moment.picture.startswith("data:image/jpeg")
    copy = next(video_frames(result.copies["clip.mp4"]))
    assert np.abs(np.diff(copy[190:270, 210:270].astype(int), axis=1)).mean() < 6


def test_an_archive_is_the_pictures_in_it(page, draw_scene, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a/one.png", png(draw_scene((300, 230, 120))))
        archive.writestr("none.png", png(draw_scene()))
    broken = ("broken.zip", b"PK\x03\x04 broken", "application/zip")
    analysed(page, ("photos.zip", (tmp_path / "photos.zip").read_bytes(), "application/zip"), broken)
    assert "broken.zip" in page.error[0].value
    assert page.selectbox(key="media_file").options == ["photos.zip/a/one.png", "photos.zip/none.png"]


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
