import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fer_core.background import jobs
from fer_core.background.jobs import list_jobs, read_job, running_job, sweep_jobs
from fer_core.background.launch import plain_name, start_job
from fer_core.background.locks import holder, take
from fer_core.background.task import Progress
from fer_core.errors import JobError
from tests.background.tasks import Other, Work

LIMIT_S = 60


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for job in list_jobs():
        job.cancel()


def begun(job, mark):
    """Wait until a job has begun its work."""
    end_s = time.monotonic() + LIMIT_S
    while not mark.exists():
        assert time.monotonic() < end_s and job.refresh().running, job.log_file.read_text()
        time.sleep(0.02)
    return job


def test_a_job_finishes_with_its_result_its_files_and_without_its_uploads():
    job = start_job(Work("finish"), "me", {"../a.txt": io.BytesIO(b"first"), "b.txt": io.BytesIO(b"second")})
    assert job.running and job.request.owner == "me"
    job = job.wait(LIMIT_S)
    assert (job.state, job.error) == ("finished", "")
    assert job.result == {"uploads": {"a.txt": "first", "b.txt": "second"}}
    assert (job.progress.share, job.progress.phase) == (0.25, "Half way")
    assert (job.outputs / "made.txt").read_text() == "made"
    assert not (job.folder / "input").exists()


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("fail", "row 3 is wrong"),
        ("break", "a fault of the program"),
        ("no_memory", "ran out of memory"),
        ("full_disk", "disk is full"),
    ],
)
def test_why_a_job_failed_is_kept(way, words):
    job = start_job(Work(way)).wait(LIMIT_S)
    assert job.state == "failed"
    assert words in job.error
    assert not job.outputs.exists()
    if way == "break":
        assert "ZeroDivisionError: a bug" in job.log_file.read_text()


@pytest.mark.parametrize(("way", "words"), [("killed", "out of memory"), ("crash", "crashed (SIGSEGV)")])
def test_a_process_that_was_killed_is_recognised(way, words):
    job = start_job(Work(way)).wait(LIMIT_S)
    assert job.state == "failed"
    end_s = time.monotonic() + LIMIT_S
    while words not in job.error and time.monotonic() < end_s:  # its parent has yet to hear of it
        job = job.refresh()
    assert words in job.error


def test_a_job_whose_parent_is_gone_too_is_still_known_to_have_died(tmp_path):
    job = begun(start_job(Work("report", str(tmp_path / "mark"))), tmp_path / "mark")
    os.kill(holder(job.folder / jobs.LOCK_FILE), signal.SIGKILL)
    job = job.wait(LIMIT_S)
    (job.folder / jobs.EXIT_FILE).unlink(missing_ok=True)
    assert "ended unexpectedly" in job.refresh().error or "killed" in job.refresh().error


@pytest.mark.parametrize("way", ["report", "silent"])
def test_a_cancelled_job_ends(way, tmp_path):
    mark = tmp_path / "mark"
    job = begun(start_job(Work(way, str(mark))), mark)
    job.cancel()
    assert job.wait(LIMIT_S).state == "cancelled"
    if way == "report":
        assert mark.read_text() == "cleaned up"


def test_jobs_of_one_key_exclude_each_other_also_between_processes(tmp_path):
    job = begun(start_job(Work("report", str(tmp_path / "mark"))), tmp_path / "mark")
    with pytest.raises(JobError, match="“Working: report” is still running"):
        start_job(Work("finish"))
    other_server = (
        "from tests.background.tasks import Work; from fer_core.background.launch import start_job; "
        "start_job(Work('finish'))"
    )
    done = subprocess.run([sys.executable, "-c", other_server], capture_output=True, text=True, cwd=os.getcwd())
    assert "is still running" in done.stderr
    assert start_job(Other("finish")).wait(LIMIT_S).state == "finished", "another key is free"
    assert running_job("work").id == job.id
    job.cancel()
    job.wait(LIMIT_S)
    assert running_job("work") is None
    assert start_job(Work("finish")).wait(LIMIT_S).state == "finished"


