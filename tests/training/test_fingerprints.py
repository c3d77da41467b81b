"""What a model was trained on is known by content, whatever it was turned into since."""

import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import SPLITS
from fer_core.data.fingerprint import (
    FER2013_HASH,
    FINGERPRINT_FILE,
    content_fingerprint,
    fer2013_fingerprints,
    load_fingerprint,
)
from fer_core.emotions import LABELS
from fer_core.models.bundle import load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.model_store import folder_of
from fer_core.trained_on import trained_on, training_fingerprint
from fer_core.training.export import export_model, export_run
from fer_core.training.loop.fingerprints import with_fingerprint
from fer_core.training.put_live import put_run_live
from fer_core.training.run.store import find_run

pytestmark = pytest.mark.usefixtures("home", "eager")


@pytest.fixture
def finished(config, train):
    run = find_run("first")
    run.create(dataclasses.replace(config, epochs=1))
    train(run)
    return run


def test_a_run_writes_the_images_that_it_learned_from(finished, faces):
    known = training_fingerprint(ModelCard.load(finished.card_file))
    np.testing.assert_array_equal(known, content_fingerprint(faces.images[faces.rows_of("Training")]))
    moved = dataclasses.replace(faces, split=np.full(len(faces), SPLITS.index("Test"), np.uint8))
    np.testing.assert_array_equal(trained_on(ModelCard.load(finished.card_file), moved), faces.split == 0)


def test_it_survives_conversion_and_putting_live(finished, faces, tmp_path):
    known = load_fingerprint(finished.path)
    for form in ("litert", "onnx", "keras"):
        export_run(finished, form, tmp_path / form, faces.images)
        np.testing.assert_array_equal(training_fingerprint(ModelCard.load(tmp_path / form / "card.json")), known)
    export_run(finished, "litert", finished.model_folder, faces.images, trainable=True)
    live = folder_of(put_run_live(finished))
    np.testing.assert_array_equal(training_fingerprint(load_bundle(live).card), known)
    for form in ("litert", "keras"):
        export_model(live, form, tmp_path / f"live-{form}", faces.images)
        card = ModelCard.load(tmp_path / f"live-{form}" / "card.json")
        np.testing.assert_array_equal(training_fingerprint(card), known)


@pytest.mark.parametrize("start", ["run", "model"])
def test_a_run_that_starts_from_another_knows_the_images_of_both(finished, faces, config, new_run, start):
    from fer_core.training.loop import trainer

    name = str(finished.path)
    if start == "model":
        export_run(finished, "litert", finished.model_folder, faces.images, trainable=True)
        name = put_run_live(finished)
    others = dataclasses.replace(faces, images=255 - faces.images)
    run = new_run(config, "second", epochs=1, start_from=name)
    trainer.train(lambda config: others, run)
    first, second = (content_fingerprint(images[:42]) for images in (faces.images, others.images))
    known = training_fingerprint(ModelCard.load(run.card_file))
    np.testing.assert_array_equal(known, np.union1d(first, second))


def test_nothing_is_claimed_where_the_start_does_not_say_what_it_learned_from(finished, config, new_run, train):
    finished.fingerprint_file.unlink()
    card = ModelCard.load(finished.card_file)
    dataclasses.replace(card, files={}).save(finished.card_file)
    run = new_run(config, "second", epochs=1, start_from=str(finished.path))
    train(run)
    assert not run.fingerprint_file.exists()
    assert FINGERPRINT_FILE not in ModelCard.load(run.card_file).files


def test_a_card_of_fer2013_itself_needs_no_file(new_run, config):
    run = new_run(config)
    np.save(run.fingerprint_file, fer2013_fingerprints()["Training"][:100])
    training = {"train_splits": ["Training"]}
    card = ModelCard("m", "a", 1, LABELS, data={"sha256": FER2013_HASH}, training=training)
    assert with_fingerprint(card, run).files == {}
    np.save(run.fingerprint_file, np.append(fer2013_fingerprints()["Training"][:100], np.uint64(7)))
    assert list(with_fingerprint(card, run).files) == [FINGERPRINT_FILE]
