"""The long analyses as the pages run them: as jobs, whose results are found by anybody afterwards."""

import dataclasses

import numpy as np
import pytest

from fer_core.audit.analysis import (
    ComputeModelOutputs,
    FindNearDuplicates,
    all_findings,
    find_model_outputs,
    find_near_duplicates,
    near_stamp,
    outputs_name,
    outputs_stamp,
)
from fer_core.audit.first_look import first_look
from fer_core.audit.import_jobs import ImportDemo, ImportUpload
from fer_core.background.launch import start_job
from fer_core.data.face_set import Provenance
from fer_core.data.store import list_stores, open_store, write_store
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.recognizer import EmotionRecognizer
from tests.drawn_faces import demo_set

LIMIT_S = 120


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))


@pytest.fixture
def faces():
    """Photographs, as far as a model knows: 140 faces, of which row 1 is row 0 a little brighter, and 2 is 0."""
    drawn = demo_set(140, seed=1)
    images = drawn.images.copy()
    images[1] = np.clip(images[0].astype(int) + 3, 0, 255)
    images[2] = images[0]
    return write_store(dataclasses.replace(drawn, images=images, source=Provenance(name="small.csv")), "small")


def test_near_copies_are_found_by_a_job_and_kept(faces):
    assert near_stamp(faces.hash) is None and find_near_duplicates(faces.hash, len(faces)) is None
    job = start_job(FindNearDuplicates("small", faces.hash)).wait(LIMIT_S)
    assert job.state == "finished", job.error
    pairs = find_near_duplicates(faces.hash, len(faces))
    assert {(0, 1), (0, 2), (1, 2)} <= set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert job.result == {"pairs": len(pairs.first)}
    assert near_stamp(faces.hash) is not None
    findings = all_findings(first_look(faces).findings, pairs)
    assert findings.duplicate_groups.with_row(0).tolist()[:3] == [0, 1, 2]


def test_a_model_s_outputs_are_computed_by_a_job_and_judge_what_it_did_not_train_on(faces):
    recognizer = EmotionRecognizer(DEFAULT_MODEL)
    card = recognizer.card
    task = ComputeModelOutputs("small", faces.hash, str(BUNDLED_ROOT / DEFAULT_MODEL), card.name, outputs_name(card))
    job = start_job(task).wait(LIMIT_S)
    assert job.state == "finished", job.error
    assert outputs_stamp(faces.hash, outputs_name(card)) is not None
    outputs = find_model_outputs(faces.hash, outputs_name(card))
    np.testing.assert_allclose(outputs.probs[:8], recognizer.classify(np.array(faces.images[:8])), atol=1e-5)
    findings = all_findings(first_look(faces).findings, None, faces, card, outputs)
    assert findings.exact_duplicates.with_row(0).tolist() == [0, 2]


def test_a_model_that_was_replaced_in_between_is_not_asked(faces):
    task = ComputeModelOutputs("small", faces.hash, str(BUNDLED_ROOT / DEFAULT_MODEL), "mine", "model-of-another")
    assert "was replaced" in start_job(task).wait(LIMIT_S).error


def test_a_set_that_was_replaced_in_between_is_not_searched(faces):
    task = FindNearDuplicates("small", "0123")
    assert "was replaced" in start_job(task).wait(LIMIT_S).error


def test_a_full_cache_disk_is_an_error_and_not_a_lost_result(faces, tmp_path):
    folder = tmp_path / "audit"
    folder.write_text("a file where the folder would be")
    job = start_job(FindNearDuplicates("small", faces.hash)).wait(LIMIT_S)
    assert job.state == "failed" and "cannot be written" in job.error


def test_an_uploaded_table_becomes_a_store_that_was_looked_at(tmp_path):
    rows = [f"{k % 7},{' '.join(['9'] * 2304)},Training" for k in range(14)]
    table = tmp_path / "faces.csv"
    table.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    with table.open("rb") as file:
        job = start_job(ImportUpload("faces.csv"), uploads={"faces.csv": file})
    job = job.wait(LIMIT_S)
    assert job.result == {"store": "faces"}, job.error
    assert open_store("faces").source.name == "faces.csv"
    assert list((tmp_path / "audit").glob("*/first-look*"))
    assert [path.name for path in job.folder.iterdir() if path.is_dir()] == ["output"]


def test_a_broken_upload_fails_with_its_reason_and_leaves_no_store(tmp_path):
    (tmp_path / "faces.csv").write_text("emotion,pixels,Usage\n9,1 2 3,Training\n")
    with (tmp_path / "faces.csv").open("rb") as file:
        job = start_job(ImportUpload("faces.csv"), uploads={"faces.csv": file}).wait(LIMIT_S)
    assert job.state == "failed" and "expected an emotion from 0 to 6" in job.error
    assert not list_stores()


def test_the_demo_set_is_drawn_by_a_job():
    assert start_job(ImportDemo(70)).wait(LIMIT_S).result == {"store": "demo"}
    assert list_stores()[0].source.synthetic
