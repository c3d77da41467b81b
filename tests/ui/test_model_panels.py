"""The panels that bring models in and out; what they start is noted, not run."""

import os
import sys

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.errors import FerError
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.models.model_store import add_model
from fer_core.ui.components import jobs
from fer_core.ui.components.command_job import run_command
from fer_core.ui.evaluate import model_export, model_import

WAIT_S = 30
TOLD = {
    "name": "theirs",
    "architecture": "imported",
    "parameters": 58_423,
    "bytes": 140_000,
    "difference": 0.002,
    "labels": ["angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral"],
}
FIGURES = {"difference": 1e-6, "bytes": 9_400_000, "ms_per_face": 0.4, "faces": 256, "compared_with": "LiteRT"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    jobs._jobs().clear()
    return tmp_path


def import_page() -> AppTest:
    def page():
        from fer_core.ui.evaluate.model_import import import_panel

        import_panel()

    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception, at.exception
    return at


def export_page() -> AppTest:
    def page():
        from fer_core.models.bundle import DEFAULT_MODEL
        from fer_core.ui.evaluate.model_export import export_panel

        export_panel(DEFAULT_MODEL)

    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception, at.exception
    return at


def wait(key: str) -> None:
    jobs.find_job(key).join(WAIT_S)


@pytest.fixture
def ran(monkeypatch):
    """The arguments of the commands that were started; their outcome is `ran.outcome`."""

    class Ran(list):
        outcome: dict | FerError = TOLD

    ran = Ran()

    def run(arguments, report):
        ran.append(arguments)
        if isinstance(ran.outcome, FerError):
            raise ran.outcome
        return ran.outcome

    for module in (model_import, model_export):
        monkeypatch.setattr(module, "run_command", run)
    return ran


def test_without_a_file_nothing_can_be_imported():
    assert import_page().button(key="import_start").disabled


def test_a_file_is_imported_and_its_figures_are_said(ran):
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", b"content").run()
    at.button(key="import_start").click().run()
    wait(model_import.JOB)
    assert ran[0][0] == "import" and ran[0][1].endswith("theirs.keras")
    words = import_page().success[0].value
    assert "Imported as **theirs**: 0.06 M parameters" in words
    assert "angry, disgusted, fearful, happy, sad, surprised, neutral" in words
    assert "0.2 percentage points" in words


def test_a_failed_import_is_told_in_words(ran):
    ran.outcome = FerError("It has a Lambda layer.")
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", b"content").run()
    at.button(key="import_start").click().run()
    wait(model_import.JOB)
    assert "It has a Lambda layer." in import_page().error[0].value


def test_another_network_must_be_described_whole(ran):
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", b"content").run()
    at.segmented_control(key="import_kind").set_value("other").run()
    at.selectbox(key="import_order").select("csv").run()
    at.number_input(key="import_size").set_value(64).run()
    assert at.button(key="import_start").disabled
    at.selectbox(key="import_scale").select("-1..1").run()
    at.button(key="import_start").click().run()
    wait(model_import.JOB)
    assert ran[0][3:] == [
        "--labels",
        "angry,disgusted,fearful,happy,sad,surprised,neutral",
        "--input-size",
        "64",
        "--scale",
        "-1..1",
        "--resize",
        "bilinear",
    ]


def test_labels_that_are_none_are_named(ran):
    at = import_page()
    at.segmented_control(key="import_kind").set_value("other").run()
    at.selectbox(key="import_order").select("own").run()
    at.text_input(key="import_labels").input("angry, bored")
    at.number_input(key="import_size").set_value(64)
    at.selectbox(key="import_scale").select("0..1").run()
    assert "'bored'" in at.error[0].value


def test_a_taken_name_is_refused_before_anything_starts(ran):
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", b"content").run()
    at.text_input(key="import_name").input(DEFAULT_MODEL).run()
    at.button(key="import_start").click().run()
    assert "There is a model named" in at.error[0].value
    assert not ran


def test_a_form_is_made_on_request_and_its_figures_stand_beside_the_download(ran):
    ran.outcome = FIGURES
    at = export_page()
    [onnx] = [button for button in at.button if "onnx" in button.key]
    onnx.click().run()
    wait(onnx.key.removeprefix("make_"))
    at = export_page()
    assert ran[0][2:4] == ["--format", "onnx"]
    words = " ".join(each.value for each in at.markdown)
    assert "9.4 MB · 0.40 ms a face here · scores differ from those of LiteRT by at most 0.0001" in words


def test_an_export_lets_go_of_those_of_the_model_it_replaced(ran):
    ran.outcome = FIGURES
    for key in (before := f"export_onnx_{DEFAULT_MODEL}:replaced", other := f"export_litert_{DEFAULT_MODEL}:replaced"):
        jobs.start_job(key, "Writing", lambda report: "zip").join(WAIT_S)
    [onnx] = [button for button in export_page().button if "onnx" in button.key]
    onnx.click().run()
    wait(onnx.key.removeprefix("make_"))
    assert jobs.find_job(before) is None
    assert jobs.find_job(other) is not None


def test_a_model_of_a_run_is_exported_from_the_run(home):
    run = home / "runs" / "mine"
    (run / "model").mkdir(parents=True)
    for name in ("model.tflite", "card.json"):
        (run / "model" / name).write_bytes((BUNDLED_ROOT / DEFAULT_MODEL / name).read_bytes())
    add_model(run / "model", "mine")
    assert model_export._source("mine") == run.resolve()
    assert model_export._source(DEFAULT_MODEL) == (BUNDLED_ROOT / DEFAULT_MODEL).resolve()


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(FerError, match="nothing.keras is not a file"):
        run_command(["import", str(tmp_path / "nothing.keras"), "--json"], lambda done, total: None)


def test_a_stopped_command_leaves_no_process(tmp_path, monkeypatch):
    """What is run here sleeps; the report stops it at its first look."""
    started = []

    def start(arguments, log, **options):
        import subprocess

        log.touch()
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        return started[0]

    def stopped(done, total):
        raise jobs.JobStopped("stopped")

    monkeypatch.setattr("fer_core.ui.components.command_job.start_command", start)
    with pytest.raises(jobs.JobStopped):
        run_command(["import"], stopped)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)
