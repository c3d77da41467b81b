"""The training page with real run folders, an empty machine and broken ones; nothing trains here."""

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.audit.selections_file import change_selections
from fer_core.background.jobs import Job, Request, running_job
from fer_core.background.locks import take
from fer_core.background.task import Progress
from fer_core.data.face_set import FaceSet, Provenance
from fer_core.data.store import write_store
from fer_core.emotions import LABELS
from fer_core.errors import RunError
from fer_core.files import read_json, sha256_of, write_json
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.models.model_store import choose_model, chosen_model, put_live
from fer_core.training.config import PRESETS, RunConfig
from fer_core.training.learning_rate import RateSweep
from fer_core.training.put_live import export_key
from fer_core.training.run.epochs import append_epoch
from fer_core.training.run.store import delete_run, find_run, list_runs
from fer_core.training.timing import throughput
from fer_core.training.timing.device import best_precision
from fer_core.ui.components import access
from fer_core.ui.training.actions import _archive
from tests.drawn_faces import demo_set

APP = Path(__file__).parents[2] / "app.py"
PAGE = str(APP.parent / "pages" / "train.py")
HISTORY = (
    "epoch,accuracy,images_per_s,learning_rate,loss,seconds,val_accuracy,val_loss\n"
    "0,0.3,900,1e-4,1.8,10,0.4,1.7\n1,0.5,900,1e-4,1.4,12.5,0.6,1.5\n2,0.6,900,1e-4,1.2,12.5,0.5,1.6\n"
)


@pytest.fixture(autouse=True)
def launched(tmp_path, monkeypatch):
    """A machine without runs, on which processes are only noted, not started."""
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    started = []
    for module in ("training.form", "training.actions"):
        monkeypatch.setattr(f"fer_core.ui.{module}.launch", lambda run: started.append(run.name))
    monkeypatch.setattr("fer_core.ui.training.actions.launch_finish", lambda run: started.append(f"finish {run.name}"))
    monkeypatch.setattr("fer_core.ui.training.form.start_measuring", lambda config: None)
    return started


@pytest.fixture
def faces_of_one_split(launched):
    """A stored data set of photographs that are all Training."""
    rng = np.random.default_rng(0)
    faces = FaceSet(
        rng.integers(0, 256, (14, 48, 48), np.uint8),
        np.arange(14) % 7,
        np.zeros(14, np.uint8),
        source=Provenance(name="train.csv"),
    )
    return write_store(faces, "train")


def make_run(name: str, state: str, **changes: object):
    run = find_run(name)
    run.create(dataclasses.replace(PRESETS["quick"], **changes))
    run.write_status(state, epoch=3, steps_per_epoch=25, message="The reason." if state == "failed" else "")
    run.history_file.write_text(HISTORY)
    cv2.imwrite(str(run.faces_file), np.zeros((48, 96), np.uint8))
    write_json(
        run.validation_file,
        {
            "epoch": 2,
            "confusion": np.eye(7, dtype=int).tolist(),
            "faces": {
                "labels": [0, 3],
                "probs": np.full((2, 7), 1 / 7).tolist(),
                "predicted": [[0, 1], [0, 2], [0, 3]],
            },
        },
    )
    return run


def page() -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not at.exception, at.exception
    return at


def page_within_app() -> AppTest:
    """The page with the app around it: what it links to must be there."""
    at = AppTest.from_file(APP, default_timeout=60).switch_page("pages/train.py").run()
    assert not at.exception, at.exception
    return at


def mark(at: AppTest, *names: str) -> None:
    """Mark runs in the table, which has exactly these rows."""
    key = f"runs_{zlib.crc32('/'.join(names).encode()):x}"
    at.session_state[key] = {"selection": {"rows": list(range(len(names))), "columns": [], "cells": []}}


def words(at: AppTest) -> str:
    return " ".join(
        str(element.value)
        for kind in ("markdown", "caption", "error", "warning", "info", "code", "html")
        for element in at.get(kind)
        if hasattr(element, "value")
    )


