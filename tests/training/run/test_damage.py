"""Files of a run that were cut or altered at random: listing and following runs never raises."""

import dataclasses

import cv2
import numpy as np
import pytest

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.models.card import ModelCard
from fer_core.training.config import PRESETS
from fer_core.training.run.alerts import alerts
from fer_core.training.run.epochs import append_epoch, record_after
from fer_core.training.run.records import RunStatus
from fer_core.training.run.store import broken_runs, find_run, list_runs, result_of, seed_groups
from fer_core.training.timing.eta import estimate_eta

HISTORY = (
    "epoch,accuracy,images_per_s,learning_rate,loss,seconds,size,startup_s,val_accuracy,val_loss\n"
    "0,0.3,900,1e-4,1.8,10,40,1.5,0.4,1.7\n"
    "1,0.5,900,1e-4,1.4,12.5,48,0,0.6,1.5\n"
    "2,0.6,900,1e-4,1.2,12.5,48,0,0.5,1.6\n"
)
FILES = (
    "config.json",
    "status.json",
    "history.csv",
    "progress.csv",
    "validation.json",
    "validation_epochs.jsonl",
    "export.json",
    "card.json",
    "note.txt",
)
CASES = 60


@pytest.fixture(autouse=True)
def store(home):
    return home


def make(name: str):
    run = find_run(name)
    run.create(dataclasses.replace(PRESETS["quick"], seed=1))
    run.write_status("running", epoch=3, step=5, steps_per_epoch=25, since_s=1.0)
    run.history_file.write_text(HISTORY)
    run.progress_file.write_text("epoch,step,seconds,loss,accuracy\n3,1,1.5,1.4,0.5\n3,5,2.5,1.3,0.6\n")
    write_json(
        run.validation_file,
        {
            "epoch": 2,
            "confusion": np.eye(7, dtype=int).tolist(),
            "faces": {"labels": [0, 3], "probs": np.full((2, 7), 1 / 7).tolist(), "predicted": [[0, 1], [0, 2]]},
        },
    )
    run.epochs_file.unlink(missing_ok=True)
    for epoch in range(3):
        append_epoch(run.epochs_file, epoch, np.eye(7, dtype=np.int64), np.full((2, 7), 1 / 7))
    write_json(
        run.export_file,
        {"difference": 2e-5, "faces": 256, "bytes": 9, "ms_per_face": 0.5, "weights_sha256": "of the weights"},
    )
    metrics = {split: {"accuracy": 0.5} for split in ("PublicTest", "PrivateTest")}
    ModelCard(name, "small-cnn", 7, ("a", "b"), metrics=metrics).save(run.card_file)
    run.write_note("A note.")
    cv2.imwrite(str(run.faces_file), np.zeros((48, 96), np.uint8))
    return run


def look_at(run) -> None:
    """Do what the page does with every run, and then with the one on show."""
    problems = broken_runs(list_runs())
    results = [result_of(other) for other in list_runs() if other.name not in problems]
    assert seed_groups(results)
    assert "good" in [result.name for result in results], "the other run is not affected"
    assert all(isinstance(result.matches("adam 48"), bool) for result in results)
    if run.name in problems:
        assert problems[run.name]
        return
    status = run.status() or RunStatus("interrupted", 0, 0.0)
    eta = estimate_eta(run.config(), status, run.history(), run.progress())
    assert 0 <= eta.share <= 1
    try:
        alerts(run.history(), last := run.validation())
        for record in run.validation_epochs():
            assert last is None or record_after(last, record).confusion == record.confusion
    except RunError:
        assert run.damaged_records()


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the content cut at a random place, with some bytes altered, with a piece missing or with one doubled."""
    kind, place = rng.integers(4), int(rng.integers(len(content)))
    if kind == 0:
        return content[:place]
    if kind == 1:
        altered = bytearray(content)
        for where in rng.integers(len(content), size=rng.integers(1, 6)):
            altered[where] = rng.integers(256)
        return bytes(altered)
    end = place + int(rng.integers(1, 40))
    return content[:place] + content[end:] if kind == 2 else content[:end] + content[place:]


@pytest.mark.parametrize("file", FILES)
def test_no_damage_to_a_file_takes_the_runs_down(file):
    make("good")
    run = make("damaged")
    rng = np.random.default_rng(FILES.index(file))
    path = run.path / file
    content = path.read_bytes()
    reported = 0
    for _ in range(CASES):
        path.write_bytes(damaged(content, rng))
        look_at(run)
        reported += bool(run.problem() or run.damaged_records() or run.status().state == "broken")
    if file not in ("note.txt", "progress.csv", "card.json"):
        assert reported > CASES / 4, "damage is said, not passed over"


# What is JSON, or nearly, but not what was written.
VALUES = (
    *("", "null", "5", "[]", "{}", '"text"', "[[]]", "NaN", "1" * 5000, "[" * 5000),
    *('{"state": []}', '{"epochs": {}}', '{"epoch": -1}', '{"bytes": "many"}', '{"labels": 5}', '{"metrics": []}'),
)


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith(".json")])
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_no_wrong_value_takes_the_runs_down(file, value):
    make("good")
    run = make("damaged")
    (run.path / file).write_text(value)
    look_at(run)


@pytest.mark.parametrize("name", ["config.json", "history.csv"])
def test_a_run_that_cannot_be_shown_says_what_is_wrong(name):
    run = make("damaged")
    (run.path / name).write_bytes(b"{\n\xff\xfe\n")
    [problem] = broken_runs(list_runs()).values()
    assert name in problem


def test_a_missing_file_is_no_damage():
    make("good")
    for file in FILES[1:]:
        run = make(f"without {file.split('.')[0]}")
        (run.path / file).unlink()
        look_at(run)
        assert run.problem() == "" and run.damaged_records() == []
