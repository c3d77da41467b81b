import signal

import pytest

from fer_core.cli import run_command
from fer_core.data.store import write_store
from fer_core.errors import FerError, RunError
from fer_core.files import read_json
from fer_core.training import command
from fer_core.training.command import STOPPED, TrainOutcome, measure
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from tests.drawn_faces import demo_set


@pytest.fixture(autouse=True)
def store(home):
    return home


@pytest.fixture
def parse(monkeypatch):
    """A function that returns the run that `train` would train."""
    runs: list[RunFolder] = []
    monkeypatch.setattr(command, "train_run", lambda run, open_faces: runs.append(run) or TrainOutcome({}))

    def train(*arguments: str) -> RunFolder:
        run_command(["train", *arguments])
        return runs.pop()

    return train


def test_a_new_run_gets_its_folder_and_configuration(parse):
    run = parse("--preset", "quick", "--run", "mine")
    assert run.name == "mine"
    assert run.config().data == "demo"
    with pytest.raises(RunError, match="already holds a run"):
        parse("--run", "mine")


def test_a_run_without_a_name_gets_a_free_one(parse):
    assert [parse().name, parse().name] == ["seed-cnn-1", "seed-cnn-2"]


def test_paths_are_kept_whole(tmp_path, monkeypatch, parse):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces.csv").touch()
    assert parse("--data", "faces.csv").config().data == str(tmp_path / "faces.csv")
    assert parse("--data", "fer2013").config().data == "fer2013"


def test_a_run_is_resumed_by_its_name_or_path(parse):
    run = parse("--run", "mine")
    assert parse("--resume", "--run", "mine") == run
    assert parse("--resume", "--run", str(run.path)) == run


@pytest.mark.parametrize(
    ("words", "said"), [(["--resume"], "needs the run"), (["--resume", "--run", "nonesuch"], "holds no run")]
)
def test_what_cannot_be_resumed_says_why(words, said, parse):
    with pytest.raises(RunError, match=said):
        parse(*words)


def test_a_finished_run_is_not_resumed(parse):
    parse("--run", "mine").write_status("finished")
    with pytest.raises(RunError, match="is finished"):
        parse("--resume", "--run", "mine")


def test_why_nothing_could_be_measured_is_left_for_the_page(tmp_path):
    def gone(config):
        raise RunError("The data set is gone.")

    with pytest.raises(RunError):
        measure(RunConfig(), gone, tmp_path / "speed.json")
    assert read_json(tmp_path / "speed.json")["error"] == "The data set is gone."


def test_a_folder_of_the_name_of_a_data_set_or_a_model_is_not_meant(tmp_path, monkeypatch, parse):
    monkeypatch.chdir(tmp_path)
    write_store(demo_set(70), "faces")
    for name in ("faces", "compact"):
        (tmp_path / name).mkdir()
    config = parse("--preset", "compact-taught", "--data", "faces", "--run", "mine").config()
    assert (config.data, config.start_from, config.teachers) == ("faces", "compact", ("compact",))


@pytest.mark.parametrize(
    ("words", "said"), [(["--epochs", "3"], "--epochs"), (["--preset", "quick", "--flip", "0"], "--preset and --flip")]
)
def test_resuming_with_other_options_is_refused(words, said, parse):
    parse("--run", "mine")
    with pytest.raises(RunError, match=f"so {said} cannot be given too"):
        parse("--resume", "--run", "mine", *words)


@pytest.mark.parametrize("words", [["--teachers", "nobody"], ["--start-from", "nobody"], ["--start-from", "compact"]])
def test_a_wrong_teacher_or_start_leaves_no_folder(words, home, parse):
    with pytest.raises(FerError):
        parse("--run", "mine", *words)
    assert not (home / "runs" / "mine").exists()


def test_the_name_of_a_bundled_model_is_refused(home, parse):
    with pytest.raises(RunError, match="comes with the package"):
        parse("--run", "compact")
    assert not (home / "runs" / "compact").exists()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (TrainOutcome({}), 0),
        (TrainOutcome(None, signal.SIGINT), 130),
        (TrainOutcome(None, signal.SIGTERM), STOPPED),
        (TrainOutcome({}, signal.SIGTERM), 0),
    ],
)
def test_a_stopped_run_does_not_end_like_a_finished_one(outcome, code):
    assert outcome.exit_code == code