def test_a_fresh_machine_offers_the_quick_recipe_on_the_demo_set():
    at = page()
    assert at.selectbox(key="train_data").value == "demo"
    assert at.button(key="start").label == "Start training"
    assert "--preset quick" in at.code[0].value
    assert not at.dataframe


def test_one_press_starts_a_run(launched):
    at = page()
    at.button(key="start").click().run()
    assert not at.exception
    assert launched == ["small-cnn-1"]
    assert [run.name for run in list_runs()] == ["small-cnn-1"]
    assert list_runs()[0].config().data == "demo"


def test_a_name_that_is_taken_is_refused(launched):
    make_run("mine", "finished")
    at = page()
    at.text_input(key="train_name").input("mine").run()
    at.button(key="start").click().run()
    assert "already holds a run" in at.error[0].value
    assert launched == []


def test_choices_reach_the_command_line_and_impossible_ones_are_refused():
    at = page()
    at.number_input(key="quick_epochs").set_value(3).run()
    assert "--epochs 3" in at.code[0].value
    at.multiselect(key="quick_train_splits_Training-PublicTest-PrivateTest").set_value(["Training", "PublicTest"]).run()
    assert "trained on and validated on at once" in at.error[0].value


def test_a_saved_subset_can_be_trained_on(launched):
    faces = write_store(demo_set(140), "demo")
    rows = faces.rows_of("Training")[:30]
    change_selections("demo", faces.hash, len(faces), lambda it: it.save_rows("thirty", rows, datetime.now(UTC)))
    at = page()
    at.selectbox(key="train_subset_demo").set_value("thirty").run()
    assert "--subset thirty" in at.code[0].value
    at.button(key="start").click().run()
    assert not at.exception
    assert list_runs()[0].config().subset == "thirty"
    assert list_runs()[0].subset_file.exists()


@pytest.mark.parametrize(
    ("state", "button"), [("stopped", "resume"), ("failed", "resume"), ("running", "resume"), ("finished", "put_live")]
)
def test_a_run_at_rest_offers_its_next_step(state, button):
    make_run("mine", state)  # without a process, "running" is an interruption
    at = page()
    keys = [each.key for each in at.button]
    assert button in keys and "delete" in keys and "stop" not in keys
    assert len(at.dataframe) == 1
    told = " ".join(each.value for each in [*at.error, *at.warning])
    assert ("The reason." in told) == (state == "failed")
    assert ("interrupted" in told) == (state == "running")


def test_a_living_run_can_only_be_stopped():
    run = make_run("mine", "running")
    lock = take(run.lock_file)
    at = page()
    keys = [each.key for each in at.button]
    assert "stop" in keys and not {"resume", "delete", "put_live"} & set(keys)
    os.close(lock)


def test_resume_starts_the_process_again(launched):
    make_run("mine", "stopped")
    page().button(key="resume").click().run()
    assert launched == ["mine"]


def test_a_stopped_run_can_be_finished_where_it_stands(launched):
    run = make_run("mine", "stopped")
    assert "finish" not in [button.key for button in page().button], "it has no weights"
    run.weights_file.touch()
    page().button(key="finish").click().run()
    assert launched == ["finish mine"]
    run.write_status("finished")
    assert "finish" not in [button.key for button in page().button]


def test_each_epoch_of_a_run_can_be_looked_at():
    run = make_run("mine", "stopped")
    cv2.imwrite(str(run.faces_file), np.zeros((48, 96), np.uint8))
    for epoch, label in enumerate((1, 2, 3)):
        append_epoch(run.epochs_file, epoch, np.eye(7, dtype=np.int64) * (epoch + 1), np.eye(7)[[0, label]])
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.session_state["epochs_open"] = True
    at.run()
    assert not at.exception
    slider = at.slider(key="epoch_of_mine_3")
    assert (slider.min, slider.max, slider.value) == (1, 3, 3)
    slider.set_value(2).run()
    html = [element.value for element in at.get("html") if 'class="fer-watched"' in element.value][-1]
    assert not at.exception and f"{LABELS[2]} 100 %" in html and f"{LABELS[3]} 100 %" not in html


