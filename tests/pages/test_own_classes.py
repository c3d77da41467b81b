"""The pages with a data set of three classes of its own: everything under its names, nothing of the seven alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.store import write_store
from fer_core.files import write_json
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import RunFolder
from fer_core.ui.training.follow import watched_html
from tests.own_classes import OWN, own_faces

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine with this data set alone, on which nothing is started."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_MODEL", raising=False)
    monkeypatch.setattr("fer_core.ui.training.form.start_measuring", lambda config: None)
    started = []
    for module in ("training.form", "training.actions"):
        monkeypatch.setattr(f"fer_core.ui.{module}.launch", lambda run: started.append(run))
    st.cache_resource.clear()
    st.cache_data.clear()
    write_store(own_faces(20), "mine")
    return started


def page(name: str, **address: str) -> AppTest:
    at = AppTest.from_file(PAGES / f"{name}.py", default_timeout=120)
    for key, value in address.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def words(at: AppTest) -> str:
    """All text and HTML on a page."""
    parts = (*at.markdown, *at.caption, *at.title, *at.subheader, *at.get("html"), *at.error, *at.warning)
    return " ".join(str(element.proto) for element in parts)


def test_the_data_set_page_shows_three_classes():
    at = page("dataset", data="mine")
    text = words(at)
    assert "How many faces each class has" in text
    assert "3 classes of its own" in text
    assert all(name in text for name in OWN)
    assert "angry" not in text and "no FER+ votes" not in text
    assert "seven expressions only, not for these classes" in text
    assert not [popover for popover in at.get("popover") if "FER+" in str(popover.proto)]


def test_browse_filters_by_the_own_classes():
    at = page("dataset", data="mine", view="Browse")
    assert at.get("button_group")
    options = [option.content for group in at.get("button_group") for option in group.proto.options]
    assert set(OWN) <= set(options) and "angry" not in options
    at = page("dataset", data="mine", view="Browse", label="yawning")
    assert "**20 faces** of 60" in words(at)


def test_the_bundled_model_cannot_judge_these_labels_and_says_so():
    text = words(page("dataset", data="mine", view="Problems"))
    assert "not the classes of this data set, so it cannot judge these labels" in text


def test_the_training_page_starts_a_run_on_own_classes(machine):
    at = page("train")
    at.selectbox(key="train_data").set_value("mine").run()
    assert not at.exception
    assert "3 classes" in at.selectbox(key="train_data").options[0]
    recipe = next(box for box in at.selectbox if box.label == "Recipe")
    assert "compact-taught" not in recipe.options and len(recipe.options) >= 2
    at.button(key="start").click().run()
    assert not at.exception and not at.error
    [run] = machine
    assert run.config().data == "mine" and run.config().validation_splits == ("Validation",)


def test_a_run_on_own_classes_is_shown_under_its_names(tmp_path):
    run = RunFolder(tmp_path / "home" / "runs" / "own")
    run.create(RunConfig(data="mine", architecture="small-cnn", epochs=1, validation_splits=("Validation",)))
    run.history_file.write_text(
        "epoch,accuracy,images_per_s,learning_rate,loss,seconds,val_accuracy,val_loss\n0,0.3,900,1e-4,1.8,10,0.4,1.7\n"
    )
    run.write_status("finished", epoch=1)
    faces = {"labels": [0, 2], "probs": [[0.1, 0.2, 0.7], [0.2, 0.2, 0.6]], "predicted": [[2, 2]]}
    record = {"epoch": 0, "class_names": list(OWN), "confusion": [[0, 0, 4], [0, 0, 4], [0, 0, 4]], "faces": faces}
    write_json(run.validation_file, record)
    text = words(page("train"))
    assert "The network predicts yawning for every face." in text
    html = watched_html(np.zeros((48, 96), np.uint8), run.validation().faces, "labelled", OWN)
    assert "labelled calm" in html and "labelled yawning" in html
    run.validation_file.write_text(json.dumps(record | {"class_names": ["calm", "yawning"]}))
    assert any("validation.json cannot be read" in problem for problem in run.damaged_records())


def test_the_evaluation_page_refuses_other_classes_by_name():
    text = words(page("evaluate", data="mine"))
    assert "If none has the classes of this data set, train one on the Training page" in text
    at = page("evaluate", data="mine")
    box = next(box for box in at.multiselect if box.label == "Models")
    box.set_value(["compact"]).run()
    assert not at.exception
    assert any(
        "compact scores the classes angry" in error.value and "the data set has calm, laughing, yawning" in error.value
        for error in at.error
    )
