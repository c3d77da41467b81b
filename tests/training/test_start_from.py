"""Runs that begin with the weights of another."""

import dataclasses
import shutil

import numpy as np
import pytest

from fer_core.errors import ModelError, RunError
from fer_core.files import write_json
from fer_core.models.bundle import load_bundle
from fer_core.models.card import ModelCard
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.registry import build
from fer_core.models.weights import save_weights
from fer_core.training.config import PRESETS
from fer_core.training.loop.initialization import (
    find_initial_weights,
    initial_weight_sources,
)
from fer_core.training.run.store import find_run
from tests.drawn_faces import demo_set
from tests.training.running import stop_in_epoch, weights_of

pytestmark = pytest.mark.usefixtures("home", "eager")


@pytest.fixture
def first(config, train):
    """A finished run of one epoch."""
    run = find_run("first")
    run.create(dataclasses.replace(config, epochs=1, selection="last"))
    train(run)
    return run


def test_a_run_begins_with_the_weights_of_another(config, first, new_run, train):
    run = new_run(
        config,
        "second",
        epochs=1,
        selection="last",
        start_from=str(first.path),
        ema=0.0,
        weight_decay=0.0,
        optimizer="sgd-nesterov",
        learning_rate=1e-12,
        warmup_epochs=0,
    )
    train(run)
    before, after = weights_of(first.last_weights_file), weights_of(run.last_weights_file)
    statistics = 2 * 4  # mean and variance of the four normalised channels follow the faces, whatever the steps
    assert np.sum(~np.isclose(before, after, atol=1e-6)) <= statistics


def test_its_card_tells_how_both_were_trained(config, first, new_run, train):
    run = new_run(config, "second", epochs=1, start_from=str(first.path))
    card = train(run)
    assert card.training["initial_weights"] == ModelCard.load(first.card_file).training
    assert card.training["initial_weights"]["epochs"] == 1


def test_a_stopped_one_resumes_when_the_other_is_gone(config, first, new_run, train, monkeypatch):
    run = new_run(config, "second", epochs=2, start_from=str(first.path))
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 1)
        assert train(run) is None
    shutil.rmtree(first.path)
    assert train(run).training["initial_weights"]["epochs"] == 1


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ({"architecture": "seed-cnn"}, {}, "other is the network seed-cnn"),
        (
            {"train_splits": ("Training", "PublicTest"), "validation_splits": ("PrivateTest",)},
            {},
            "faces that it knows",
        ),
        ({}, {}, "has no weights yet"),
    ],
    ids=["network", "splits", "weights"],
)
def test_a_run_that_cannot_be_begun_with_is_an_error_in_words(config, new_run, train, theirs, ours, said):
    other = new_run(config, "other", **theirs)
    run = new_run(config, "run", start_from=str(other.path), **ours)
    with pytest.raises(RunError, match=said):
        train(run)
    assert run.status().state == "failed" and said in run.status().message


def test_a_name_that_nothing_has_is_an_error_in_words(config):
    with pytest.raises(RunError, match="No run and no model is named 'nothing'"):
        find_initial_weights(dataclasses.replace(config, start_from="nothing"))


def test_a_run_begins_with_a_model_that_has_its_weights(config, first, new_run, train, home):
    """As a model comes with the package: its training in its card, its weights in two bytes each."""
    folder = home / "models" / "kept"
    folder.mkdir(parents=True)
    network = build(config.architecture)
    network.load_weights(first.last_weights_file)
    ModelCard.load(first.card_file).save(folder / "card.json")
    shutil.copy(first.fingerprint_file, folder)
    save_weights(network, folder)
    beginning = find_initial_weights(dataclasses.replace(config, start_from="kept"))
    for half, whole in zip(beginning.network().get_weights(), network.get_weights(), strict=True):
        np.testing.assert_allclose(half, whole, rtol=1e-3, atol=1e-6)
    assert initial_weight_sources(config.architecture) == ["kept", "first"]
    assert train(new_run(config, "second", epochs=1, start_from="kept")).training["initial_weights"]["epochs"] == 1


def test_altered_weights_of_a_model_are_an_error_in_words(config, first, home):
    folder = home / "models" / "kept"
    folder.mkdir(parents=True)
    ModelCard.load(first.card_file).save(folder / "card.json")
    save_weights(build(config.architecture), folder)
    (folder / "weights.npz").write_bytes((folder / "weights.npz").read_bytes()[:-10])
    with pytest.raises(ModelError, match="cut short or altered"):
        find_initial_weights(dataclasses.replace(config, start_from="kept")).network()


def test_runs_of_another_network_and_without_weights_are_not_offered(config):
    find_run("without").create(config)
    find_run("other").create(dataclasses.replace(config, architecture="seed-cnn", selection="last"))
    find_run("other").last_weights_file.touch()
    assert initial_weight_sources(config.architecture) == []


def test_a_bundled_model_can_be_gone_on_from(home):
    """What `compact-ferplus` begins with comes with the package, and is the very network that the app runs."""
    bundle = load_bundle("compact")
    network = find_initial_weights(PRESETS["compact-ferplus"]).network()
    faces = demo_set(70).images[:32]
    scores = LiteRTClassifier(bundle.content, bundle.card.labels).classify(faces)
    np.testing.assert_allclose(network.predict(faces[..., None], verbose=0), scores, atol=5e-2)


def test_a_name_means_the_model_that_is_listed_under_it(config, new_run):
    """A run of an earlier version that has the same name is not offered, so it is not taken either."""
    write_json(find_run("compact").config_file, dataclasses.replace(config, architecture="compact").to_dict())
    assert not find_initial_weights(PRESETS["compact-ferplus"]).is_run
