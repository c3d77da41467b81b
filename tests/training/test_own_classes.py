"""Three classes of the user's own, from folders to a trained run, its figures, the live page's line and a report."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.annotate import AnnotateOptions, annotate
from fer_core.audit.corrections import Corrections
from fer_core.audit.hold_out import open_split_faces
from fer_core.data.face_set import FaceSet
from fer_core.emotions import LABELS, class_colors
from fer_core.errors import ModelError, RunError
from fer_core.evaluation.assessment import assess
from fer_core.evaluation.card_figures import with_figures
from fer_core.evaluation.metrics import measure
from fer_core.evaluation.report import ReportedModel, build_report, html_report, report_to_json
from fer_core.evaluation.scoring import score_split
from fer_core.evaluation.serialization import card_results
from fer_core.evaluation.text import lines_of
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL, load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.model_store import chosen_model, folder_of
from fer_core.models.registry import build
from fer_core.recognizer import EmotionRecognizer
from fer_core.training.config import RunConfig
from fer_core.training.export import checked_faces, export_run
from fer_core.training.loop import trainer
from fer_core.training.loop.distillation import check_teachers, find_teacher
from fer_core.training.loop.heads import set_initial_weights
from fer_core.training.put_live import put_run_live
from fer_core.training.run.alerts import weakness
from fer_core.training.run.folder import RunFolder
from fer_core.types import Detections
from tests.drawn_faces import demo_set
from tests.own_classes import OWN, own_faces, own_tree

pytestmark = pytest.mark.usefixtures("home")


class OneFace:
    """A detector that finds the same face in every picture."""

    def detect(self, gray: np.ndarray, *_: object, **__: object) -> Detections:
        return Detections(np.array([[60, 60, 420, 420]], np.float32), np.ones(1, np.float32))


@pytest.fixture(scope="module")
def own_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, FaceSet]:
    """A run of one epoch on a folder of three classes without splits, converted for the app."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        faces = open_split_faces(str(own_tree(folder / "mine", 20)))
        config = RunConfig(
            data="mine", architecture="small-cnn", epochs=1, batch_size=16, validation_splits=("Validation",)
        )
        run = RunFolder(folder / "home" / "runs" / "own")
        run.create(config)
        trainer.train(lambda _: faces, run)
        export_run(run, "litert", run.model_folder, checked_faces(faces, run), trainable=True)
    return run, faces


def test_a_run_on_own_classes_names_them_in_its_card_and_record(own_run: tuple[RunFolder, FaceSet]) -> None:
    run, faces = own_run
    card, record = ModelCard.load(run.card_file), run.validation()
    assert card.labels == record.class_names == run.class_names() == OWN
    assert np.shape(record.confusion) == (3, 3)
    assert set(card.measured) == {"Validation", "Test"}
    figures = card_results(card)["Test"].labels.one_view
    assert tuple(figures.by_label) == OWN and figures.images == len(faces.rows_of("Test"))
    reason = weakness(record)
    assert not reason.startswith("always") or reason.removeprefix("always ") in OWN


def test_its_model_is_evaluated_under_its_names(own_run: tuple[RunFolder, FaceSet]) -> None:
    run, faces = own_run
    bundle = load_bundle(run.model_folder)
    scores = {split: score_split(bundle, faces, split) for split in ("Validation", "Test")}
    result = assess(bundle, faces, scores)
    metrics = result.splits["Test"].labels.one_view
    labels = faces.labels[faces.rows_of("Test")]
    assert metrics == measure(scores["Test"].probs, labels, OWN)
    assert metrics.accuracy == pytest.approx(np.mean(scores["Test"].probs.argmax(axis=1) == labels))
    assert result.splits["Test"].people is None and any("Test" in line for line in lines_of(result))
    assert "it does worst on" in with_figures(bundle.card, result).limits[0]
    report = build_report(faces, "mine", "Test", [ReportedModel("own", bundle, scores, result, {})], datetime.now(UTC))
    page, content = html_report(report), report_to_json(report)
    assert "yawning" in page and "By class" in page and "Published on FER-2013" not in page and "angry" not in page
    assert content["data"]["classes"] == list(OWN) and content["published"] == []


