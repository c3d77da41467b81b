"""The pictures of sessions, in both databases: times, consent, faults, and everything that deletes or exports them."""

import io
import json
import shutil
import stat
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from fer_core.errors import MediaError, SessionError
from fer_core.files import sha256_of
from fer_core.imaging.fragments import FragmentWriter
from fer_core.imaging.video import open_video
from fer_core.live.session import LiveSession
from fer_core.sessions import video_recorder, videos
from fer_core.sessions.details import Details
from fer_core.sessions.report import build_report, html_report
from fer_core.sessions.retention import delete_expired
from fer_core.sessions.schema import sessions
from fer_core.sessions.schema import videos as table
from fer_core.sessions.store import list_sessions
from fer_core.sessions.studies import (
    Study,
    consents_of,
    delete_participant,
    keep_answer,
    participant_zip,
    save_study,
    shown_text,
)
from fer_core.sessions.video_recorder import WAITING
from tests.disks import SmallDisk
from tests.sessions.recording import (
    BEGAN,
    Clock,
    frame,
    frames_of,
    number_of,
    picture,
    recorder_of,
    recorder_with_video,
)

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
LIMIT = 10**9


@pytest.fixture(autouse=True)
def small_reserve(monkeypatch):
    """The machine that runs the tests may have little room."""
    monkeypatch.setattr(videos, "RESERVE_BYTES", 1_000_000)


def wait_until(condition):
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not get there in time"
        time.sleep(0.01)


def written(recorder):
    """Wait until no picture waits any more."""
    wait_until(lambda: not recorder._video._waiting or recorder.state.video.problem)


def filmed(database, pictures=4, **options):
    """Record a session with a video of some pictures, a tenth of a second apart."""
    clock = Clock()
    recorder = recorder_with_video(database, clock, **options)
    for number in range(pictures):
        clock.now_s += 0.1
        recorder.add(frame(number), image_bgr=picture(number))
        written(recorder)
    recorder.close(PATIENCE_S)
    return recorder.session.again()


def rows_of(database):
    with database.begin() as connection:
        return connection.execute(table.select()).all()


def test_pictures_have_the_times_of_their_rows_when_rate_and_size_change_and_the_stream_breaks_off(database):
    clock = Clock()
    recorder = recorder_with_video(database, clock)
    rng, shown = np.random.default_rng(5), {}
    for number in range(50):
        clock.now_s += float(rng.uniform(0.02, 0.2))
        if number == 30:
            recorder.close_unless_resumed(20)
            clock.now_s += 15
        image = picture(number, (64, 48) if number < 40 else (48, 64))
        if number % 7 == 3:  # the server was busy
            recorder.add_picture(image)
        else:
            recorder.add(frame(number % 30), image_bgr=image)
            shown[number] = recorder.state.seconds
        written(recorder)
    recorder.close(PATIENCE_S)
    session = recorder.session.again()
    video = session.video()
    times_s = {number: video.start_s + time_s for time_s, number in frames_of(video.path)}
    assert list(times_s) == list(range(50)) and (video.frames, video.dropped, video.fault) == (50, 0, "")
    assert [times_s[number] for number in shown] == pytest.approx(list(shown.values()), abs=0.001)
    assert sorted(set(session.short_rows()["time_s"])) == pytest.approx(list(shown.values()), abs=0.001)
    assert video.size_wh == (64, 48) and video.length_s == pytest.approx(session.length_s - video.start_s, abs=0.2)