def test_a_job_goes_on_when_the_server_that_started_it_is_killed(tmp_path):
    server = (
        "import sys, os, signal; from tests.background.tasks import Work; "
        "from fer_core.background.launch import start_job; "
        f"start_job(Work('report', {str(tmp_path / 'mark')!r})); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", server], cwd=os.getcwd())
    [job] = list_jobs()
    begun(job, tmp_path / "mark").cancel()
    assert job.wait(LIMIT_S).state == "cancelled"


def test_a_full_disk_leaves_no_job(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_core.background.launch.shutil.copyfileobj", full)
    with pytest.raises(JobError, match="No space left"):
        start_job(Work("finish"), uploads={"a.csv": io.BytesIO(b"x")})
    assert [path.name for path in jobs.jobs_root().glob("*")] == [".locks"]


def test_outcomes_are_kept_while_they_are_looked_at_and_then_swept():
    job = start_job(Work("finish")).wait(LIMIT_S)
    os.close(take(job.folder / jobs.LOCK_FILE))  # its process is gone
    now_s = time.time()
    sweep_jobs(now_s + Work.keep_s - 60)
    assert job.refresh().state == "finished" and job.folder.exists()
    os.utime(job.folder / jobs.OUTCOME_FILE, (now_s, now_s + 1000))
    sweep_jobs(now_s + Work.keep_s + 60)
    assert job.folder.exists()
    sweep_jobs(now_s + Work.keep_s + 1060)
    assert not job.folder.exists()


def test_remains_of_a_killed_server_and_of_a_killed_job_are_swept(tmp_path, home):
    half = home / "jobs" / "half" / "input"
    half.mkdir(parents=True)
    job = start_job(Work("report", str(tmp_path / "mark")), uploads={"a.csv": io.BytesIO(b"x")})
    begun(job, tmp_path / "mark")
    sweep_jobs(time.time() + 1e6)
    assert job.refresh().running and (job.folder / "input" / "a.csv").exists()
    assert not half.exists()
    os.kill(holder(job.folder / jobs.LOCK_FILE), signal.SIGKILL)
    job.wait(LIMIT_S)
    sweep_jobs()
    assert job.refresh().state == "failed" and not (job.folder / "input").exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"state": 3}', '{"state": [1]}', "\x00", '{"created_s": "x"}'])
def test_damaged_files_do_no_harm(content):
    job = start_job(Work("finish")).wait(LIMIT_S)
    os.close(take(job.folder / jobs.LOCK_FILE))  # its process is gone
    for name in (jobs.PROGRESS_FILE, jobs.OUTCOME_FILE):
        (job.folder / name).write_text(content)
    assert read_job(job.folder).state == "failed"
    (job.folder / jobs.REQUEST_FILE).write_text(content)
    assert read_job(job.folder) is None
    assert list_jobs() == []


def test_a_request_to_cancel_that_comes_before_the_process_counts(tmp_path):
    job = start_job(Work("finish")).wait(LIMIT_S)
    os.close(take(job.folder / jobs.LOCK_FILE))  # its process is gone
    (job.folder / jobs.OUTCOME_FILE).unlink()
    (job.folder / jobs.CANCEL_FILE).touch()
    assert job.refresh().state == "cancelled"
    from fer_core.background.worker import _run

    assert _run(job.folder) == {"state": "cancelled"}


def test_time_left_follows_the_pace_of_the_phase():
    assert Progress(50, 100, "", since_s=0, since_done=40, time_s=2).left_s == 10
    assert Progress(40, 100, "", since_s=0, since_done=40, time_s=2).left_s is None
    assert Progress(50, 100, "", since_s=0, since_done=40, time_s=0.5).left_s is None
    assert Progress(5, 0).share is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a.csv", "a.csv"), ("../../a.csv", "a.csv"), ("..", "upload"), ("", "upload"), ("a\x00b\n.csv", "a_b_.csv")],
)
def test_names_of_uploads_are_made_plain(name, plain):
    assert plain_name(name) == plain


def test_a_long_name_keeps_its_suffix():
    name = plain_name("ü" * 300 + ".png")
    assert name.endswith(".png") and len(name.encode()) <= 200


def test_a_request_holds_plain_json(tmp_path):
    job = start_job(Work("finish")).wait(LIMIT_S)
    request = json.loads((job.folder / jobs.REQUEST_FILE).read_text())
    assert request["task"] == "tests.background.tasks:Work"
    assert request["arguments"] == {"way": "finish", "mark": ""}
