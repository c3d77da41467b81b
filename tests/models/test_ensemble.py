"""Several networks as one: its scores against the mean of theirs, and what it can be asked."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from fer_core.cli import main
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.explain.gradcam import GradCam
from fer_core.explain.occlusion import occlusion
from fer_core.files import sha256_of
from fer_core.models.bundle import load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.convert import MAX_DIFFERENCE
from fer_core.models.ensemble import Member, Term, mean_scores, save_ensemble
from fer_core.models.registry import build
from fer_core.models.weights import load_network
from fer_core.recognizer import EmotionRecognizer
from tests.drawn_faces import demo_set
from tests.models.keras_files import with_expressive_heads

DATA = {"name": "drawn", "sha256": "ab"}


def member(folder, architecture: str, label_sets: tuple[str, ...], seed: int, **fields):
    """Write the result of a finished run: a network whose scores differ from face to face."""
    keras.utils.set_random_seed(seed)
    network = with_expressive_heads(build(architecture, label_sets=label_sets))
    folder.mkdir()
    network.save_weights(folder / "best.weights.h5")
    card = ModelCard(
        folder.name,
        architecture,
        network.count_params(),
        LABELS,
        data=DATA,
        training={"train_splits": ["Training"], "validation_splits": ["PublicTest"]},
        label_sets=label_sets,
    )
    files = {"best.weights.h5": sha256_of(folder / "best.weights.h5")}
    dataclasses.replace(card, files=files, **fields).save(folder / "card.json")
    return folder


@pytest.fixture(scope="module")
def images():
    return demo_set(70).images[:16]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("members")
    return [
        member(root / "first", "small-cnn", ("people", "fer", "votes"), 1),
        member(root / "second", "seed-cnn", ("people", "votes", "fer"), 2),
        member(root / "third", "small-cnn", ("people", "fer"), 3),
    ]


def members_of(folders):
    return [Member(load_network(folder), ModelCard.load(folder / "card.json")) for folder in folders]


def mean_of(label_set: str, *weights: float) -> list[Term]:
    return [Term(number, label_set, weight) for number, weight in enumerate(weights)]


EQUAL = {name: mean_of(name, 0.5, 0.5) for name in ("people", "fer", "votes")}
WEIGHTED = {name: mean_of(name, 0.75, 0.25) for name in ("people", "fer", "votes")}
# What people see from one network's labels and another's votes, the latter made more decided.
BOTH_TRUTHS = {
    "people": [Term(0, "fer", 0.25), Term(1, "votes", 0.75, temperature=0.5)],
    "fer": [Term(0, "fer", 1.0)],
    "votes": [Term(1, "votes", 1.0)],
}


@pytest.mark.parametrize(
    ("count", "recipe", "mirror", "kernels", "expected_recipe"),
    [
        (2, None, False, "int8", EQUAL),
        (2, {name: mean_of(name, 3, 1) for name in EQUAL}, True, "float32", WEIGHTED),
        (3, {"people": mean_of("people", 1, 0, 1)}, False, "float16", {"people": mean_of("people", 0.5, 0, 0.5)}),
        (2, BOTH_TRUTHS, False, "int8", BOTH_TRUTHS),
    ],
    ids=["two, int8", "weighted, mirrored", "one label set of three", "labels of one, votes of another"],
)
def test_it_scores_as_the_mean_of_its_members(
    folders, images, tmp_path, count, recipe, mirror, kernels, expected_recipe
):
    folders = folders[:count]
    saved = save_ensemble(folders, tmp_path, images, "both", recipe, mirror, kernels)
    expected = mean_scores(members_of(folders), expected_recipe, mirror, images)
    classifier = LiteRTClassifier.from_bundle(load_bundle(tmp_path))
    scores = classifier.classify_all(images)
    assert tuple(scores) == saved.card.label_sets == tuple(expected_recipe)
    for name, array in scores.items():
        np.testing.assert_allclose(array.sum(axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(array, expected[name], atol=MAX_DIFFERENCE[kernels])
        assert array.std(axis=0).max() > 0.1
        # one face alone scores as in a batch: views of different faces are never mixed
        np.testing.assert_allclose(classifier.classify(images[3:4], name)[0], array[3], atol=1e-4)
    widths = [folder_features(folder) for folder in folders]
    assert classifier.embed(images).shape == (16, sum(widths))
    assert saved.difference <= MAX_DIFFERENCE[kernels] and saved.bytes == (tmp_path / "model.tflite").stat().st_size


@pytest.fixture(scope="module")
def both(folders, images, tmp_path_factory):
    """The folder of two networks as one, and what was said when it was saved. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("both")
    return folder, save_ensemble(folders[:2], folder, images, "both", {name: mean_of(name, 1, 3) for name in EQUAL})


