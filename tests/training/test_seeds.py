"""One configuration with several seeds."""

import dataclasses
from concurrent.futures import Future
from contextlib import nullcontext

import numpy as np
import pytest

from fer_core.background.cluster import Cluster
from fer_core.cli import main
from fer_core.data.store import write_store
from fer_core.errors import RunError
from fer_core.models.card import ModelCard
from fer_core.training import seeds
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.store import list_runs, result_of, seed_groups
from fer_core.training.timing.device import device_key, share_of_device
from fer_core.training.workers import Workers

pytestmark = pytest.mark.usefixtures("home", "eager")


@pytest.fixture
def few(config, faces):
    """A configuration of tiny runs on a data set of a name."""
    write_store(faces, "few")
    return dataclasses.replace(config, data="few", epochs=2, validation_splits=("PublicTest",))


@pytest.fixture
def here(train, monkeypatch):
    """Trains the runs at once in this process; the list of those that were trained."""
    trained: list[str] = []
    broken: set[str] = set()

    def start(path):
        run, future = RunFolder(path), Future()
        if run.name in broken:
            future.set_result("failed")
            return future
        trained.append(run.name)
        train(run)
        future.set_result("finished")
        return future

    monkeypatch.setattr(seeds, "workers_of", lambda cluster: nullcontext(Workers(lambda: 1, start)))
    return trained, broken


def test_seeds_are_runs_of_their_own_and_only_missing_ones_are_trained(few, here):
    trained, broken = here
    broken.add("try-seed-1")
    runs = seeds.prepare_seeds(few, "try", (0, 1))
    with pytest.raises(RunError, match=r"Not finished: try-seed-1 \(failed\).*Start the same command again"):
        seeds.train_all(runs, Cluster(), lambda done, total, _=None: None)
    broken.clear()
    runs = seeds.prepare_seeds(few, "try", (0, 1))
    seeds.train_all(runs, Cluster(), lambda done, total, _=None: None)
    assert trained == ["try-seed-0", "try-seed-1"]
    shares = [ModelCard.load(run.card_file).metrics["PrivateTest"]["accuracy"] for run in runs]
    said = f"PrivateTest: {np.mean(shares):.2%} ± {np.std(shares, ddof=1):.2%} over 2 seeds"
    assert said in seeds.seeds_text(runs)
    [group] = seed_groups([result_of(run) for run in list_runs()])
    assert {result.name for result in group} == {"try-seed-0", "try-seed-1"}, "the page draws one curve with a band"


def test_a_name_that_is_taken_or_a_seed_that_is_named_twice_is_refused(few):
    seeds.prepare_seeds(few, "try", (0,))
    with pytest.raises(RunError, match="already a run named 'try-seed-0', with another configuration"):
        seeds.prepare_seeds(dataclasses.replace(few, epochs=3), "try", (0, 1))
    with pytest.raises(RunError, match="Expected different seeds; got 1 1"):
        seeds.prepare_seeds(few, "try", (1, 1))


@pytest.mark.parametrize(
    "options",
    [
        ["--seeds", "0", "1", "--sweep", "some.toml"],
        ["--seeds", "0", "1", "--seed", "3"],
        ["--seeds", "0", "1", "--resume"],
        ["--jobs", "2"],
    ],
)
def test_options_that_do_not_go_together_are_refused(options, capsys):
    assert main(["train", "--data", "few", *options]) == 1
    assert "give either --seeds or --sweep" in capsys.readouterr().err


def test_runs_beside_each_other_have_a_share_of_the_device(monkeypatch):
    alone = device_key()
    assert share_of_device(0, 1) == {}
    keys = set()
    for number in range(2):
        with monkeypatch.context() as patch:
            for name, value in share_of_device(number, 2).items():
                patch.setenv(name, value)
            keys.add(device_key())
    assert len(keys | {alone}) == 3
