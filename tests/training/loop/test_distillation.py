"""Models and runs that teach."""

import dataclasses

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import ModelError, RunError
from fer_core.evaluation.scoring import classifier_of
from fer_core.models.bundle import bundled_models, load_bundle
from fer_core.models.model_store import folder_of
from fer_core.training.config import PRESETS
from fer_core.training.loop.distillation import find_teacher, teachers
from fer_core.training.loop.initialization import find_initial_weights
from fer_core.training.loop.trainer import data_hash_of
from fer_core.training.run.store import find_run
from tests.drawn_faces import demo_set

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def distilled(config):
    """A configuration whose teacher is a model that comes with the package."""
    return dataclasses.replace(config, teachers=("seed-cnn",), validation_splits=("PublicTest",))


def test_it_scores_a_face_and_its_mirror_image_alike(distilled):
    teacher, images = find_teacher(distilled), demo_set(70).images[:8]
    scores = teacher(images)["fer"]
    np.testing.assert_allclose(scores, teacher(images[:, :, ::-1])["fer"], atol=1e-6)
    one_view = classifier_of(load_bundle("seed-cnn")).classify
    np.testing.assert_allclose(scores, (one_view(images) + one_view(images[:, :, ::-1])) / 2, atol=1e-6)


def test_several_teach_by_their_mean(distilled):
    both = dataclasses.replace(distilled, teachers=("seed-cnn", "compact"))
    images = demo_set(70).images[:8]
    single = [find_teacher(dataclasses.replace(distilled, teachers=(name,)))(images)["fer"] for name in both.teachers]
    np.testing.assert_allclose(find_teacher(both)(images)["fer"], np.mean(single, axis=0), atol=1e-6)
    faces = demo_set(70)
    assert len({data_hash_of(faces, config) for config in (distilled, both)}) == 2


@pytest.mark.parametrize("names", [("seed-cnn", "seed-cnn"), ("",)])
def test_each_teacher_is_named_once(distilled, names):
    with pytest.raises(RunError, match="names of different teachers"):
        dataclasses.replace(distilled, teachers=names)


def test_a_run_teaches_once_it_has_a_model(config, distilled):
    run = find_run("first")
    run.create(config)
    assert teachers() == list(bundled_models())
    run.model_folder.mkdir()
    for file in folder_of("seed-cnn").iterdir():
        (run.model_folder / file.name).write_bytes(file.read_bytes())
    assert teachers() == [*bundled_models(), "first"]
    images = demo_set(70).images[:8]
    for name in ("first", str(run.path)):
        same = find_teacher(dataclasses.replace(distilled, teachers=(name,)))(images)
        np.testing.assert_array_equal(same["fer"], find_teacher(distilled)(images)["fer"])


def test_one_that_knows_the_faces_of_the_validation_is_refused(distilled):
    with pytest.raises(RunError, match="has trained on Training"):
        find_teacher(dataclasses.replace(distilled, train_splits=("PublicTest",), validation_splits=("Training",)))


def test_one_that_is_not_there_is_an_error_in_words(distilled):
    with pytest.raises(ModelError, match="nobody"):
        find_teacher(dataclasses.replace(distilled, teachers=("nobody",)))


@pytest.mark.parametrize("preset", ["compact-taught", "compact-both"])
def test_the_recipe_goes_on_from_what_comes_with_the_package(preset):
    assert find_teacher(PRESETS[preset])


def test_each_label_set_is_taught_by_the_teachers_that_answer_for_it(distilled):
    both = dataclasses.replace(distilled, label_set="both", teachers=("seed-cnn", "compact-ferplus"))
    images = demo_set(70).images[:8]
    scores = find_teacher(both)(images)
    assert set(scores) == {"fer", "votes"}
    np.testing.assert_array_equal(scores["fer"], find_teacher(distilled)(images)["fer"])


def test_a_run_with_one_label_set_is_taught_by_every_teacher(distilled):
    votes = dataclasses.replace(distilled, label_set="ferplus")
    images = demo_set(70).images[:8]
    np.testing.assert_array_equal(find_teacher(votes)(images)["votes"], find_teacher(distilled)(images)["fer"])


def test_validation_that_was_held_out_anew_is_known_to_it(distilled):
    known = dataclasses.replace(
        distilled, train_splits=("Training",), validation_splits=("Validation",), data="another"
    )
    with pytest.raises(RunError, match="what is Validation here"):
        find_teacher(known)
    with pytest.raises(RunError, match="what is Validation here"):
        find_initial_weights(dataclasses.replace(known, architecture="compact", start_from="compact"), LABELS)


def test_the_state_of_a_run_names_its_teacher(distilled):
    faces = demo_set(70)
    named = {
        teacher: data_hash_of(faces, dataclasses.replace(distilled, teachers=(teacher,)))
        for teacher in bundled_models()
    }
    assert len(set(named.values())) == len(named)