@pytest.fixture(scope="module")
def mirrored(folders, images, tmp_path_factory):
    """The folder of one network that looks at a face and its mirror image. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("mirrored")
    save_ensemble(folders[:1], folder, images, mirror=True, kernels="float32")
    return folder


def folder_features(folder) -> int:
    return load_network(folder).get_layer("features").output.shape[-1]


def test_the_mean_over_mirror_images_is_the_same_for_a_face_and_its_mirror_image(mirrored, images):
    classifier = LiteRTClassifier.from_bundle(load_bundle(mirrored))
    others = np.ascontiguousarray(images[:, :, ::-1])
    np.testing.assert_allclose(classifier.classify(images), classifier.classify(others), atol=1e-5)
    np.testing.assert_allclose(classifier.embed(images), classifier.embed(others), rtol=1e-3, atol=1e-3)


def test_its_card_says_what_it_is_made_of_and_trained_on(both, folders):
    card = both[1].card
    assert (card.name, card.architecture, card.data) == ("both", "ensemble", DATA)
    assert card.parameters == sum(ModelCard.load(folder / "card.json").parameters for folder in folders[:2])
    assert card.training["train_splits"] == ["Training"]
    assert [made_of["name"] for made_of in card.training["members"]] == ["first", "second"]
    assert [term["weight"] for term in card.training["recipe"]["votes"]] == [0.25, 0.75]


def test_occlusion_explains_it_and_grad_cam_says_why_it_cannot(both, mirrored, images):
    for folder in (both[0], mirrored):
        bundle = load_bundle(folder)
        for label_set in bundle.card.label_sets:
            with pytest.raises(ModelError, match="mean of several networks.*Use occlusion"):
                GradCam(bundle.content, bundle.card.output_of(label_set))
    falls = occlusion(EmotionRecognizer(both[0]), images[0], "fer")
    assert falls.shape == (7, 48, 48) and np.abs(falls).max() > 0


def test_members_that_do_not_fit_together_are_refused(folders, images, tmp_path):
    votes = member(tmp_path / "votes", "small-cnn", ("votes",), 4)
    other_data = member(tmp_path / "other", "small-cnn", ("people",), 5, data={"sha256": "cd"})
    for folders_, match in (
        ([folders[2], votes], "common label set; got third: people, fer; votes: votes"),
        ([folders[0], other_data], "another data set"),
        ([], "got none"),
    ):
        with pytest.raises(ModelError, match=match):
            save_ensemble(folders_, tmp_path / "out", images)
    for terms, match in (
        (mean_of("fer", 1, 1, 1), "a member from 0 to 1"),
        (mean_of("fer", 0, 0), "not all 0"),
        (mean_of("fer", -1, 2), "weights of 0 or more"),
        ([Term(0, "fer", 1, temperature=0)], "temperatures above 0"),
        (mean_of("contempt", 1, 1), "no scores for the label set"),
    ):
        with pytest.raises(ModelError, match=match):
            save_ensemble(folders[:2], tmp_path / "out", images, recipe={"fer": terms})


def test_a_member_whose_weights_were_altered_is_refused(folders, images, tmp_path):
    damaged = member(tmp_path / "damaged", "small-cnn", ("people",), 6)
    (damaged / "best.weights.h5").write_bytes((folders[0] / "best.weights.h5").read_bytes())
    with pytest.raises(ModelError, match="cut short or altered"):
        save_ensemble([folders[0], damaged], tmp_path / "out", images)


def test_the_command_writes_it_and_says_what_was_measured(folders, images, tmp_path, capsys):
    np.save(tmp_path / "faces.npy", images)
    words = [*map(str, folders[:2]), "--out", str(tmp_path / "out"), "--faces", str(tmp_path / "faces.npy")]
    (tmp_path / "recipe.json").write_text(json.dumps({"people": [{"member": 1, "label_set": "fer", "weight": 2}]}))
    assert main(["ensemble", *words, "--name", "both", "--recipe", str(tmp_path / "recipe.json")]) == 0
    printed = capsys.readouterr().out
    assert "ms a face, label sets people;" in printed and "MB" in printed
    assert load_bundle(tmp_path / "out").card.name == "both"