def test_its_model_goes_live_and_names_faces_and_colours(own_run: tuple[RunFolder, FaceSet]) -> None:
    run, faces = own_run
    put_run_live(run)
    assert chosen_model() == "own"
    recognizer = EmotionRecognizer(folder_of("own"), detector=OneFace())
    scene = np.zeros((480, 480, 3), np.uint8)
    scene[60:420, 60:420] = cv2.resize(faces.images[0], (360, 360))[..., None]
    result = recognizer.analyze(scene)
    assert result.prediction.labels == OWN and result.prediction.top[0] in OWN
    drawn = annotate(scene, result, AnnotateOptions(threshold=0.0)).astype(int)
    color = bytes.fromhex(class_colors(OWN)[result.prediction.top[0]].removeprefix("#"))[::-1]
    assert np.abs(drawn - np.frombuffer(color, np.uint8)).max(axis=2).min() <= 3


def test_a_model_and_a_data_set_of_other_classes_are_refused_by_name(own_run: tuple[RunFolder, FaceSet]) -> None:
    run, faces = own_run
    with pytest.raises(ModelError, match=r"scores the classes angry, .*; the data set has calm, laughing, yawning"):
        score_split(load_bundle(BUNDLED_ROOT / DEFAULT_MODEL), faces, "Test")
    with pytest.raises(ModelError, match=r"scores the classes calm, laughing, yawning; the data set has angry"):
        score_split(load_bundle(run.model_folder), demo_set(70), "PublicTest")


def test_a_teacher_of_other_classes_is_refused(own_run: tuple[RunFolder, FaceSet]) -> None:
    run, _ = own_run
    config = RunConfig(teachers=("compact",), validation_splits=("Test",))
    for check in (check_teachers, find_teacher):
        with pytest.raises(RunError, match="The teacher compact knows angry, .* has the classes calm, laughing"):
            check(config, OWN)
    check_teachers(dataclasses.replace(config, teachers=(str(run.model_folder),)), OWN)


def test_initial_weights_of_other_classes_leave_the_scores_layer_as_it_is() -> None:
    seven, three = build("small-cnn"), build("small-cnn", classes=3)
    before = three.get_layer("scores").get_weights()
    set_initial_weights(three, ("fer",), seven, ("fer",), same_classes=False)
    np.testing.assert_array_equal(
        three.get_layer("conv1_1").get_weights()[0], seven.get_layer("conv1_1").get_weights()[0]
    )
    for one, other in zip(three.get_layer("scores").get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert three.output_shape == (None, 3)


def test_a_run_on_own_classes_starts_from_a_model_of_the_seven(own_run: tuple[RunFolder, FaceSet], new_run) -> None:
    _, faces = own_run
    run = new_run(
        RunConfig(architecture="compact", start_from="compact", epochs=1, batch_size=64, data="mine"),
        validation_splits=("Validation",),
    )
    model, batches, _ = trainer.prepare(faces, run.config())
    trainer._begin(model, run, run.config(), batches.images, faces.class_names)
    assert model.output_shape == (None, 3) and run.initial_weights()["epochs"] > 0


def test_corrections_know_the_own_classes() -> None:
    faces = own_faces(10)
    corrections = Corrections(faces.hash, len(faces), class_names=OWN).relabel([0], "yawning", "", datetime.now(UTC))
    _, labels = corrections.apply(faces.labels)
    assert labels[0] == 2 and labels[1] == 0
    with pytest.raises(Exception, match="Expected one of calm, laughing, yawning"):
        corrections.relabel([1], "happy", "", datetime.now(UTC))
    with pytest.raises(Exception, match="Expected one of angry"):
        Corrections(faces.hash, len(faces)).relabel([0], "yawning", "", datetime.now(UTC))


def test_two_classes_can_be_measured() -> None:
    probs = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    metrics = measure(probs, np.array([0, 0, 1]), ("no", "yes"))
    assert metrics.accuracy == pytest.approx(2 / 3) and metrics.top2 == 1.0 and tuple(metrics.by_label) == ("no", "yes")
    assert metrics.confusion == ((1, 1), (0, 1)) and set(metrics.by_label).isdisjoint(LABELS)


def test_prepare_writes_own_classes_with_held_out_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fer_core.cli import run_command
    from fer_core.data.sources import read_source

    own_tree(tmp_path / "mine", 10)
    run_command(["prepare", str(tmp_path / "mine"), "--out", str(tmp_path / "out"), "--hold-out", "0.2", "--seed", "3"])
    assert "Classes: calm, laughing, yawning. Images: " in capsys.readouterr().out
    read = read_source(tmp_path / "out")
    assert read.class_names == OWN and read.splits == ("Training", "Test", "Validation") and len(read) == 30
