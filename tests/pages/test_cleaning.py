"""The section of the data set page that asks whether cleaning makes the network better."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.audit.corrections import load_corrections
from fer_core.audit.corrections_file import corrections_path
from fer_core.data.face_set import SPLITS
from fer_core.data.store import open_store, write_store
from fer_core.evaluation.paired_difference import PairedDifference
from fer_core.experiments.cleaning import CompareCleaning
from fer_core.experiments.plan import CleaningPlan, open_experiment
from fer_core.experiments.result import CleaningResult, CorrectionCount, Measure, save_result
from fer_core.training.config import PRESETS, RunConfig
from fer_core.ui.dataset import cleaning
from tests.drawn_faces import demo_set

PAGE = Path(__file__).parents[2] / "pages" / "dataset.py"
COUNT = 140


@pytest.fixture
def faces(monkeypatch, tmp_path):
    """The data set "small": 140 drawn faces, two of them black, and one drawn with hardly any contrast."""
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    monkeypatch.delenv("FER_MODEL", raising=False)
    st.cache_resource.clear()
    drawn = demo_set(COUNT, seed=1)
    images = drawn.images.copy()
    images[:2] = 0
    write_store(dataclasses.replace(drawn, images=images), "small")
    return open_store("small")


def open_page():
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert not at.exception
    return at


def saved(faces):
    return load_corrections(corrections_path("small"), faces.hash, COUNT)


def test_suggestions_become_corrections_that_one_undo_takes_back(faces):
    at = open_page()
    assert at.button(key="compare_cleaning").disabled
    assert at.button(key="suggest_corrections").label == "Add 3 suggested corrections"
    at.button(key="suggest_corrections").click().run()
    assert {row: mark.reason for row, mark in saved(faces).current.items()} == dict.fromkeys((0, 1, 98), "blank image")
    assert at.button(key="suggest_corrections").disabled
    assert not at.button(key="compare_cleaning").disabled
    at.button(key="marks_undo").click().run()
    assert saved(faces).current == {}
    assert at.button(key="suggest_corrections").label == "Add 3 suggested corrections"


def test_the_button_starts_the_comparison_that_the_command_names(faces, monkeypatch):
    started = []
    monkeypatch.setattr(cleaning, "start_own_job", started.append)
    at = open_page()
    at.button(key="suggest_corrections").click().run()
    at.number_input(key="cleaning_epochs_quick").set_value(2).run()
    at.number_input(key="cleaning_seeds").set_value(2).run()
    assert any("fer compare-cleaning small --preset quick --epochs 2" in code.value for code in at.code)
    at.button(key="compare_cleaning").click().run()
    (task,) = started
    assert isinstance(task, CompareCleaning)
    assert task.seeds == [0, 1]
    config = RunConfig.from_dict(task.config)
    assert (config.data, config.epochs, config.architecture) == ("small", 2, "small-cnn")
    assert config.validation_splits == ("PublicTest",)


def test_a_result_starts_with_its_sentence_and_has_a_row_for_each_expression(faces):
    change = PairedDifference(14, 0.5, 0.52, 0.02, -0.01, 0.05)
    recalls = {"happy": change, "sad": change}
    measures = tuple(Measure(key, change, recalls, (0.5,), (0.52,), (1.0,)) for key in ("labels", "untouched"))
    at = open_page()
    at.button(key="suggest_corrections").click().run()
    plan = CleaningPlan(dataclasses.replace(PRESETS["quick"], data="small"), (0, 1, 2), saved(faces))
    folder = open_experiment(plan)
    save_result(
        CleaningResult(
            folder.name,
            "small",
            faces.hash,
            plan.config.to_dict(),
            (0, 1, 2),
            {"original": 112, "cleaned": 109},
            (CorrectionCount("exclude", "blank image", 3, 0),),
            {"original": ("a", "b", "c"), "cleaned": ("d", "e", "f")},
            {"PublicTest": measures},
        ),
        folder,
    )
    at = open_page()
    text = next(markdown.value for markdown in at.markdown if "Cleaning changed" in markdown.value)
    assert text.startswith(
        "**Cleaning changed accuracy on the data set's labels by +2.0 points (95 %: −1.0 to +5.0) over 3 seeds: no "
        "difference can be claimed.**"
    )
    table = next(table.value for table in at.dataframe if "Change" in table.value)
    assert table["Measure"].tolist() == ["accuracy", "recall of happy", "recall of sad"]
    assert table["From"].tolist() == [-1.0] * 3
    assert any("3 excluded: blank image." in caption.value for caption in at.caption)
    folder.result_file.write_text("{")
    at = open_page()
    assert any("is damaged" in warning.value for warning in at.warning)


@pytest.mark.parametrize("split", ["Training", "Test"])
def test_a_set_that_cannot_be_trained_or_compared_on_says_so(faces, split):
    everything = np.full(COUNT, SPLITS.index(split), np.uint8)
    write_store(dataclasses.replace(faces, split=everything), "small")
    at = open_page()
    assert not at.error
    assert any("Hold out a part of Training first" in caption.value for caption in at.caption)