def test_its_file_is_private_and_known_by_its_hash(database):
    session = filmed(database)
    video = session.video()
    assert stat.S_IMODE(video.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(video.path.parent.stat().st_mode) == 0o700
    assert video.path.parent == videos.videos_folder(database)
    assert (video.sha256, video.bytes) == (sha256_of(video.path), video.path.stat().st_size)
    assert session.metadata()["video"] == {
        "format": "video/mp4",
        "width": 64,
        "height": 48,
        "start_s": 0.1,
        "length_s": pytest.approx(0.367, abs=0.1),
        "frames": 4,
        "dropped": 0,
        "bytes": video.bytes,
        "sha256": video.sha256,
    }
    assert "0:00 from 0:00 on, 64 × 48, 4 frames" in html_report(build_report(session))


@pytest.mark.parametrize("answer", [None, False])
def test_no_picture_without_a_yes_to_it(sqlite, answer):
    recorder = recorder_of(sqlite)
    keep_answer(Study(), "", True, recorder.session, sqlite, picture=answer)
    with pytest.raises(SessionError, match="only after a yes"):
        recorder.keep_video(LIMIT)
    recorder.add(frame(0), image_bgr=picture(0))
    recorder.close(PATIENCE_S)
    assert recorder.session.again().video() is None and not rows_of(sqlite)


def test_the_question_says_how_long_it_is_kept_and_is_kept_with_its_answer(database):
    study = Study("pilot", "May we?", 30)
    session = filmed(database)
    keep_answer(study, "P1", True, session, database, picture=False)
    assert shown_text(study, False) == "May we?"
    first, second = consents_of(session)
    assert second.text.startswith("May we?\n\nThe picture of the camera can be kept too") and "30 days" in second.text
    assert (first.picture, second.picture) == (True, False) and "until somebody deletes it" in first.text


def test_a_live_stream_s_pictures_are_kept_as_they_came(sqlite):
    class Analyzer:
        settings = None
        index = -1

        def process(self, image_bgr, time_s):
            if (number := number_of(image_bgr)) == 2:
                raise ValueError("cannot be analysed")
            self.index += 1
            return frame(number)

    class EveryOther:
        def is_due(self, stream, now_s, delivered):
            return delivered == 1

        note = leave = lambda *_: None

    live = LiveSession(lambda _: Analyzer(), governor=EveryOther())
    live.recorder = recorder_with_video(sqlite, time.monotonic)
    for number in range(6):
        image = picture(number)
        image[:, :16] = 255  # it is mirrored on the page, and here it is not
        live.process(image, delivered=2 if number == 4 else 1)
        written(live.recorder)
    live.recorder.close(PATIENCE_S)
    video = live.recorder.session.again().video()
    with open_video(video.path) as opened:
        images = [each.image_bgr for each in opened.frames()]
    assert [number_of(image) for image in images] == list(range(6))
    assert all(image[:, :12].mean() > 240 and image[:, -12:].mean() < 60 for image in images)
    assert (live.recorder.session.again().frames, video.dropped) == (4, 1)


def test_where_the_encoder_does_not_keep_up_pictures_are_left_out_and_nobody_waits(sqlite, monkeypatch):
    clock, begun = Clock(), []
    write = FragmentWriter.write

    def slow(self, image_bgr, time_s):
        begun.append(time_s)
        wait_until(lambda: len(recorder_state()) or len(begun) > 1)
        write(self, image_bgr, time_s)

    def recorder_state():
        return [1] if recorder.state.rows >= 40 else []

    monkeypatch.setattr(FragmentWriter, "write", slow)
    recorder = recorder_with_video(sqlite, clock)
    recorder.add(frame(0), image_bgr=picture(0))
    wait_until(lambda: begun)
    began_s = time.monotonic()
    for number in range(1, 40):
        clock.now_s += 0.1
        recorder.add(frame(number), image_bgr=picture(number))
    assert time.monotonic() - began_s < 5
    recorder.close(PATIENCE_S)
    session = recorder.session.again()
    assert (session.rows, session.video().frames, session.video().dropped) == (40, 1 + WAITING, 39 - WAITING)
    assert [number for _, number in frames_of(session.video().path)] == list(range(1 + WAITING))


def small_disk(monkeypatch):
    begin = FragmentWriter.__init__
    monkeypatch.setattr(
        FragmentWriter, "__init__", lambda self, file, size_wh: begin(self, SmallDisk(file, 80_000), size_wh)
    )
    return LIMIT, "there is no space left"


def little_room(monkeypatch):
    free = iter([2_000_000] * 3)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(videos.shutil, "disk_usage", lambda _: usage._replace(free=next(free, 999_999)))
    return LIMIT, "less than 1 MB of the disk are left"


def limit(monkeypatch):
    return 4000, "its file has 0 MB, which is what FER_VIDEO_MB allows"


@pytest.mark.parametrize("fault", [small_disk, little_room, limit])
def test_a_disk_that_fills_up_or_the_limit_ends_the_video_alone(sqlite, monkeypatch, fault):
    limit_bytes, words = fault(monkeypatch)
    clock, noise = Clock(), np.random.default_rng(0)
    recorder = recorder_with_video(sqlite, clock, limit_bytes)
    for number in range(100):
        clock.now_s += 0.1
        recorder.add(frame(number), image_bgr=noise.integers(0, 255, (48, 64, 3), np.uint8))
        written(recorder)
    wait_until(lambda: recorder.state.video.problem)
    assert f"The picture is kept no longer: {words}" in recorder.state.video.problem
    assert not recorder.state.ended
    recorder.close(PATIENCE_S)
    session = recorder.session.again()
    video = session.video()
    assert session.rows == 100 and not session.problem and video.problem == recorder.state.video.problem
    assert not video.fault and 10 < len(frames_of(video.path)) == video.frames < 100
    assert words in html_report(build_report(session))


def test_a_folder_that_cannot_be_written_ends_the_video_alone(sqlite):
    videos.videos_folder(sqlite).write_text("a file")
    recorder = recorder_with_video(sqlite)
    wait_until(lambda: recorder.state.video.problem)
    recorder.add(frame(0), image_bgr=picture(0))
    recorder.close(PATIENCE_S)
    session = recorder.session.again()
    assert (
        session.rows == 1 and "cannot be written" in session.video().problem and "is not there" in session.video().fault
    )


def missing(path):
    path.unlink()


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def damaged(path):
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    ("harm", "words"), [(missing, "is not there"), (cut_off, "is not the one"), (damaged, "file is damaged")]
)
def test_a_file_that_is_gone_or_broken_is_said_and_the_rest_works(sqlite, harm, words):
    session = filmed(sqlite, details=Details("pilot", "P1"))
    harm(session.video().path)
    assert words in session.video().fault and words in session.metadata()["video"]["fault"]
    assert "cannot be shown" in html_report(build_report(session))
    assert len(session.all_rows()) == 4
    with zipfile.ZipFile(io.BytesIO(participant_zip("pilot", "P1", sqlite))) as archive:
        assert f"{session.name}/video.mp4" not in archive.namelist()
    session.delete()
    assert not list(videos.videos_folder(sqlite).iterdir()) and not rows_of(sqlite)


