"""Sweeps: what they try, what they end early, and that none of it is lost."""

import dataclasses
import json
import os
import signal
import threading
import time
from concurrent.futures import Future
from contextlib import nullcontext

import pytest

from fer_core.background.cluster import Cluster
from fer_core.background.locks import holder, take
from fer_core.cli import main
from fer_core.data.store import write_store
from fer_core.errors import RunError
from fer_core.files import write_text
from fer_core.training.config import PRESETS
from fer_core.training.run.folder import HISTORY_COLUMNS, RunFolder
from fer_core.training.run.store import find_run, list_runs
from fer_core.training.sweep import study
from fer_core.training.sweep.plan import Range, SweepPlan, read_plan
from fer_core.training.sweep.trials import Trial, by_settings, list_sweeps, read_sweep, write_trials
from fer_core.training.workers import Workers
from tests.clusters import scheduler_with_workers

pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("home")
EPOCHS = 8
BASE = dataclasses.replace(PRESETS["quick"], epochs=EPOCHS, selection="last")
PLAN = SweepPlan({"learning_rate": Range(1e-4, 1e-2, log=True), "batch_size": (16, 32)}, trials=12)


def write_history(run: RunFolder, accuracies: list[float]) -> None:
    rows = [
        ",".join(str({"epoch": epoch, "val_accuracy": accuracy}.get(name, 0.5)) for name in HISTORY_COLUMNS)
        for epoch, accuracy in enumerate(accuracies)
    ]
    write_text(run.history_file, "\n".join([",".join(HISTORY_COLUMNS), *rows]) + "\n")


@pytest.fixture
def pretended(monkeypatch):
    """Runs that are finished as soon as they start, the better the nearer their learning rate is to 1e-3."""
    started: list[str] = []

    def start(path):
        run, future = RunFolder(path), Future()
        started.append(run.name)
        rate = run.config().learning_rate
        goal = 1 - abs(rate - 1e-3) / 1e-2
        write_history(run, [goal * (epoch + 1) / EPOCHS for epoch in range(EPOCHS)])
        run.write_status("finished")
        future.set_result("finished")
        return future

    monkeypatch.setattr(study, "POLL_S", 0.0)
    monkeypatch.setattr(study, "workers_of", lambda cluster: nullcontext(Workers(lambda: 2, start)))
    return started


def quiet(done: float, total: float, description: str | None = None) -> None:
    pass


def test_a_sweep_finds_the_best_trial_and_goes_on_where_it_was_stopped(pretended):
    sweep = study.Sweep("rates", PLAN, BASE)
    stops = iter([False] * 4 + [True])

    def stop_later(done: float, total: float, description: str | None = None) -> None:
        if next(stops):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run_sweep(sweep, Cluster(), stop_later)
    before = list(pretended)
    assert {trial.run for trial in list_sweeps()[0].trials} == set(before)
    trials = study.run_sweep(sweep, Cluster(), quiet)
    assert 0 < len(before) < 12 and len(trials) == 12
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert {run.name for run in list_runs()} == {f"rates-trial-{number}" for number in range(12)}
    assert trials[0].value == max(trial.value for trial in trials)
    assert len({trial.params["learning_rate"] for trial in trials}) == 12, "nothing is proposed twice"
    for trial in trials:
        config = find_run(trial.user_attrs["run"]).config()
        assert (config.learning_rate, config.batch_size) == (trial.params["learning_rate"], trial.params["batch_size"])
    table = study.table_of(trials, PLAN.maximize)
    assert table.splitlines()[1].startswith(trials[0].user_attrs["run"])
    assert "12 trials whole, 0 ended early, 0 failed" in table
    (written,) = list_sweeps()
    assert (written.name, written.maximize, written.planned, written.is_running) == ("rates", "val_accuracy", 12, False)
    assert [(t.run, t.state, t.value, t.parameters) for t in written.trials] == [
        (t.user_attrs["run"], "finished", t.value, t.params) for t in trials
    ]
    more = dataclasses.replace(sweep, plan=dataclasses.replace(PLAN, trials=13))
    assert len(study.run_sweep(more, Cluster(), quiet)) == 13
    with pytest.raises(RunError, match="was begun with other settings"):
        study.run_sweep(dataclasses.replace(sweep, base=dataclasses.replace(BASE, mixup=0.1)), Cluster(), quiet)


def test_a_run_that_falls_behind_ends_early_and_one_that_cannot_start_is_told(pretended, monkeypatch):
    """The last trial's curve is below all others; a network of one size cannot begin with small faces."""
    stopped: list[str] = []
    monkeypatch.setattr(study, "stop", lambda run: stopped.append(run.name))
    with study.workers_of(Cluster()) as workers:
        start_whole = workers.start

    def start(path):
        run = RunFolder(path)
        if not run.name.endswith("-6"):
            return start_whole(path)
        write_history(run, [0.01, 0.02, 0.03])
        return Future()

    monkeypatch.setattr(study, "workers_of", lambda cluster: nullcontext(Workers(lambda: 1, start)))
    trials = study.run_sweep(study.Sweep("late", dataclasses.replace(PLAN, trials=7), BASE), Cluster(), quiet)
    assert [trial.number for trial in trials if trial.state.name == "PRUNED"] == [6]
    assert stopped == ["late-trial-6"]

    mixed = SweepPlan({"architecture": ("seed-cnn",), "initial_size": (32,)}, trials=1)
    [failed] = study.run_sweep(study.Sweep("mixed", mixed, BASE), Cluster(), quiet)
    assert failed.state.name == "FAIL"
    assert "mixed-trial-0: The network seed-cnn takes faces of 48 pixels only" in study.table_of([failed], "val")


