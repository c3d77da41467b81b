"""Runs as processes of their own, started as the page starts them."""

import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from fer_core.background.locks import holder, take
from fer_core.errors import RunError
from fer_core.files import read_json
from fer_core.models.bundle import load_bundle
from fer_core.training.command import open_run_faces
from fer_core.training.config import Augmentation, RunConfig
from fer_core.training.loop import trainer
from fer_core.training.run.folder import RunFolder
from fer_core.training.run.process import launch, stop
from fer_core.training.run.store import find_run, list_runs
from fer_core.training.timing.device import device_key

LIMIT_S = 300
WITHOUT_TENSORFLOW = """
import sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.split(".")[0] == "tensorflow" else find(name, *rest)
from fer_core.cli import main

sys.exit(main(sys.argv[1:]))
"""
CONFIG = RunConfig(
    data="few",
    architecture="small-cnn",
    epochs=12,
    batch_size=32,
    learning_rate=1e-3,
    schedule="cosine",
    mixup=0.2,
    ema=0.9,
    augmentation=Augmentation(flip=0.5, rotate_deg=10, erase=0.2),
)


@pytest.fixture(autouse=True)
def few_faces(home, faces):
    from fer_core.data.store import write_store

    write_store(faces, "few")


def new_run(name: str, **changes: object) -> RunFolder:
    run = find_run(name)
    run.create(dataclasses.replace(CONFIG, **changes))
    return run


def wait(done: Callable[[], bool], run: RunFolder) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < end_s, (run.status(), run.log_file.read_text()[-3000:])
        time.sleep(0.05)


def wait_for_end(run: RunFolder) -> str:
    wait(lambda: not run.status().live, run)
    return run.status().state


def test_runs_wait_for_their_turn_and_a_killed_one_resumes_to_the_same_history(home):
    device = take(home / "runs" / f".{device_key()}.lock")
    whole, killed, patient = new_run("whole"), new_run("killed"), new_run("patient")
    launch(killed)
    assert killed.status().state == "starting", "the page sees the run at once"
    with pytest.raises(RunError, match="already works on the run"):
        launch(killed)
    assert os.getpgid(holder(killed.lock_file)) != os.getpgid(0), "it has a process group of its own"
    launch(patient)
    for run in (killed, patient):
        wait(lambda run=run: run.status().state == "waiting" or not run.status().live, run)
        assert run.status().state == "waiting", "one run trains at a time"
    stop(patient)
    assert wait_for_end(patient) == "stopped", "a run that waits can be cancelled"

    os.close(device)
    wait(lambda: len(killed.history()) >= 1 or not killed.status().live, killed)
    os.kill(holder(killed.lock_file), signal.SIGKILL)
    assert wait_for_end(killed) == "interrupted"
    assert len(killed.history()) < CONFIG.epochs, "it was killed too late to show anything"
    launch(killed)
    assert wait_for_end(killed) == "finished", killed.log_file.read_text()
    with pytest.raises(RunError, match="is finished"):
        launch(killed)
    assert load_bundle(killed.model_folder).card.metrics["PrivateTest"]["images"] == 14
    export = read_json(killed.export_file)
    assert export["difference"] < 5e-3 and export["faces"] == 70 and export["ms_per_face"] > 0

    trainer.train(open_run_faces, whole)
    columns = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"]
    np.testing.assert_allclose(killed.history()[columns], whole.history()[columns], rtol=1e-4)


def test_a_stop_ends_a_run_within_its_epoch():
    run = new_run("long", epochs=1000, batch_size=1)
    launch(run)
    wait(lambda: len(run.progress()) > 0 or not run.status().live, run)
    stop(run)
    assert wait_for_end(run) == "stopped", run.log_file.read_text()
    stop(run)  # once more does nothing


def test_a_stop_before_the_process_can_hear_it_counts_too():
    run = new_run("short")
    launch(run)
    stop(run)
    assert wait_for_end(run) == "stopped"
    assert len(run.history()) == 0


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
def test_the_same_code_trains_on_jax_without_tensorflow(home):
    arguments = (
        "--run jax --data few --architecture small-cnn --epochs 2 --batch-size 32 --mixup 0.2 --flip 0.5 --ema 0.9 "
        "--optimizer adamw --jpeg 0.2 --augment-on device"
    )
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, "train", *arguments.split()],
        timeout=LIMIT_S,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [run] = list_runs()
    assert run.status().state == "finished"
    assert run.status().device.startswith("jax")
    assert run.history()["epoch"].tolist() == [0, 1]
    assert read_json(run.card_file)["training"]["backend"] == "jax"
