"""The learning-rate finder: what a sweep suggests, and a real sweep over a tiny network."""

import dataclasses
import json
import math
from functools import partial

import numpy as np
import pytest

from fer_core.cli import main
from fer_core.training import command
from fer_core.training.learning_rate import FindLearningRate, RateSweep, sweep_text
from fer_core.training.run.store import list_runs

RATES = tuple(10.0 ** np.linspace(-6, 0, 100))


def test_the_suggestion_is_a_tenth_of_the_rate_of_the_lowest_loss():
    losses = tuple(2 - math.exp(-((math.log10(rate) + 2) ** 2)) for rate in RATES)
    assert RateSweep(RATES, losses).suggested == pytest.approx(1e-3, rel=0.3)


def test_noise_of_single_batches_does_not_decide():
    rng = np.random.default_rng(0)
    losses = [2 - math.exp(-((math.log10(rate) + 2) ** 2)) + rng.normal(0, 0.05) for rate in RATES]
    losses[3] = 0.5  # one lucky batch
    assert RateSweep(RATES, tuple(losses)).suggested == pytest.approx(1e-3, rel=2)


def test_a_loss_that_never_falls_suggests_nothing():
    sweep = RateSweep(RATES, tuple(1.9 + rate for rate in RATES))
    assert sweep.suggested is None
    assert sweep_text(sweep).startswith("No rate can be suggested")
    assert RateSweep((), ()).suggested is None


def test_a_sweep_survives_json():
    sweep = RateSweep((1e-6, 1e-5), (2.0, 1.5))
    assert RateSweep.from_json(json.loads(json.dumps(sweep.to_json()))) == sweep


@pytest.fixture
def sweep(home, eager, faces):
    from fer_core.training.loop.rate_sweep import sweep_learning_rates

    return lambda config, count=40: sweep_learning_rates(faces, config, count, lambda done, total, phase: None)


@pytest.fixture
def short_sweep(monkeypatch):
    """Sweeps of a dozen steps, for what is told of them."""
    from fer_core.training.loop import rate_sweep

    monkeypatch.setattr(rate_sweep, "sweep_learning_rates", partial(rate_sweep.sweep_learning_rates, count=12))


def test_a_sweep_trains_on_rising_rates_until_the_loss_diverges(sweep, config):
    result = sweep(config)
    assert 10 < len(result.rates) == len(result.losses) <= 40
    assert np.all(np.diff(np.log(result.rates)) > 0)
    assert min(result.smoothed) < result.losses[0], "something was learned on the way"


def test_a_sweep_begins_with_the_initial_weights_of_the_run(sweep, config, new_run, train):
    run = new_run(config, "first", epochs=12, mixup=0.0, ema=0.0, learning_rate=1e-2, selection="last")
    train(run)
    started = sweep(dataclasses.replace(config, start_from=str(run.path), mixup=0.0), 4)
    assert started.losses[0] < 0.8 * sweep(dataclasses.replace(config, mixup=0.0), 4).losses[0]


def test_the_command_prints_a_suggestion_and_makes_no_run(home, eager, short_sweep, faces, monkeypatch, capsys):
    monkeypatch.setattr(command, "open_run_faces", lambda config: faces)
    arguments = ["--data", "memory", "--architecture", "small-cnn", "--batch-size", "16", "--find-lr"]
    assert main(["train", *arguments]) == 0
    assert "rate  loss" in capsys.readouterr().out
    assert list_runs() == []
    assert main(["train", "--find-lr", "--resume", "--run", "x"]) == 1


def test_the_job_gives_the_sweep_as_json(home, eager, short_sweep, faces, config, monkeypatch, tmp_path):
    from fer_core.background.task import JobContext

    monkeypatch.setattr(command, "open_run_faces", lambda config: faces)
    result = FindLearningRate(config.to_dict()).run(JobContext(tmp_path))
    assert RateSweep.from_json(result).suggested == result["suggested"]
    assert list_runs() == []