def test_a_run_of_an_earlier_version_has_no_slider():
    make_run("mine", "stopped")
    assert not page().slider


def test_a_learning_rate_that_was_found_goes_into_the_form(monkeypatch):
    rates = tuple(float(f"{rate:.3g}") for rate in np.logspace(-6, 0, 61))
    sweep = RateSweep(rates, tuple(1 + (np.log10(rate) + 2) ** 2 for rate in rates))  # lowest at 0.01
    request = Request("", {"config": PRESETS["quick"].to_dict()}, "find-learning-rate", "", "", "me", 0.0, 60.0)
    job = Job(Path("job"), request, "finished", Progress(), sweep.to_json())
    monkeypatch.setattr("fer_core.ui.training.rate_finder.own_job", lambda kind: job)
    at = page()
    assert "Suggested: **0.001**" in words(at)
    at.button(key="use_rate").click().run()
    assert not at.exception and at.number_input(key="quick_learning_rate").value == 1e-3
    assert "--learning-rate 0.001" in at.code[0].value
    assert at.button(key="use_rate").disabled


def test_the_finder_tries_what_the_form_would_train(monkeypatch):
    tasks = []
    monkeypatch.setattr("fer_core.ui.training.rate_finder.start_own_job", tasks.append)
    at = page()
    at.number_input(key="quick_batch_size").set_value(8).run()
    at.button(key="find_rate").click().run()
    assert RunConfig.from_dict(dict(tasks[0].config)).batch_size == 8


def test_a_run_that_was_never_started_can_be_started_and_deleted():
    find_run("mine").create(PRESETS["quick"])
    at = page()
    assert {"resume", "delete"} <= {each.key for each in at.button}
    assert "never started" in at.warning[0].value


def test_a_model_of_another_run_of_this_name_is_not_taken_for_its_own():
    run = make_run("mine", "finished")
    shutil.copytree(BUNDLED_ROOT / "seed-cnn", run.model_folder)
    write_json(
        run.export_file,
        {"difference": 2e-5, "faces": 256, "bytes": 1, "ms_per_face": 0.5, "weights_sha256": "of another file"},
    )
    put_live(BUNDLED_ROOT / DEFAULT_MODEL, "mine")
    assert "is the model of the live page" not in words(page())
    choose_model(put_live(run.model_folder, "mine"))
    at = page_within_app()
    assert "**mine-2** is the model of the live page" in words(at)
    assert [link.proto.page for link in at.get("page_link")] == [""]  # the live page is the app's first


def test_a_setting_that_names_another_model_is_told(monkeypatch):
    run = make_run("mine", "finished")
    shutil.copytree(BUNDLED_ROOT / "seed-cnn", run.model_folder)
    write_json(
        run.export_file,
        {"difference": 2e-5, "faces": 256, "bytes": 1, "ms_per_face": 0.5, "weights_sha256": "of another file"},
    )
    put_live(run.model_folder, "mine")
    monkeypatch.setenv("FER_MODEL", DEFAULT_MODEL)
    told = words(page())
    assert "FER_MODEL" in told and "is the model of the live page" not in told


def test_what_a_stopped_run_gives_away_has_its_curves():
    run = make_run("mine", "stopped")
    with zipfile.ZipFile(io.BytesIO(_archive(run))) as archive:
        assert "mine/curves.png" in archive.namelist()


def test_a_data_set_of_one_split_is_explained_and_not_an_exception(faces_of_one_split):
    at = page()
    assert "at least one split" in at.error[0].value and "Data set page" in at.error[0].value