def test_a_participant_s_videos_are_exported_and_deleted_with_the_rest(database):
    first, second = (filmed(database, details=Details("pilot", code)) for code in ("P1", "P2"))
    paths = [session.video().path for session in (first, second)]
    with zipfile.ZipFile(io.BytesIO(participant_zip("pilot", "P1", database))) as archive:
        assert archive.read(f"{first.name}/video.mp4") == paths[0].read_bytes()
        assert json.loads(archive.read(f"{first.name}/about.json"))["video"]["frames"] == 4
        assert json.loads(archive.read("consents.json"))[0]["picture"] is True
    delete_participant("pilot", "P1", database)
    assert [path.exists() for path in paths] == [False, True] and len(rows_of(database)) == 1


def test_videos_go_when_the_time_of_their_sessions_is_over(database):
    save_study(Study("pilot", "", 30), database)
    path = filmed(database, details=Details("pilot")).video().path
    with database.begin() as connection:
        connection.execute(sessions.update().values(updated_ms=sessions.c.began_ms))
    delete_expired(database, BEGAN + timedelta(days=29))
    assert path.exists()
    delete_expired(database, BEGAN + timedelta(days=31))
    assert not path.exists() and not rows_of(database)


def test_a_session_that_is_deleted_while_it_is_recorded_leaves_no_file(database):
    recorder = recorder_with_video(database)
    recorder.add(frame(0), image_bgr=picture(0))
    wait_until(lambda: recorder.state.video.frames and recorder.session.again().rows)
    recorder.session.delete()
    recorder.close()
    wait_until(lambda: recorder.state.saved)
    recorder._thread.join(PATIENCE_S)
    assert not list(videos.videos_folder(database).iterdir()) and not rows_of(database)


def test_a_deletion_that_was_cut_off_is_finished_at_the_next_start(database):
    path = filmed(database).video().path
    with database.begin() as connection:
        connection.execute(sessions.delete())
    assert path.exists()
    videos.remove_unowned(database)
    assert not path.exists() and not rows_of(database)


def test_an_empty_recording_leaves_no_video(sqlite):
    recorder_with_video(sqlite).close(PATIENCE_S)
    assert not list_sessions(sqlite) and not list(videos.videos_folder(sqlite).iterdir()) and not rows_of(sqlite)


def test_a_video_that_is_being_written_is_left_alone(sqlite):
    recorder = recorder_with_video(sqlite)
    recorder.add(frame(0), image_bgr=picture(0))
    wait_until(lambda: recorder.state.video.frames)
    assert recorder.session.video().fault == "it is still being written"
    recorder.add(frame(1), image_bgr=picture(1))
    recorder.close(PATIENCE_S)
    assert recorder.session.again().video().frames == 2
    assert [path.suffix for path in videos.videos_folder(sqlite).iterdir()] == [".mp4"]


def test_what_nothing_was_written_of_is_said(sqlite):
    recorder = recorder_with_video(sqlite)
    recorder._video._stop("the test says so", "")
    recorder.add(frame(0), image_bgr=picture(0))
    recorder.close(PATIENCE_S)
    video = recorder.session.again().video()
    assert video.fault == "nothing of it was written before it ended" and not video.path.exists()
    assert video.problem.startswith("The picture is kept no longer: the test says so.")


def test_a_picture_that_cannot_be_encoded_ends_the_video_alone(sqlite, monkeypatch):
    def broken(self, image_bgr, time_s):
        raise MediaError("The picture cannot be encoded: out of order.")

    monkeypatch.setattr(video_recorder.FragmentWriter, "write", broken)
    recorder = recorder_with_video(sqlite)
    recorder.add(frame(0), image_bgr=picture(0))
    wait_until(lambda: recorder.state.video.problem)
    assert "kept no longer: The picture cannot be encoded: out of order. What" in recorder.state.video.problem
    recorder.close(PATIENCE_S)
    assert recorder.session.again().rows == 1
