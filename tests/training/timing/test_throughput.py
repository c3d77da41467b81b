import dataclasses
import os
import signal
import time

import pytest

from fer_core.background.jobs import LOCK_FILE, list_jobs, sweep_jobs
from fer_core.background.locks import holder
from fer_core.files import write_json
from fer_core.training.config import RunConfig
from fer_core.training.timing import throughput

CONFIG = RunConfig(data="demo")
LIMIT_S = 120


@pytest.fixture(autouse=True)
def store(home):
    return home


def test_nothing_is_known_before_it_was_measured():
    assert throughput.known_throughput(CONFIG) is None
    assert not throughput.is_measuring()


def test_what_was_measured_holds_for_all_runs_of_the_same_kind():
    write_json(throughput._file(CONFIG), {"epoch_s": 12.0, "images_per_s": 900.0, "device": "tensorflow on cpu"})
    same = dataclasses.replace(CONFIG, epochs=3, learning_rate=0.1, seed=5)
    assert throughput.known_throughput(same).epoch_s == 12
    assert throughput.known_throughput(dataclasses.replace(CONFIG, batch_size=32)) is None


def test_one_measurement_goes_on_at_a_time_and_can_be_ended():
    throughput.start_measuring(CONFIG)
    throughput.start_measuring(CONFIG)
    [job] = list_jobs()
    assert throughput.is_measuring()
    throughput.end_measuring()
    assert job.wait(LIMIT_S).state == "cancelled"
    assert not throughput.is_measuring()
    assert throughput.known_throughput(CONFIG) is None, "what was ended can be measured again"


def test_a_measurement_that_was_killed_is_not_begun_again_for_a_while():
    throughput.start_measuring(CONFIG)
    [job] = list_jobs()
    assert throughput.known_throughput(CONFIG) is None
    os.kill(holder(job.folder / LOCK_FILE), signal.SIGKILL)
    job.wait(LIMIT_S)
    assert "memory" in throughput.known_throughput(CONFIG).error
    assert throughput.known_throughput(dataclasses.replace(CONFIG, batch_size=32)) is None
    sweep_jobs(time.time() + 3600)
    assert throughput.known_throughput(CONFIG) is None


def test_why_it_could_not_be_measured_is_told():
    throughput.start_measuring(dataclasses.replace(CONFIG, data="gone"))
    list_jobs()[0].wait(LIMIT_S)
    error = throughput.known_throughput(dataclasses.replace(CONFIG, data="gone")).error
    assert error.startswith("There is no data set")


@pytest.mark.parametrize("content", ["", "[]", "{}", "3"])
def test_a_damaged_result_is_measured_again(content):
    throughput._file(CONFIG).write_text(content)
    assert throughput.known_throughput(CONFIG) is None


def test_a_few_batches_are_measured(faces, config):
    from fer_core.training.timing.benchmark import measure_throughput

    told = measure_throughput(faces, config)
    assert told["steps_per_epoch"] == 3
    assert told["epoch_s"] > 0 and told["images_per_s"] > 0
    assert "on" in told["device"]