def test_a_finished_run_is_put_live_and_the_previous_model_is_a_click_away():
    run = make_run("mine", "finished")
    shutil.copytree(BUNDLED_ROOT / DEFAULT_MODEL, run.model_folder)
    run.weights_file.write_bytes(b"weights")
    write_json(
        run.export_file,
        {
            "difference": 2e-5,
            "faces": 256,
            "bytes": 1,
            "ms_per_face": 0.5,
            "weights_sha256": sha256_of(run.weights_file),
        },
    )
    at = page_within_app()
    at.button(key="put_live").click().run()
    assert chosen_model() == "mine"
    assert "at most **0.002" in words(at)
    at.button(key="back").click().run()
    assert chosen_model() == DEFAULT_MODEL


def test_several_runs_are_compared_where_they_differ():
    make_run("one", "finished")
    make_run("two", "stopped", epochs=20)
    at = page()
    mark(at, "two", "one")
    at.run()
    assert not at.exception
    table = at.dataframe[1].value
    assert list(table.index) == ["epochs"]
    assert set(table.loc["epochs"]) == {str(PRESETS["quick"].epochs), "20"}


def test_a_run_with_a_broken_configuration_does_not_take_the_page_down():
    make_run("good", "finished")
    find_run("bad").path.mkdir(parents=True)
    find_run("bad").config_file.write_text(json.dumps({"architecture": "gone"}))
    at = page()
    assert "bad" in at.warning[0].value and "gone" in at.warning[0].value
    assert len(at.dataframe[0].value) == 1


@pytest.mark.parametrize("file", ["config.json", "history.csv"])
def test_a_broken_run_is_listed_with_what_is_wrong_and_can_be_deleted(file):
    make_run("good", "finished")
    (make_run("bad", "finished").path / file).write_bytes(b"{\n\xff\n")
    at = page()
    assert "The run bad cannot be read" in at.warning[0].value and file in at.warning[0].value
    assert at.dataframe[0].value["Run"].tolist() == ["good"]
    at.button(key="delete_broken_bad").click().run()
    assert "**bad** with its weights" in words(at) and at.button(key="delete_sure")
    delete_run(find_run("bad"))
    at.run()
    assert not at.warning and not at.exception


@pytest.mark.parametrize(
    "file", ["status.json", "validation.json", "export.json", "progress.csv", "card.json", "faces.png"]
)
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_damaged_record_is_said_on_the_page_of_its_run(file, content):
    make_run("good", "finished")
    (make_run("bad", "stopped").path / file).write_bytes(content)
    at = page()
    assert at.dataframe[0].value["Run"].tolist() == ["bad", "good"]
    if file.endswith(".json") and file != "card.json":
        assert f"{file} cannot be read" in words(at)
    assert {"resume", "delete"} <= {button.key for button in at.button}


def test_a_finished_run_that_says_one_thing_is_not_shown_as_a_success():
    run = make_run("mine", "finished")
    confusion = [[0] * 7 for _ in range(7)]
    for row, count in enumerate((10, 2, 12, 24, 16, 14, 22)):
        confusion[row][3] = count
    write_json(run.validation_file, {**read_json(run.validation_file), "confusion": confusion})
    at = page()
    assert "finished, 24 %, always happy: learning rate too high?" in words(at)
    assert at.dataframe[0].value["State"].tolist() == ["finished, 60 %, always happy: learning rate too high?"]
    assert at.button(key="put_live").label == "Put live anyway"
    assert "predicts happy for every face" in words(at)


def test_the_page_stays_at_a_run_that_stops():
    old = make_run("old", "running")
    make_run("newer", "finished")
    lock = take(old.lock_file)
    at = page()
    assert "<b>old</b>" in words(at)
    os.close(lock)
    old.write_status("stopped")
    assert "<b>old</b>" in words(at.run())


def test_runs_are_searched_by_their_settings_and_notes():
    make_run("one", "finished")
    make_run("two", "stopped", optimizer="adamw").write_note("a note about it")
    at = page()
    at.text_input(key="runs_search").set_value("note optimizer=adamw").run()
    assert at.dataframe[0].value["Run"].tolist() == ["two"]
    at.text_input(key="runs_search").set_value("nonesuch").run()
    assert "No run matches." in words(at) and not at.dataframe


