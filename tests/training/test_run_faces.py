import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.corrections_file import change_corrections, corrections_path
from fer_core.audit.search import Query
from fer_core.audit.selections_file import change_selections
from fer_core.cli import run_command
from fer_core.data.store import write_store
from fer_core.errors import DataError, FerError, RunError
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.training.run_faces import open_run_faces

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SPLITS = {"Training": 42, "PublicTest": 14, "PrivateTest": 14}


@pytest.fixture
def stored(home, faces):
    """Seventy faces with the tag "seen" on rows 0 to 9 and 50, a subset of these, and one of rows 50 and 51."""
    write_store(faces, "small")
    for change in (
        lambda selections: selections.tag([*range(10), 50], "seen", NOW),
        lambda selections: selections.save_query("seen", Query(tags=("seen",)), NOW),
        lambda selections: selections.save_rows("tests", [50, 51], NOW),
    ):
        change_selections("small", faces.hash, len(faces), change)
    return faces


def counts(faces):
    return {split: len(faces.rows_of(split)) for split in faces.splits}


def test_only_training_is_narrowed_to_the_subset(stored):
    opened = open_run_faces(RunConfig(data="small", subset="seen"))
    assert counts(opened) == {**SPLITS, "Training": 10}
    np.testing.assert_array_equal(opened.images[:10], stored.images[:10])


def test_corrections_and_subset_are_both_applied(stored):
    change_corrections("small", stored.hash, len(stored), lambda list: list.exclude([0, 20], "", NOW))
    config = RunConfig(data="small", subset="seen", corrections=str(corrections_path("small")))
    assert counts(open_run_faces(config))["Training"] == 9


def test_a_run_keeps_the_faces_that_it_started_with(stored, tmp_path):
    run, config = RunFolder(tmp_path / "run"), RunConfig(data="small", subset="seen")
    run.create(config)
    change_selections("small", stored.hash, len(stored), lambda selections: selections.tag([11], "seen", NOW))
    assert counts(open_run_faces(run.with_own_files(run.config())))["Training"] == 10
    assert counts(open_run_faces(config))["Training"] == 11
    assert run.config().subset == "seen"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subset": "gone"}, "no subset named 'gone'"),
        ({"subset": "tests"}, "no faces in Training"),
        ({"subset": "seen", "data": "demo"}, "demo is none"),
    ],
)
def test_a_subset_that_cannot_be_used_leaves_no_run(stored, tmp_path, changes, said):
    run = RunFolder(tmp_path / "run")
    with pytest.raises(DataError, match=said):
        run.create(replace(RunConfig(data="small"), **changes))
    assert not run.path.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "missing"),
        ("{", "damaged"),
        ("[]", "damaged"),
        (json.dumps({"data": "0", "rows": ["1"]}), "damaged"),
        (json.dumps({"data": "0", "rows": [1]}), "replaced by another"),
    ],
)
def test_a_damaged_copy_of_the_subset_is_said(stored, tmp_path, content, said):
    run = RunFolder(tmp_path / "run")
    run.create(RunConfig(data="small", subset="seen"))
    run.subset_file.unlink() if content is None else run.subset_file.write_text(content)
    with pytest.raises(FerError, match=said):
        open_run_faces(run.with_own_files(run.config()))


def test_the_command_names_the_subset_and_a_resumed_run_takes_no_other(stored, monkeypatch):
    from fer_core.training import command

    runs = []
    monkeypatch.setattr(command, "train_run", lambda run, _: runs.append(run) or command.TrainOutcome({}))
    run_command(["train", "--run", "mine", "--data", "small", "--subset", "seen"])
    assert json.loads(runs[0].config_file.read_text())["subset"] == "seen"
    with pytest.raises(RunError, match="--subset cannot be given"):
        run_command(["train", "--resume", "--run", "mine", "--subset", "tests"])
