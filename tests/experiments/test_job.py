"""The comparison as a background job that really trains: it waits, can be cancelled, and goes on."""

import dataclasses
import time

import pytest

from fer_core.background.launch import start_job
from fer_core.experiments.cleaning import CompareCleaning
from fer_core.experiments.plan import list_experiments
from fer_core.experiments.result import load_result
from fer_core.training.config import PRESETS
from fer_core.training.run.store import find_run, list_runs

LIMIT_S = 600
CONFIG = dataclasses.replace(PRESETS["quick"], data="small", epochs=2)


def wait_for(condition):
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.1)


@pytest.fixture
def task(faces):
    return CompareCleaning(CONFIG.to_dict(), [0], "auto")


def test_a_cancelled_job_stops_its_run_and_the_next_one_goes_on(task):
    job = start_job(task)
    wait_for(lambda: (run := find_run("cleaning-small-original-0").status()) and run.state == "running")
    job.cancel()
    assert job.wait(LIMIT_S).state == "cancelled"
    wait_for(lambda: not find_run("cleaning-small-original-0").status().live)
    assert find_run("cleaning-small-cleaned-0").status() is None

    job = start_job(task).wait(LIMIT_S)
    assert (job.state, job.error) == ("finished", "")
    result = load_result(list_experiments()[0])
    assert job.result["name"] == result.name == "cleaning-small"
    assert {run.name: run.status().state for run in list_runs()} == {
        "cleaning-small-original-0": "finished",
        "cleaning-small-cleaned-0": "finished",
    }
    assert result.splits["PublicTest"][0].overall.faces == 14
    assert result.training_faces == {"original": 112, "cleaned": 108}
