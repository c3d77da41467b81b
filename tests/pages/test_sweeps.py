"""The trials of sweeps on the training page."""

import os
import zlib

import pytest

from fer_core.background.locks import take
from fer_core.training.run.store import runs_root
from fer_core.training.sweep.trials import Trial, write_trials
from tests.pages.test_train import launched, make_run, page  # noqa: F401

pytestmark = pytest.mark.usefixtures("launched")


def write_sweep(name: str = "rates", trials=None):
    folder = runs_root() / ".sweeps" / name
    write_trials(folder, "val_accuracy", 20, trials or [Trial("rates-trial-0", "finished", 0.5, {"mixup": 0.1})])
    return folder


def test_without_a_sweep_there_is_no_panel():
    make_run("one", "finished")
    at = page()
    assert not [expander for expander in at.expander if expander.label == "Sweeps"]


def test_trials_are_listed_the_best_first_with_the_spread_of_seeds():
    for number, seed in enumerate((0, 1, 0)):
        make_run(f"rates-trial-{number}", "finished", seed=seed, mixup=0.1 * (number // 2 + 1))
    write_sweep(
        trials=[
            Trial("rates-trial-0", "finished", 0.5, {"mixup": 0.1, "seed": 0}),
            Trial("rates-trial-1", "finished", 0.6, {"mixup": 0.1, "seed": 1}),
            Trial("rates-trial-2", "finished", 0.7, {"mixup": 0.2, "seed": 0}),
            Trial("rates-trial-3", "failed", None, {"mixup": 9.0, "seed": 0}, "mixup must be 0 to 1."),
        ]
    )
    at = page()
    (table,) = [each for each in at.dataframe if "mixup" in each.value]
    assert table.value["Run"].tolist() == ["rates-trial-2", "rates-trial-1 and 1 more", "rates-trial-3"]
    assert table.value["Validation accuracy"].round(1).tolist()[:2] == [70.0, 55.0]
    assert table.value["±"].round(2).tolist()[1] == 7.07
    assert table.value[["State", "Reason"]].to_numpy().tolist()[2] == ["failed", "mixup must be 0 to 1."]
    assert any("4 of 20 trials: 3 finished, 1 failed" in caption.value for caption in at.caption)
    runs = [["rates-trial-2"], ["rates-trial-1", "rates-trial-0"], ["rates-trial-3"]]
    key = f"trials_{zlib.crc32(repr(runs).encode()):x}"
    at.session_state[key] = {"selection": {"rows": [0, 1], "columns": [], "cells": []}}
    at.run()
    assert not at.exception and at.toggle(key="compare_trials_seeds").value
    assert "mean of 2 seeds" in str(at.get("plotly_chart")[-1].proto)


def test_a_sweep_at_work_is_shown_and_a_damaged_one_is_left_out():
    make_run("rates-trial-0", "running")
    write_sweep("other")
    folder = write_sweep(trials=[Trial("rates-trial-0", "running", 0.4, {"mixup": 0.1})])
    (write_sweep("broken") / "trials.json").write_text("[]")
    lock = take(folder / ".lock")
    try:
        at = page()
    finally:
        os.close(lock)
    assert at.selectbox(key="sweep").options == ["rates", "other"]
    assert next(each for each in at.expander if each.label == "Sweeps").proto.expanded
    assert any("1 of 20 trials: 1 running" in caption.value for caption in at.caption)
