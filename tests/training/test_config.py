import dataclasses
import json

import pytest

from fer_core.errors import RunError
from fer_core.training.config import (
    PRESETS,
    STANDARD_AUGMENTATION,
    Augmentation,
    RunConfig,
    differences,
    flat,
    from_flat,
)


@pytest.mark.parametrize(
    "config", [RunConfig(), *PRESETS.values(), RunConfig(augmentation=STANDARD_AUGMENTATION, class_weighting=True)]
)
def test_a_configuration_survives_json(config):
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_configuration_of_the_first_version_is_still_read():
    old = {
        "architecture": "seed-cnn",
        "epochs": 50,
        "batch_size": 64,
        "learning_rate": 0.0001,
        "decay_per_step": 1e-06,
        "precision": "float32",
        "train_splits": ["Training"],
        "validation_splits": ["PublicTest", "PrivateTest"],
        "seed": 0,
    }
    assert RunConfig.from_dict(old) == PRESETS["seed-cnn"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "nonesuch"}, "Expected architecture out of seed-cnn"),
        ({"epochs": 0}, "epochs to be at least 1"),
        ({"epochs": "many"}, "epochs to be a whole number"),
        ({"learning_rate": float("nan")}, "learning_rate to be at least"),
        ({"ema": 1.0}, "ema to be at most"),
        ({"optimizer": "magic"}, "Expected optimizer out of adam"),
        ({"validation_splits": ["Training"]}, "trained on and validated on at once: Training"),
        ({"train_splits": ["Weekday"]}, "Expected train_splits out of"),
        ({"augmentation": {"flip": 2}}, "flip to be at most 1"),
        ({"augmentation": {"swirl": 1}}, "unknown fields: swirl"),
        ({"colour": "red"}, "unknown fields: colour"),
        ({"data": ""}, "name of a data set"),
        ({"data": 5}, "data to be text"),
        ({"learning_rate": float("inf")}, "learning_rate to be a number"),
        ({"epochs": 2.5}, "epochs to be a whole number"),
        ({"epochs": 10**30}, "epochs to be at most"),
        ({"class_weighting": "yes"}, "class_weighting to be true or false"),
        ({"teachers": 5}, "teachers to be a list of names"),
        ({"train_splits": [["Training"]]}, "train_splits to be a list of names"),
        ({"augmentation": 5}, "augmentation to be a group of settings"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(changes, said):
    with pytest.raises(RunError, match=said):
        RunConfig.from_dict({**RunConfig().to_dict(), **changes})


@pytest.mark.parametrize("content", [[], "text", 5, None])
def test_a_configuration_is_a_json_object(content):
    with pytest.raises(RunError, match="to be a JSON object"):
        RunConfig.from_dict(content)


@pytest.mark.parametrize(
    ("label_set", "label_sets"), [("fer", ("fer",)), ("ferplus", ("votes",)), ("both", ("people", "fer", "votes"))]
)
def test_what_is_trained_on_decides_what_the_network_answers_for(label_set, label_sets):
    assert RunConfig(label_set=label_set).label_sets == label_sets


@pytest.mark.parametrize(("old", "teachers"), [("compact", ("compact",)), ("", ())])
def test_a_configuration_of_one_teacher_is_still_read(old, teachers):
    content = {key: value for key, value in RunConfig().to_dict().items() if key != "teachers"} | {"teacher": old}
    assert RunConfig.from_dict(content) == RunConfig(teachers=teachers)


def test_a_result_is_not_picked_by_private_test():
    assert RunConfig().keeps_best
    assert not PRESETS["seed-cnn"].keeps_best


def test_flat_choices_make_the_same_configuration():
    config = dataclasses.replace(PRESETS["quick"], epochs=3, augmentation=Augmentation(erase=0.1))
    assert from_flat(flat(config), RunConfig()) == config


def test_differences_name_only_what_differs():
    one = RunConfig()
    other = dataclasses.replace(one, epochs=3, augmentation=Augmentation(flip=0.5))
    assert differences([one, other]) == {"epochs": [50, 3], "flip": [0.0, 0.5]}
    assert differences([one, one]) == {}
    assert differences([]) == {}


@pytest.mark.parametrize("split", ["PrivateTest", "Test"])
def test_nothing_is_chosen_by_private_test(split):
    """A folder tree has both tests in one split, Test."""
    assert not RunConfig(validation_splits=(split,)).keeps_best
    with pytest.raises(RunError, match="Early stopping"):
        RunConfig(validation_splits=(split,), early_stopping=3)


@pytest.mark.parametrize("name", ["train_splits", "validation_splits"])
def test_without_a_split_there_is_nothing_to_do(name):
    with pytest.raises(RunError, match="at least one split"):
        RunConfig(**{name: ()})


@pytest.mark.parametrize(("progressive_resizing", "epochs"), [(1.0, 10), (0.0, 3), (1.0, 1)])
def test_the_last_epoch_sees_whole_faces(progressive_resizing, epochs):
    config = RunConfig(
        architecture="small-cnn", initial_size=32, progressive_resizing=progressive_resizing, epochs=epochs
    )
    assert config.size_at(epochs - 1) == 48
