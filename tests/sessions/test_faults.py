"""Real faults while a session is recorded: what was written stays, the video never waits, and the page is told."""

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import event

from fer_core.errors import SessionError
from fer_core.sessions import database as database_module
from fer_core.sessions import recorder as recording
from fer_core.sessions import videos
from fer_core.sessions.database import open_database
from fer_core.sessions.store import list_sessions
from tests.sessions.recording import Clock, frame, record, recorder_of
from tests.sessions.recording import frames_of as pictures_of

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


def wait_until(condition):
    """Wait until a recorder's thread has got there."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not get there in time"
        time.sleep(0.02)


@pytest.fixture
def quick(monkeypatch):
    """Write often and do not wait long for locks, so that a test need not wait."""
    monkeypatch.setattr(recording, "WRITE_EVERY_S", 0.05)
    monkeypatch.setattr(database_module, "BUSY_S", 0.2)


def frames_of(database):
    return list_sessions(database)[0].short_rows()["frame"].tolist()


def written(recorder):
    return recorder.session.again().rows


@pytest.mark.usefixtures("quick")
def test_a_locked_database_pauses_the_recording_and_nothing_is_missing_afterwards(sqlite):
    recorder = recorder_of(sqlite)
    recorder.add(frame(0))
    wait_until(lambda: written(recorder) == 1)
    other = sqlite3.connect(sqlite.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    recorder.add(frame(1))
    wait_until(lambda: recorder.state.problem)
    assert recorder.state.problem == (
        "Recording is paused: another program has locked it. What was written is kept, and what comes waits in memory "
        "for up to 60 s. Close what works on it."
    )
    assert frames_of(sqlite) == [0]
    recorder.add(frame(2))
    other.rollback()
    other.close()
    wait_until(lambda: not recorder.state.problem)
    recorder.close(PATIENCE_S)
    assert frames_of(sqlite) == [0, 1, 2] and not recorder.state.error


@pytest.mark.usefixtures("quick")
def test_a_full_disk_ends_the_recording_in_words_when_no_room_is_made(sqlite, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(recording, "HELD_S", 5.0)
    recorder = recorder_of(sqlite, clock)
    recorder.add(frame(0))
    wait_until(lambda: written(recorder) == 1)

    @event.listens_for(sqlite.engine, "checkout")
    def limit(connection, *_):
        # SQLite's own limit gives the same error as a disk without room.
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    index = 1
    while not recorder.state.problem and index < 5000:
        recorder.add(frame(index, faces=20))
        index += 1
        time.sleep(0.005)
    assert "there is no space left" in recorder.state.problem and not recorder.state.ended
    before = written(recorder)
    clock.now_s += 6
    recorder.add(frame(index))
    assert recorder.state.ended
    wait_until(lambda: recorder.state.saved)
    assert "The recording ended: there is no space left." in recorder.state.error
    assert "could not be written" in recorder.state.error
    assert len(list_sessions(sqlite)[0].short_rows()) == before


@pytest.mark.usefixtures("quick")
def test_a_lost_server_pauses_the_recording_until_it_is_back(postgres, postgres_database):
    recorder = recorder_of(postgres_database)
    recorder.add(frame(0))
    wait_until(lambda: written(recorder) == 1)
    postgres.stop()
    try:
        recorder.add(frame(1))
        wait_until(lambda: recorder.state.problem)
        assert "paused: the database does not answer" in recorder.state.problem
        with pytest.raises(SessionError, match=r"does not answer .* Check that its server runs"):
            list_sessions(postgres_database)
    finally:
        postgres.start()
    wait_until(lambda: not recorder.state.problem)
    recorder.close(PATIENCE_S)
    assert frames_of(postgres_database) == [0, 1]


@pytest.mark.usefixtures("quick")
def test_a_table_locked_on_the_server_pauses_the_recording(postgres_database):
    recorder = recorder_of(postgres_database)
    recorder.add(frame(0))
    wait_until(lambda: written(recorder) == 1)
    with postgres_database.engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE face_rows")
        recorder.add(frame(1))
        wait_until(lambda: recorder.state.problem)
        assert "another program has locked it" in recorder.state.problem
    recorder.close(PATIENCE_S)
    assert frames_of(postgres_database) == [0, 1]


@pytest.mark.usefixtures("quick")
def test_a_file_that_was_moved_away_is_missed_at_once_and_found_again(sqlite):
    recorder = recorder_of(sqlite)
    recorder.add(frame(0))
    wait_until(lambda: written(recorder) == 1)
    away = sqlite.file.with_name("away.db")
    sqlite.file.rename(away)
    recorder.add(frame(1))
    wait_until(lambda: recorder.state.problem)
    assert "its file was moved or deleted" in recorder.state.problem
    away.rename(sqlite.file)
    recorder.close(PATIENCE_S)
    assert frames_of(sqlite) == [0, 1]


def test_a_place_that_cannot_be_written_is_an_error_in_words(home):
    home.mkdir()
    (home / "sessions").write_text("a file")
    with pytest.raises(SessionError, match=r"its folder cannot be made: .* Set FER_HOME"):
        open_database()


def test_a_file_that_is_no_database_is_an_error_in_words(home):
    (home / "sessions").mkdir(parents=True)
    (home / "sessions" / "sessions.db").write_text("not a database, but long enough to be looked at by SQLite" * 40)
    with pytest.raises(SessionError, match="is not a database"):
        open_database()


def test_the_video_never_waits_for_the_database(sqlite):
    recorder = recorder_of(sqlite)
    other = sqlite3.connect(sqlite.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began_s = time.monotonic()
    for index in range(100):
        recorder.add(frame(index))
    recorder.close()
    assert time.monotonic() - began_s < recording.WRITE_EVERY_S * 4  # a statement alone would wait for three seconds
    other.rollback()
    other.close()
    recorder.close(PATIENCE_S)
    assert frames_of(sqlite) == list(range(100))


_ENDLESS = """
import sys, time
from fer_core.sessions.database import open_database
from tests.sessions.recording import frame, recorder_of
recorder = recorder_of(open_database(sys.argv[1]), time.monotonic)
for index in range(100_000):
    recorder.add(frame(index))
    print(index, time.time(), flush=True)
    time.sleep(1 / 30)
