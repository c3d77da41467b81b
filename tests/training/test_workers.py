"""What a worker does with a run that it is given, whatever became of the run before."""

import pytest

from fer_core.training import workers
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def launched(monkeypatch):
    """Ends each run that is started in the next of some states; those that are left."""
    states: list[str] = []
    monkeypatch.setattr(workers, "launch", lambda run, environment: run.write_status(states.pop(0)))
    monkeypatch.setattr(workers, "POLL_S", 0.0)
    return states


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "some")
    folder.create(RunConfig())
    return folder


@pytest.mark.parametrize(
    ("before", "ends", "left"),
    [
        ("new", ["finished"], 0),
        ("finished", ["failed"], 1),  # by a process that outlived its worker
        ("stopped", ["finished"], 0),
        ("new", ["running", "finished"], 0),  # its process died while it ran
        ("new", ["running", "running", "running", "finished"], 1),
        ("new", ["failed", "finished"], 1),
    ],
)
def test_a_run_is_trained_to_its_end_and_again_only_if_it_was_killed(run, launched, before, ends, left):
    if before != "new":
        run.write_status(before)
    launched += ends
    state = workers.train_to_end(run.path, {})
    assert len(launched) == left
    expected = "finished" if before == "finished" else ends[len(ends) - left - 1]
    assert state == ("interrupted" if expected == "running" else expected)
