"""Long videos in archives: segment by segment, whoever does it, with the rows of one process."""

import contextlib
import dataclasses
import os
import signal
import threading
from pathlib import Path

import pandas as pd
import pytest

from fer_core.archive import tasks
from fer_core.cli import main
from fer_core.imaging.video import SeekError
from fer_core.media.command import AnalyzeOptions
from fer_core.media.splitting import analyze_segment
from tests.archive.conftest import done_in, manifest_of, rows_of
from tests.archive.test_cluster import wait_until
from tests.clips import encode, walking_faces
from tests.clusters import scheduler_with_workers

LONG = "media/long.mp4"
COMMAND = ["analyze", "media", "--smoothing", "0.4", "--out", "archive/"]
CHOICES, SEGMENT_S = AnalyzeOptions.choices, 1.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory, draw_scene):
    """A folder with a video of three segments and a short one."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "media").mkdir()
    images = walking_faces(draw_scene, 45)
    encode(folder / LONG, images, rate=10)
    encode(folder / "media" / "short.mp4", images[:8], rate=10)
    return folder


@pytest.fixture(autouse=True)
def short_segments(monkeypatch, folder, tmp_path):
    """Segments of a second and a half; the command runs in an empty folder with the videos."""
    monkeypatch.setattr(AnalyzeOptions, "choices", lambda self: dataclasses.replace(CHOICES(self), segment_s=SEGMENT_S))
    monkeypatch.chdir(tmp_path)
    os.symlink(folder / "media", "media")


@pytest.fixture(scope="module")
def expected(folder):
    """The table that one process writes in one pass."""
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.setattr(AnalyzeOptions, "choices", lambda self: dataclasses.replace(CHOICES(self), segment_s=SEGMENT_S))
        assert main(["analyze", "media", "--smoothing", "0.4", "--out", "whole.parquet"]) == 0
        rows = pd.read_parquet("whole.parquet")
    return rows.sort_values(["file", "frame", "face"], ignore_index=True)


@pytest.fixture
def analyzed(monkeypatch):
    """The numbers of the segments that were analysed."""
    numbers = []

    def analyze(recognizer, path, split, part, report):
        numbers.append(part.number)
        return analyze_segment(recognizer, path, split, part, report)

    monkeypatch.setattr(tasks, "analyze_segment", analyze)
    return numbers


def assert_complete(expected):
    pd.testing.assert_frame_equal(rows_of(Path("archive")), expected)
    assert done_in(Path("archive")) == {LONG, "media/short.mp4"}
    assert not list(Path("archive").glob("segments/*"))


def test_a_stopped_command_does_only_the_segments_that_are_missing(monkeypatch, expected, analyzed):
    def stop(recognizer, path, split, part, report):
        if part.number == 2:
            raise RuntimeError("stopped")
        return analyze_segment(recognizer, path, split, part, report)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "analyze_segment", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            main(COMMAND)
    entry = manifest_of(Path("archive"))[LONG]
    assert (entry["state"], entry["segments"], entry["segments_done"]) == ("waiting", 3, 2)
    assert main(COMMAND) == 0
    assert analyzed == [2]
    entry = manifest_of(Path("archive"))[LONG]
    assert (entry["state"], entry["segments"], entry["segments_done"], entry["frames"]) == ("done", 3, 3, 45)
    assert entry["attempts"] == 2 and entry["whole_because"] is None
    assert_complete(expected)


def test_segments_of_a_file_that_changed_are_of_no_use(monkeypatch, folder):
    Path("media").unlink()
    Path("media").mkdir()
    Path(LONG).write_bytes((folder / LONG).read_bytes())
    numbers = []

    def analyze_one(recognizer, path, split, part, report):
        numbers.append(part.number)
        if len(numbers) % 2 == 0:
            raise RuntimeError("stopped")
        return analyze_segment(recognizer, path, split, part, report)

    monkeypatch.setattr(tasks, "analyze_segment", analyze_one)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="stopped"):
            main(COMMAND)
        os.utime(LONG, (1e9, 1e9))
    assert numbers == [0, 1, 0, 1]


@pytest.mark.parametrize("step", ["analyze_segment", "join_segments"])
def test_a_video_that_cannot_be_entered_is_analysed_at_once_and_the_manifest_says_so(monkeypatch, expected, step):
    def refuse(*_):
        raise SeekError("it cannot be entered")
        yield  # as `join_segments` does

    def refuse_at_once(*_):
        raise SeekError("it cannot be entered")

    monkeypatch.setattr(tasks, step, refuse if step == "join_segments" else refuse_at_once)
    assert main(COMMAND) == 0
    entry = manifest_of(Path("archive"))[LONG]
    assert (entry["whole_because"], entry["segments"]) == ("it cannot be entered", 1)
    assert_complete(expected)


def test_a_worker_that_is_killed_amid_a_long_video_changes_no_row(expected, tmp_path):
    pytest.importorskip("distributed")
    from distributed import Client

    with scheduler_with_workers(tmp_path) as (address, (victim, _)):
        lost: list[str] = []

        def kill_one() -> None:
            """Kill a worker that is at work, after some segments are there."""
            with Client(address, set_as_default=False) as client:
                wait_until(lambda: manifest_of(Path("archive")).get(LONG, {}).get("segments_done", 0) > 0, 120)
                wait_until(lambda: len(client.run(os.getpid)) == 2, 120)
                name = next(name for name, pid in client.run(os.getpid).items() if pid == victim.pid)
                wait_until(lambda: client.processing()[name], 120)
                lost.extend(client.processing()[name])
                os.kill(victim.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        assert main([*COMMAND, "--cluster", address]) == 0
        killer.join()
        assert lost and victim.wait(5) == -signal.SIGKILL
    assert_complete(expected)
    assert manifest_of(Path("archive"))[LONG]["segments_done"] == 3
