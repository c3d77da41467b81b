import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest

from fer_core.files import write_json
from fer_core.training.config import RunConfig
from fer_core.training.timing import throughput

CONFIG = RunConfig(data="demo")


@pytest.fixture(autouse=True)
def store(home):
    return home


@pytest.fixture
def started(monkeypatch):
    """Commands that would have been started; each sleeps for a minute in its place."""
    commands, processes = [], []

    def start(arguments, log_file, keep_open=(), environment=None):
        commands.append(arguments)
        processes.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=keep_open))
        return processes[-1]

    monkeypatch.setattr(throughput, "start_command", start)
    yield commands
    for process in processes:
        process.kill()
        process.wait()


def test_nothing_is_known_before_it_was_measured():
    assert throughput.known_throughput(CONFIG) is None
    assert not throughput.is_measuring()


def test_what_was_measured_holds_for_all_runs_of_the_same_kind():
    write_json(throughput._file(CONFIG), {"epoch_s": 12.0, "images_per_s": 900.0, "device": "tensorflow on cpu"})
    same = dataclasses.replace(CONFIG, epochs=3, learning_rate=0.1, seed=5)
    assert throughput.known_throughput(same).epoch_s == 12
    assert throughput.known_throughput(dataclasses.replace(CONFIG, batch_size=32)) is None


def test_one_measurement_goes_on_at_a_time_and_can_be_ended(started):
    throughput.start_measuring(CONFIG)
    throughput.start_measuring(CONFIG)
    assert len(started) == 1
    assert started[0][:2] == ["train", "--measure"]
    assert throughput.is_measuring()
    throughput.end_measuring()
    end_s = time.monotonic() + 10
    while throughput.is_measuring() and time.monotonic() < end_s:
        time.sleep(0.01)
    assert not throughput.is_measuring()
    assert throughput.known_throughput(CONFIG) is None, "what was ended can be measured again"


def test_a_measurement_that_died_without_a_word_is_not_begun_again(started):
    throughput.start_measuring(CONFIG)
    assert throughput.known_throughput(CONFIG) is None
    os.kill(throughput.holder(throughput._lock()), signal.SIGKILL)
    end_s = time.monotonic() + 10
    while throughput.is_measuring() and time.monotonic() < end_s:
        time.sleep(0.01)
    assert "ended without a word" in throughput.known_throughput(CONFIG).error


def test_an_error_is_forgotten_after_a_while():
    write_json(throughput._file(CONFIG), {"error": "There is no data set named 'demo'.", "time_s": time.time() - 3600})
    assert throughput.known_throughput(CONFIG) is None


def test_why_it_could_not_be_measured_is_told():
    write_json(throughput._file(CONFIG), {"error": "There is no data set named 'demo'.", "time_s": time.time()})
    assert throughput.known_throughput(CONFIG).error.startswith("There is no data set")


def test_a_few_batches_are_measured(faces, config):
    from fer_core.training.timing.benchmark import measure_throughput

    told = measure_throughput(faces, config)
    assert told["steps_per_epoch"] == 3
    assert told["epoch_s"] > 0 and told["images_per_s"] > 0
    assert "on" in told["device"]


def test_a_file_that_is_being_written_does_not_stop_the_end_of_a_measurement(started):
    throughput.start_measuring(CONFIG)
    (throughput._folder() / ".partial-1.json").touch()
    throughput.end_measuring()
    assert throughput.known_throughput(CONFIG) is None
