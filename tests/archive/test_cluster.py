"""Archives by real processes, some of them killed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fer_core.archive import cluster, tasks
from fer_core.background import cluster as background_cluster
from fer_core.cli import main
from tests.archive.conftest import done_in, manifest_of, rows_of, write_clip, write_media
from tests.clusters import ENVIRONMENT, scheduler_with_workers


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def many(tmp_path_factory, draw_scene):
    """A folder with twelve clips beside the other media, and the table that one process makes of them all."""
    folder = tmp_path_factory.mktemp("many")
    write_media(folder / "media", draw_scene)
    for index in range(12):
        write_clip(folder / "media" / f"d{index:02}.mp4", draw_scene, frames=10, shift=10 * index)
    with contextlib.chdir(folder):
        assert main(["analyze", "media", "--out", "whole.parquet"]) == 1  # one photo is broken
    whole = pd.read_parquet(folder / "whole.parquet")
    return folder, whole.sort_values(["file", "frame", "face"], ignore_index=True)


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler with two workers, and the workers' processes."""
    pytest.importorskip("distributed")
    with scheduler_with_workers(tmp_path) as started:
        yield started


def test_a_killed_worker_changes_no_row(many, scheduler, monkeypatch):
    from distributed import Client

    folder, expected = many
    monkeypatch.chdir(folder)
    address, (victim, _) = scheduler
    lost: list[str] = []

    def kill_one() -> None:
        """Kill a worker that is at work, after some files are done."""
        with Client(address, set_as_default=False) as client:
            wait_until(lambda: len(done_in(Path("archive"))) > 3)
            wait_until(lambda: len(client.run(os.getpid)) == 2)
            name = next(name for name, pid in client.run(os.getpid).items() if pid == victim.pid)
            wait_until(lambda: client.processing()[name])
            lost.extend(client.processing()[name])
            os.kill(victim.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    assert main(["analyze", "media", "--out", "archive/", "--cluster", address]) == 1  # one photo is broken
    killer.join()
    assert lost and victim.wait(5) == -signal.SIGKILL
    pd.testing.assert_frame_equal(rows_of(Path("archive")), expected)
    assert len(done_in(Path("archive"))) == 15
    assert manifest_of(Path("archive"))["media/broken.jpg"]["state"] == "failed"


def test_a_file_that_its_workers_die_of_breaks_only_itself(media, monkeypatch, capfd):
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "run_in_worker", run_or_die)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):  # all that waits on a dying worker is suspect
        assert main(["analyze", "media", "--out", "archive/", "--jobs", "2"]) == 1
    entries = manifest_of(Path("archive"))
    assert done_in(Path("archive")) == {"media/a.jpg", "media/c.mp4"}
    assert "several workers died one after the other" in entries["media/b.jpg"]["reason"]
    assert "cannot be read" in entries["media/broken.jpg"]["reason"]
    assert "2 of 4 files could not be read" in capfd.readouterr().err


def run_or_die(work, task):
    if task.file == "media/b.jpg":
        os.kill(os.getpid(), signal.SIGKILL)
    return tasks.run_task(work, task)


def test_a_killed_command_loses_the_file_in_progress_alone(many, monkeypatch):
    folder, expected = many
    monkeypatch.chdir(folder)
    command = [sys.executable, "-m", "fer_core", "analyze", "media", "--out", "killed/"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(done_in(Path("killed"))) > 4)
    finally:
        process.kill()
        process.wait()
    written = {file: os.stat(path).st_mtime_ns for file, path in part_paths(Path("killed"))}
    assert 4 < len(written) < 15
    assert main(command[3:]) == 1
    again = {file for file, path in part_paths(Path("killed")) if os.stat(path).st_mtime_ns != written.get(file)}
    assert len(again & written.keys()) == 0 and len(again | written.keys()) == 15
    pd.testing.assert_frame_equal(rows_of(Path("killed")), expected)


def part_paths(folder):
    return [(file, folder / "parts" / entry["part"]) for file, entry in manifest_of(folder).items() if entry["part"]]


def test_without_a_scheduler_it_says_what_to_start(media, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(background_cluster, "_CONNECT_S", 0.5)
    assert main(["analyze", "media", "--out", "archive/", "--cluster", "tcp://127.0.0.1:9"]) == 1
    assert "No scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_dask_is_loaded_only_when_asked_for(media):
    code = (
        "import sys\nfrom fer_core.cli import main\nassert main(['analyze', 'media/a.jpg', '--out', 'archive/']) == 0\n"
        "assert not {'dask', 'distributed', 'tensorflow', 'streamlit'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
