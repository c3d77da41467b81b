"""The panels that bring models in and out, through the jobs that they start."""

import dataclasses

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.background.jobs import OUTCOME_FILE, REQUEST_FILE, Request, list_jobs
from fer_core.background.task import Task
from fer_core.data.store import write_store
from fer_core.emotions import CSV_LABELS
from fer_core.files import write_json
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.models.importing.description import DESCRIPTION_NEEDED
from fer_core.models.model_store import add_model, available_models
from fer_core.models.weights import load_network
from fer_core.training.model_jobs import ExportModel, ImportModel
from fer_core.ui.evaluate import model_export
from fer_core.ui.evaluate.model_import import _on_this_page

WAIT_S = 300
ZIP = b"PK\x03\x04 broken"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    yield tmp_path
    for job in list_jobs():
        job.cancel()


def run(panel: str, address: str, data: str = "") -> AppTest:
    def page(panel, data):
        from fer_core.models.bundle import DEFAULT_MODEL
        from fer_core.ui.components.jobs import keep_owner
        from fer_core.ui.evaluate.model_export import export_panel
        from fer_core.ui.evaluate.model_import import import_panel

        keep_owner()
        if panel == "import":
            import_panel()
        else:
            export_panel(DEFAULT_MODEL, data)
            export_panel("compact", data)

    at = AppTest.from_function(page, default_timeout=60, args=(panel, data))
    if address:
        at.query_params["tab"] = address
    at.run()
    assert not at.exception, at.exception
    return at


def import_page(address: str = "") -> AppTest:
    return run("import", address)


def export_page(address: str = "", data: str = "") -> AppTest:
    return run("export", address, data)


@pytest.fixture
def started(monkeypatch):
    """The tasks that were started; none of them runs."""
    tasks: list[Task] = []

    def start(task, uploads=None):
        tasks.append(task)

    for name in ("model_import", "model_export"):
        monkeypatch.setattr(f"fer_core.ui.evaluate.{name}.start_own_job", start)
    return tasks


def test_without_a_file_nothing_can_be_imported():
    assert import_page().button(key="import_start").disabled


def test_a_file_is_imported_and_its_figures_are_said(tmp_path):
    path = tmp_path / "theirs.keras"
    load_network(BUNDLED_ROOT / "compact").save(path)
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", path.read_bytes()).run()
    at.button(key="import_start").click().run()
    job = list_jobs()[0].wait(WAIT_S)
    text = at.run().success[0].value
    assert "Imported as **theirs**:" in text and "percentage points" in text
    assert "theirs" in available_models()
    assert list(job.outputs.iterdir()) == []
    assert not import_page().success


def test_a_failed_import_is_told_to_who_started_it():
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", ZIP).run()
    at.button(key="import_start").click().run()
    list_jobs()[0].wait(WAIT_S)
    assert "cannot be unpacked" in at.run().error[0].value
    assert not import_page().error
    # Whoever started it can mend it without bringing the file again.
    assert not at.button(key="import_start").disabled


def test_a_file_of_another_kind_is_refused_before_a_process_starts(started):
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", b"just some text").run()
    at.button(key="import_start").click().run()
    assert "neither a .keras file nor HDF5" in at.error[0].value
    assert not started


def test_an_error_speaks_of_the_page_and_not_of_the_command_line():
    assert _on_this_page(f"It is foreign. {DESCRIPTION_NEEDED}") == (
        "It is foreign. A foreign network needs a description of its labels, input size and scale: its file does not "
        "say what its scores mean. Choose “Another network” below; the file is still there."
    )
    assert "“Weights of a run”" in _on_this_page("Name it (on the command line --architecture); it fits: compact.")
    assert _on_this_page("It is damaged.") == "It is damaged."


def test_another_network_must_be_described_whole(started):
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", ZIP).run()
    at.segmented_control(key="import_kind").set_value("other").run()
    at.selectbox(key="import_order").select("csv").run()
    at.number_input(key="import_size").set_value(64).run()
    assert at.button(key="import_start").disabled
    at.selectbox(key="import_scale").select("-1..1").run()
    at.button(key="import_start").click().run()
    assert started == [ImportModel("theirs.keras", labels=CSV_LABELS, input_size=64, scale="-1..1", resize="bilinear")]


def test_labels_that_are_none_are_named(started):
    at = import_page()
    at.segmented_control(key="import_kind").set_value("other").run()
    at.selectbox(key="import_order").select("own").run()
    at.text_input(key="import_labels").input("angry, bored")
    at.number_input(key="import_size").set_value(64)
    at.selectbox(key="import_scale").select("0..1").run()
    assert "'bored'" in at.error[0].value


def test_a_taken_name_is_refused_before_anything_starts(started):
    at = import_page()
    at.file_uploader(key="import_file").upload("theirs.keras", ZIP).run()
    at.text_input(key="import_name").input(DEFAULT_MODEL).run()
    at.button(key="import_start").click().run()
    assert "There is a model named" in at.error[0].value
    assert not started


def test_a_form_is_made_on_request_and_its_figures_stand_beside_the_download(home, drawn):
    write_store(drawn, "photographs")
    export_page(data="photographs").button(key=f"make_onnx-int8_{DEFAULT_MODEL}").click().run()
    job = list_jobs()[0].wait(WAIT_S)
    assert job.state == "finished", job.error or job.log_file.read_text()
    at = export_page(data="photographs")
    text = " ".join(element.value for element in at.markdown)
    assert "ms a face here · scores differ from those of" in text and "points on 128 faces; calibrated" in text
    assert at.get("download_button")
    assert [path.name for path in job.outputs.iterdir()] == [f"{DEFAULT_MODEL}-onnx-int8.zip"]


def test_integers_need_photographs_and_get_their_ranges_from_the_chosen_data_set(home, started):
    key = f"make_onnx-int8_{DEFAULT_MODEL}"
    assert export_page().button(key=key).disabled
    export_page(data="photographs").button(key=key).click().run()
    assert [(task.form, task.data) for task in started] == [("onnx-int8", "photographs")]


def test_an_export_lets_go_of_those_of_the_model_it_replaced(home, started):
    before, other = (ended_export(home / "jobs" / form, form, "replaced") for form in ("litert", "keras"))
    at = export_page()
    at.button(key=f"make_litert_{DEFAULT_MODEL}").click().run()
    assert [(task.name, task.form) for task in started] == [(DEFAULT_MODEL, "litert")]
    assert not before.exists() and other.exists()


def ended_export(folder, form: str, sha256: str):
    """Write what a finished job leaves that exported the model."""
    task = ExportModel(DEFAULT_MODEL, str(BUNDLED_ROOT / DEFAULT_MODEL), form, sha256)
    request = Request("x:X", {}, task.kind, task.key, task.title, "me", 0.0, 60.0)
    write_json(folder / REQUEST_FILE, dataclasses.asdict(request))
    write_json(folder / OUTCOME_FILE, {"state": "finished"})
    return folder


def test_a_model_of_a_run_is_exported_from_the_run(home):
    run = home / "runs" / "mine"
    (run / "model").mkdir(parents=True)
    for name in ("model.tflite", "card.json"):
        (run / "model" / name).write_bytes((BUNDLED_ROOT / DEFAULT_MODEL / name).read_bytes())
    add_model(run / "model", "mine")
    assert model_export._source("mine") == run.resolve()
    assert model_export._source(DEFAULT_MODEL) == (BUNDLED_ROOT / DEFAULT_MODEL).resolve()