"""


def test_a_kill_costs_the_last_second_at_most(database, request):
    url = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    child = subprocess.Popen([sys.executable, "-c", _ENDLESS, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    times = [float(child.stdout.readline().split()[1]) for _ in range(50)]
    child.send_signal(signal.SIGKILL)
    killed_s = time.time()
    times += [float(line.split()[1]) for line in child.communicate()[0].splitlines()]
    (session,) = list_sessions(database)
    frames = session.short_rows()["frame"].tolist()
    assert session.ended_utc is None and frames == list(range(len(frames)))
    lost = [time_s for time_s in times[len(frames) :] if time_s < killed_s - 1.0]
    assert frames and not lost
    # What comes after is recorded beside it.
    record(database, [frame(0)])
    assert len(list_sessions(database)) == 2


def test_what_a_program_that_ends_still_holds_is_written(sqlite):
    code = _ENDLESS.replace("100_000", "3") + "sys.exit()"
    url = f"sqlite:///{sqlite.file}"
    subprocess.run(
        [sys.executable, "-c", code, url], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S
    )
    (session,) = list_sessions(sqlite)
    assert session.rows == 3 and session.ended_utc is not None


_ENDLESS_VIDEO = """
import sys, time
from fer_core.sessions.database import open_database
from fer_core.sessions import videos
from tests.sessions.recording import frame, picture, recorder_with_video
videos.RESERVE_BYTES = 0
recorder = recorder_with_video(open_database(sys.argv[1]), time.monotonic)
for index in range(100_000):
    recorder.add(frame(index), image_bgr=picture(index % 50, (640, 480)))
    while recorder.state.video.frames <= index:
        time.sleep(0.002)
    print(index, time.time(), flush=True)
    time.sleep(1 / 30)
"""


def test_a_kill_costs_the_last_two_seconds_at_most_and_the_video_plays(sqlite):
    url = f"sqlite:///{sqlite.file}"
    child = subprocess.Popen([sys.executable, "-c", _ENDLESS_VIDEO, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    times = [float(child.stdout.readline().split()[1]) for _ in range(100)]
    child.send_signal(signal.SIGKILL)
    killed_s = time.time()
    times += [float(line.split()[1]) for line in child.communicate()[0].splitlines()]
    (session,) = list_sessions(sqlite)
    (path,) = videos.videos_folder(sqlite).glob("*.mp4")
    numbers = [number for _, number in pictures_of(path)]
    assert numbers == [number % 50 for number in range(len(numbers))]
    video = session.video()  # which finishes what the killed process could not
    assert not video.fault and video.finished and len(pictures_of(video.path)) == video.frames == len(numbers)
    assert list(path.parent.iterdir()) == [path]
    assert video.start_s == pytest.approx(session.short_rows()["time_s"].iloc[0], abs=0.001)
    dropped = len(times) - len(numbers)
    assert dropped <= 0 or times[len(numbers)] > killed_s - 2.0
