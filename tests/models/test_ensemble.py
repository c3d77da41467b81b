"""Several networks as one: its scores against the mean of theirs, and what it can be asked."""

import dataclasses

import keras
import numpy as np
import pytest

from fer_core.data.demo import demo_set
from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.explain.gradcam import GradCam
from fer_core.explain.occlusion import occlusion
from fer_core.files import sha256_of
from fer_core.models.bundle import load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.convert import MAX_DIFFERENCE
from fer_core.models.ensemble import Member, main, mean_scores, save_ensemble
from fer_core.models.registry import build
from fer_core.models.weights import load_network
from fer_core.recognizer import EmotionRecognizer
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


HALVES, QUARTERS = [0.5, 0.5], [0.75, 0.25]
BY_LABEL_SET = {"people": [0.5, 0, 0.5], "fer": [0.25, 0.25, 0.5]}


@pytest.mark.parametrize(
    ("count", "weights", "mirror", "kernels", "shares"),
    [
        (2, None, False, "int8", {"people": HALVES, "fer": HALVES, "votes": HALVES}),
        (2, [3, 1], True, "float32", {"people": QUARTERS, "fer": QUARTERS, "votes": QUARTERS}),
        (3, {"people": [1, 0, 1], "fer": [1, 1, 2]}, False, "float16", BY_LABEL_SET),
    ],
    ids=["two, int8", "weighted, mirrored", "weights by label set"],
)
def test_it_scores_as_the_mean_of_its_members(folders, images, tmp_path, count, weights, mirror, kernels, shares):
    folders = folders[:count]
    saved = save_ensemble(folders, tmp_path, images, "both", weights, mirror, kernels)
    expected = mean_scores(members_of(folders), shares, mirror, images)
    classifier = LiteRTClassifier.from_bundle(load_bundle(tmp_path))
    scores = classifier.classify_all(images)
    assert tuple(scores) == saved.card.label_sets == tuple(shares)
    for name, array in scores.items():
        np.testing.assert_allclose(array.sum(axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(array, expected[name], atol=MAX_DIFFERENCE[kernels])
        assert array.std(axis=0).max() > 0.1
        # one face alone scores as in a batch: views of different faces are never mixed
        np.testing.assert_allclose(classifier.classify(images[3:4], name)[0], array[3], atol=1e-4)
    widths = [folder_features(folder) for folder in folders]
    assert classifier.embed(images).shape == (16, sum(widths))
    assert saved.difference <= MAX_DIFFERENCE[kernels] and saved.bytes == (tmp_path / "model.tflite").stat().st_size


def folder_features(folder) -> int:
    return load_network(folder).get_layer("features").output.shape[-1]


def test_the_mean_over_mirror_images_is_the_same_for_a_face_and_its_mirror_image(folders, images, tmp_path):
    save_ensemble(folders[:1], tmp_path, images, mirror=True, kernels="float32")
    classifier = LiteRTClassifier.from_bundle(load_bundle(tmp_path))
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    np.testing.assert_allclose(classifier.classify(images), classifier.classify(mirrored), atol=1e-5)
    np.testing.assert_allclose(classifier.embed(images), classifier.embed(mirrored), rtol=1e-3, atol=1e-3)


def test_its_card_says_what_it_is_made_of_and_trained_on(folders, images, tmp_path):
    card = save_ensemble(folders[:2], tmp_path, images, "both", [1, 3]).card
    assert (card.name, card.architecture, card.data) == ("both", "ensemble", DATA)
    assert card.parameters == sum(ModelCard.load(folder / "card.json").parameters for folder in folders[:2])
    assert card.training["train_splits"] == ["Training"]
    assert [made_of["name"] for made_of in card.training["members"]] == ["first", "second"]
    assert card.training["shares"]["votes"] == [0.25, 0.75]


def test_occlusion_explains_it_and_grad_cam_says_why_it_cannot(folders, images, tmp_path):
    for mirror in (False, True):
        save_ensemble(folders[:2], tmp_path, images, mirror=mirror)
        bundle = load_bundle(tmp_path)
        for label_set in bundle.card.label_sets:
            with pytest.raises(ModelError, match="mean of several networks.*Use occlusion"):
                GradCam(bundle.content, bundle.card.output_of(label_set))
    falls = occlusion(EmotionRecognizer(tmp_path), images[0], "fer")
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
    for weights in ([1], [0, 0], [-1, 2], {"fer": [1, 1]}):
        with pytest.raises(ModelError, match="weights"):
            save_ensemble(folders[:2], tmp_path / "out", images, weights=weights)


def test_a_member_whose_weights_were_altered_is_refused(folders, images, tmp_path):
    damaged = member(tmp_path / "damaged", "small-cnn", ("people",), 6)
    (damaged / "best.weights.h5").write_bytes((folders[0] / "best.weights.h5").read_bytes())
    with pytest.raises(ModelError, match="cut short or altered"):
        save_ensemble([folders[0], damaged], tmp_path / "out", images)


def test_the_command_writes_it_and_says_what_was_measured(folders, images, tmp_path, capsys):
    np.save(tmp_path / "faces.npy", images)
    words = [*map(str, folders[:2]), "--out", str(tmp_path / "out"), "--faces", str(tmp_path / "faces.npy")]
    main([*words, "--name", "both", "--weights", "2", "1"])
    printed = capsys.readouterr().out
    assert "ms a face, label sets people, fer, votes" in printed and "MB" in printed
    assert load_bundle(tmp_path / "out").card.name == "both"
