import threading

import pytest

from fer_core.errors import DataError
from fer_core.ui.components.jobs import (
    Job,
    Progress,
    find_job,
    forget_ended,
    forget_job,
    progress_words,
    start_job,
)

WAIT_S = 30


def test_a_job_reports_how_far_it_is_and_gives_its_result():
    reported, go_on = threading.Event(), threading.Event()

    def work(report):
        report(1, 4)
        reported.set()
        go_on.wait(WAIT_S)
        return "done"

    job = Job("Working", work)
    assert reported.wait(WAIT_S)
    assert job.progress.share == 0.25
    assert job.progress.running
    go_on.set()
    job.join(WAIT_S)
    assert (job.result, job.progress.running, job.progress.error) == ("done", False, "")


def test_a_failure_is_kept_in_its_own_words():
    def work(report):
        raise DataError("row 3 is wrong")

    job = Job("Reading", work)
    job.join(WAIT_S)
    assert job.progress.error == "row 3 is wrong"
    assert job.result is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_program_is_said_to_be_one():
    job = Job("Reading", lambda report: 1 / 0)
    job.join(WAIT_S)
    assert "fault of the program" in job.progress.error


def test_a_stopped_job_ends_at_its_next_report_without_an_error():
    started, cleaned = threading.Event(), []

    def work(report):
        started.set()
        try:
            while True:
                report(0, 1)
        finally:
            cleaned.append(True)

    job = Job("Working", work)
    assert started.wait(WAIT_S)
    job.stop()
    job.join(WAIT_S)
    assert not job.progress.running
    assert (job.progress.error, job.result, cleaned) == ("", None, [True])


def test_a_key_has_one_running_job_at_a_time():
    go_on = threading.Event()
    first = start_job("test", "First", lambda report: go_on.wait(WAIT_S))
    assert start_job("test", "Second", lambda report: None) is first
    go_on.set()
    first.join(WAIT_S)
    third = start_job("test", "Third", lambda report: None)
    third.join(WAIT_S)
    assert find_job("test") is third
    forget_job("test")
    assert find_job("test") is None


def test_ended_jobs_of_a_prefix_are_let_go_of():
    go_on = threading.Event()
    running = start_job("made_a:1", "Running", lambda report: go_on.wait(WAIT_S))
    for key in ("made_a:2", "made_a_b:1"):
        start_job(key, "Ended", lambda report: "zip").join(WAIT_S)
    forget_ended("made_a:")
    assert find_job("made_a:1") is running
    assert find_job("made_a:2") is None
    assert find_job("made_a_b:1").result == "zip"
    go_on.set()
    running.join(WAIT_S)
    forget_ended("made_")
    assert find_job("made_a:1") is find_job("made_a_b:1") is None


@pytest.mark.parametrize(
    "progress, expected",
    [
        (Progress(), "Reading x"),
        (Progress(0.43, 12.3), "Reading x · 43 % · about 12 s left"),
        (Progress(0.999, 0.2), "Reading x · 100 % · about 1 s left"),
        (Progress(0.1, 300), "Reading x · 10 % · about 5 min left"),
    ],
)
def test_progress_in_words(progress, expected):
    assert progress_words("Reading x", progress) == expected
