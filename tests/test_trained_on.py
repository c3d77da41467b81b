import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import Provenance
from fer_core.emotions import LABELS
from fer_core.models.card import ModelCard
from fer_core.trained_on import trained_on


def card(**data):
    return ModelCard(name="m", architecture="a", parameters=1, labels=LABELS, data=data)


def test_a_card_without_data_is_taken_for_one_that_learned_from_training(drawn):
    np.testing.assert_array_equal(trained_on(card(), drawn), drawn.split == 0)


@pytest.mark.parametrize(
    "images, same, seen",
    [
        ({"Training": 9, "Test": 1}, False, [0, 4]),
        ({"Training": 8, "Validation": 1}, True, [0]),
        ({"Training": 8, "Validation": 1}, False, [0, 4]),
        ({"Training": 9}, False, [0, 1, 2, 3, 4]),
    ],
    ids=["none", "this", "another", "tests may be in it"],
)
def test_validation_was_training_to_a_model_that_learned_from_another_division(drawn, images, same, seen):
    split = np.where(drawn.split == 1, 4, drawn.split).astype(np.uint8)
    faces = dataclasses.replace(drawn, split=split)
    learned = dataclasses.replace(
        card(images=images, sha256=faces.hash if same else "other"), training={"train_splits": ["Training"]}
    )
    np.testing.assert_array_equal(trained_on(learned, faces), np.isin(split, seen))
    np.testing.assert_array_equal(trained_on(card(), faces), np.isin(split, [0, 4]))


@pytest.mark.parametrize(
    "named, seen", [(["Training"], [0, 4]), (["PublicTest"], [1, 3]), (["Training", "PublicTest"], [0, 1, 3, 4])]
)
def test_a_card_names_the_splits_it_learned_from(drawn, named, seen):
    split = (np.arange(len(drawn)) % 5).astype(np.uint8)
    faces = dataclasses.replace(drawn, split=split)
    learned = dataclasses.replace(card(), training={"train_splits": named})
    np.testing.assert_array_equal(trained_on(learned, faces), np.isin(split, seen))


@pytest.mark.parametrize(
    "data_drawn, model_drawn, seen", [(True, False, False), (False, True, False), (True, True, True)]
)
def test_drawings_and_photographs_teach_nothing_about_each_other(drawn, data_drawn, model_drawn, seen):
    faces = dataclasses.replace(drawn, source=Provenance(synthetic=data_drawn))
    assert trained_on(card(synthetic=model_drawn), faces).any() == seen