def test_nothing_is_chosen_by_private_test():
    sweep = study.Sweep("rates", PLAN, PRESETS["seed-cnn"])
    with pytest.raises(RunError, match="would choose by PrivateTest.*--validation-splits PublicTest"):
        study.run_sweep(sweep, Cluster(), quiet)


TOML = "trials = 3\n[parameters]\nlearning_rate = {low = 1e-4, high = 1e-2, log = true}\nbatch_size = [16, 32]\n"
YAML = "trials: 3\nparameters:\n  learning_rate: {low: 0.0001, high: 0.01, log: true}\n  batch_size: [16, 32]\n"


@pytest.mark.parametrize(("name", "text"), [("a.toml", TOML), ("a.yaml", YAML)])
def test_a_sweep_is_a_toml_or_yaml_file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_plan(tmp_path / name, BASE) == dataclasses.replace(PLAN, trials=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trials = 3", "to hold parameters and trials"),
        ("[parameters]", "at least one entry in parameters; got none"),
        ("colour = 1\n[parameters]\nmixup = [0.1]", "no others; got colour"),
        ("[parameters]\nswirl = [1]", "got 'swirl'"),
        ("[parameters]\nteachers = [['compact']]", "got 'teachers'"),
        ("[parameters]\nmixup = 0.1", "to be a list of values, or low and high"),
        ("[parameters]\nmixup = {low = 0.4, high = 0.1}", "low end below its high end"),
        ("[parameters]\nmixup = {low = 0, high = 1, log = true}", "over 0, since it is logarithmic"),
        ("[parameters]\nema = [0.9, 2]", "ema cannot be 2 in a sweep. Expected ema to be at most"),
        ("trials = 0\n[parameters]\nmixup = [0.1]", "trials to be a whole number"),
        ("seed = 'a'\n[parameters]\nmixup = [0.1]", "seed a whole number"),
        ("maximize = 'loss'\n[parameters]\nmixup = [0.1]", "Expected maximize out of val_accuracy"),
        ("trials =", "is not a TOML file"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(tmp_path, text, said):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(RunError, match=said):
        read_plan(tmp_path / "a.toml", BASE)


@pytest.mark.parametrize(("name", "said"), [("none.toml", "cannot be read"), ("a.txt", "Expected a sweep as a .toml")])
def test_another_file_is_refused_in_words(tmp_path, name, said):
    (tmp_path / "a.txt").write_text("trials: 3")
    with pytest.raises(RunError, match=said):
        read_plan(tmp_path / name, BASE)


@pytest.mark.slow
def test_a_killed_worker_and_its_run_lose_no_trial(home, tmp_path, faces, capsys):
    """Two trials on two workers of a scheduler; one worker and its run are killed half-way."""
    pytest.importorskip("distributed")
    write_store(faces, "few")
    (tmp_path / "two.toml").write_text("trials = 2\nprune = false\n[parameters]\nlearning_rate = [0.001, 0.002]\n")
    killed: list[int] = []

    def kill(workers) -> None:
        run, deadline = find_run("two-trial-0"), time.monotonic() + 240
        while not len(run.history()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in (workers[0].pid, holder(run.lock_file)):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    with scheduler_with_workers(tmp_path, FER_HOME=str(home)) as (address, workers):
        killer = threading.Thread(target=kill, args=(workers,))
        killer.start()
        sweep = ["--sweep", str(tmp_path / "two.toml"), "--cluster", address]
        assert main(["train", "--preset", "quick", "--data", "few", "--epochs", "6", *sweep]) == 0
        killer.join()
    assert len(killed) == 2
    assert "2 trials whole, 0 ended early, 0 failed" in capsys.readouterr().out
    for run in list_runs():
        assert run.status().state == "finished" and len(run.history()) == 6
    assert json.loads((home / "runs" / ".sweeps" / "two" / "sweep.json").read_text())["base"]["epochs"] == 6


def test_trials_are_read_without_optuna_while_a_sweep_runs_and_afterwards():
    trials = [
        Trial("a", "failed", None, {"mixup": 0.1}, "It diverged."),
        Trial("b", "running", 0.9, {"mixup": 0.2}),
        Trial("c", "ended early", 0.3, {"mixup": 0.3}),
        Trial("d", "finished", 0.5, {"mixup": 0.4}),
        Trial("e", "finished", 0.6, {"mixup": 0.5}),
    ]
    folder = study.Sweep("mine", PLAN, BASE).folder
    write_trials(folder, "val_accuracy", 9, trials)
    assert [(trial.run, trial.state) for trial in read_sweep("mine").trials][2] == ("b", "stopped")
    lock = take(folder / ".lock")
    sweep = read_sweep("mine")
    os.close(lock)
    assert sweep.is_running and [trial.run for trial in sweep.trials] == ["e", "d", "b", "c", "a"]
    (folder / "trials.json").write_text("{")
    assert read_sweep("mine") is None and list_sweeps() == []


def test_trials_that_differ_in_their_seed_are_one_setting_with_its_spread():
    trials = [
        Trial("a", "finished", 0.9, {"mixup": 0.1, "seed": 0}),
        Trial("b", "finished", 0.5, {"mixup": 0.1, "seed": 1}),
        Trial("c", "finished", 0.8, {"mixup": 0.2, "seed": 0}),
        Trial("d", "failed", None, {}),
    ]
    best, second, failed = by_settings(trials)
    assert [trial.run for trial in best.trials] == ["c"] and (best.mean, best.spread) == (0.8, None)
    assert [trial.run for trial in second.trials] == ["a", "b"]
    assert (second.mean, round(second.spread, 3)) == (0.7, 0.283)
    assert failed.mean is None