def test_a_note_is_written_from_the_page():
    run = make_run("mine", "stopped")
    at = page()
    at.text_input(key="note_mine").set_value("Try a lower learning rate.").run()
    assert run.note() == "Try a lower learning rate."
    assert at.dataframe[0].value["Note"].tolist() == ["Try a lower learning rate."]


def test_runs_that_differ_in_their_seed_are_compared_as_a_group():
    for name, seed in (("one", 1), ("two", 2), ("three", 3)):
        make_run(name, "finished", seed=seed)
    at = page()
    mark(at, "three", "two", "one")
    at.run()
    assert not at.exception and at.toggle(key="compare_seeds").value
    assert "mean of 3 seeds" in str(at.get("plotly_chart")[-1].proto)
    at.toggle(key="compare_seeds").set_value(False).run()
    assert "mean of 3 seeds" not in str(at.get("plotly_chart")[-1].proto)


def test_a_wrong_teacher_leaves_no_run(launched, monkeypatch):
    def refuse(config):
        raise RunError("The teacher knows the faces.")

    monkeypatch.setattr("fer_core.ui.training.form.check_prerequisites", refuse)
    at = page()
    at.button(key="start").click().run()
    assert "The teacher knows the faces." in at.error[0].value
    assert not launched and not list_runs()


def test_the_name_of_a_bundled_model_is_refused(launched):
    at = page()
    at.text_input(key="train_name").input("compact").run()
    at.button(key="start").click().run()
    assert "comes with the package" in at.error[0].value and not launched


def test_the_steps_of_numbers_that_begin_at_0_are_sensible():
    at = page()
    assert at.number_input(key="quick_mixup").step == 0.1
    assert at.number_input(key="quick_weight_decay").step == 0.01
    assert at.number_input(key="quick_label_smoothing").step == 0.05


def test_the_server_does_not_load_keras():
    make_run("mine", "finished")
    script = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        "at = AppTest.from_file('pages/train.py', default_timeout=60).run(); "
        "assert not at.exception and at.button(key='put_live'), at.exception; "
        "sys.exit(bool({'keras', 'tensorflow', 'jax'} & set(sys.modules)))"
    )
    # With a result in place nothing is measured, so nothing is started.
    write_json(
        throughput._file(dataclasses.replace(PRESETS["quick"], precision=best_precision())),
        {"epoch_s": 1.0, "images_per_s": 1.0},
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_a_conversion_that_failed_says_why_and_gives_the_buttons_back():
    run = make_run("mine", "finished")
    run.weights_file.write_bytes(b"weights")
    run.card_file.unlink(missing_ok=True)
    at = page()
    at.button(key="put_live").click().run()
    running_job(export_key(run)).wait(120)
    assert "has no card yet" in " ".join(each.value for each in at.run().error)
    assert not at.button(key="put_live").disabled
    assert not page().error, "others are not told"


def test_a_full_disk_does_not_take_the_page_down(monkeypatch):
    def full(config):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_core.ui.training.form.start_measuring", full)
    make_run("mine", "failed")
    at = page()
    assert "cannot be measured" in words(at) and "The reason." in words(at)


def test_a_name_that_would_lead_elsewhere_is_refused(launched, tmp_path):
    at = page()
    at.text_input(key="train_name").set_value(str(tmp_path / "elsewhere"))
    at.button(key="start").click().run()
    assert "has no slash" in at.error[0].value
    assert not launched and not (tmp_path / "elsewhere").exists()


def test_open_to_a_network_runs_are_shown_and_nobody_starts_or_changes_them(monkeypatch):
    monkeypatch.setattr(access, "is_open_to_network", lambda: True)
    make_run("one", "stopped")
    at = page()
    assert "Training, and deciding about runs, is off" in at.info[0].value
    assert not {"start", "resume", "finish", "delete"} & {button.key for button in at.button}
    assert at.get("download_button") and "one" in words(at)
