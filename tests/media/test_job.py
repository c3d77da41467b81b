"""Uploads through the real line, as the page has them analysed."""

import io
import time
from fractions import Fraction

import cv2
import numpy as np
import pytest

from fer_core.background.jobs import list_jobs, sweep_jobs
from fer_core.background.launch import start_job
from fer_core.background.task import JobCancelled, JobContext
from fer_core.emotions import LABELS
from fer_core.errors import MediaError
from fer_core.imaging.video import write_video
from fer_core.media.job import KEPT_MIN, AnalyzeMedia, read_media_result, stored_name, unique_names
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL

MODEL = str(BUNDLED_ROOT / DEFAULT_MODEL)
LIMIT_S = 120


@pytest.fixture
def clip(tmp_path, draw_scene):
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(20):
            writer.write(draw_scene((200 + 2 * index, 230, 120)), index / 10)
    return "clip.mp4", (tmp_path / "clip.mp4").read_bytes()


@pytest.fixture
def analyzed(tmp_path):
    """A function that analyses files, (name, content) each, in this process: analyzed(files, report, **options)."""
    folder = tmp_path / "job"

    def run(files, report=None, **options):
        job = JobContext(folder)
        names = unique_names([name for name, _ in files])
        job.inputs.mkdir(parents=True)
        job.outputs.mkdir()
        for number, (name, (_, content)) in enumerate(zip(names, files, strict=True)):
            (job.inputs / stored_name(number, name)).write_bytes(content)
        if report:
            job.progress = report
        result = AnalyzeMedia(names, MODEL, "me", **options).run(job)
        return read_media_result(job.outputs, result)

    return run


def picture(name, scene):
    return name, cv2.imencode(".png", scene)[1].tobytes()


def test_rows_copies_and_portraits_come_back(analyzed, clip, draw_scene):
    shares = []
    found = analyzed(
        [clip, picture("one.png", draw_scene((300, 230, 120)))],
        lambda done, total: shares.append(done / total),
        every_s=0.5,
    )
    assert found.rows["file"].tolist() == ["clip.mp4"] * 4 + ["one.png"]
    assert found.csv.decode().count("\n") == 6
    assert set(found.copies) == set(found.portraits) == {"clip.mp4", "one.png"}
    assert cv2.imread(str(found.copies["one.png"])).shape == (480, 640, 3)
    assert found.portraits["clip.mp4"][1].startswith("data:image/jpeg;base64,")
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1
    assert not found.cancelled


def test_the_strongest_moments_of_a_video_come_with_a_picture(analyzed, clip, draw_scene):
    result = analyzed([clip, picture("one.png", draw_scene((300, 230, 120)))])
    assert set(result.moments) == {"clip.mp4"}
    sure = result.rows[(result.rows["file"] == "clip.mp4") & (result.rows["uncertain"] == "no")]
    moments = result.moments["clip.mp4"]
    assert {moment.expression for moment in moments} == set(sure["expression"])
    for moment in moments:
        best = sure[sure["expression"] == moment.expression][moment.expression].max()
        assert best - 0.02 <= moment.score <= best + 1e-4
        assert moment.face == 1 and moment.picture.startswith("data:image/jpeg;base64,")
    assert [moment.time_s for moment in moments] == sorted(moment.time_s for moment in moments)


def test_files_of_one_name_are_told_apart_and_a_strange_name_harms_nothing(analyzed, draw_scene):
    names = ["a.png", "a.png", "../../" + "ü" * 300 + ".png"]
    found = analyzed([picture(name, draw_scene()) for name in names])
    assert found.rows["file"].tolist() == ["a.png", "a (2).png", "ü" * 300 + ".png"]


def test_a_broken_file_is_named_as_its_owner_knows_it(analyzed, draw_scene):
    found = analyzed(
        [
            ("mine.jpg", b"\xff\xd8\xff broken"),
            ("film.mp4", b"broken"),
            picture("one.png", draw_scene((300, 230, 120))),
        ]
    )
    errors = [file.get("error", "") for file in found.metadata["files"]]
    assert errors[0].startswith("mine.jpg cannot be read")
    assert errors[1].startswith("film.mp4 cannot be read")
    assert found.rows["file"].tolist() == ["one.png"]


def test_what_was_found_before_a_cancel_is_kept(analyzed, clip):
    calls = []

    def report(done, total):
        calls.append(done)
        if len(calls) == 6:  # the first says that the file is begun
            raise JobCancelled

    found = analyzed([clip], report)
    assert found.cancelled
    assert found.rows["frame"].tolist() == [0, 1, 2, 3, 4]
    assert found.metadata["files"] == [{"file": "clip.mp4", "frames": 5}]
    assert found.copies == {}


def test_a_full_disk_is_an_error_in_words(analyzed, clip, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_core.media.job.write_json", full)
    with pytest.raises(MediaError, match="Results cannot be written: No space left on device"):
        analyzed([clip])


def test_the_table_of_a_picture_without_a_face_can_be_shown(analyzed, draw_scene):
    found = analyzed([picture("none.png", draw_scene())])
    assert len(found.rows) == 1 and found.rows["face"].isna().all()
    assert found.rows[list(LABELS)].isna().all(axis=None)


def test_results_that_are_gone_are_named(tmp_path):
    with pytest.raises(MediaError, match="gone or damaged"):
        read_media_result(tmp_path, {"copies": {}, "cancelled": False})


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


def start(name, content, viewer="me"):
    return start_job(AnalyzeMedia([name], MODEL, viewer), viewer, {stored_name(0, name): io.BytesIO(content)})


def test_pictures_are_gone_a_while_after_the_job_was_last_looked_at(home, draw_scene):
    job = start(*picture("one.png", draw_scene((300, 230, 120)))).wait(LIMIT_S)
    assert len(read_media_result(job.outputs, job.result).rows) == 1
    assert not (job.folder / "input").exists(), "uploads go first"
    sweep_jobs(time.time() + KEPT_MIN * 60 - 30)
    assert list_jobs()
    sweep_jobs(time.time() + KEPT_MIN * 60 + 30)
    assert not job.folder.exists()


def test_a_cancelled_analysis_ends_with_what_it_has(home, clip, tmp_path, draw_scene):
    with write_video(tmp_path / "long.mp4", Fraction(10)) as writer:
        for index in range(600):
            writer.write(draw_scene((200 + index % 50, 230, 120)), index / 10)
    job = start("long.mp4", (tmp_path / "long.mp4").read_bytes())
    end_s = time.monotonic() + LIMIT_S
    while not job.refresh().progress.share:
        assert time.monotonic() < end_s and job.refresh().running
        time.sleep(0.05)
    job.cancel()
    job = job.wait(LIMIT_S)
    assert job.state == "finished", job.log_file.read_text()
    found = read_media_result(job.outputs, job.result)
    assert found.cancelled and 0 < len(found.rows) < 600
    assert np.isfinite(found.rows[list(LABELS)].to_numpy()).all()
