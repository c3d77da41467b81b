import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import SPLITS, Provenance
from fer_core.data.fingerprint import FER2013_HASH, FINGERPRINT_FILE, content_fingerprint, save_fingerprint
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.models.bundle import bundled_models, load_bundle
from fer_core.models.card import ModelCard
from fer_core.trained_on import carry_fingerprint, trained_on, trained_on_splits, training_fingerprint


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


def trained_card(folder, images):
    """A card as it is read from a folder with the fingerprint of `images`."""
    save_fingerprint(folder, content_fingerprint(images))
    dataclasses.replace(card(sha256="other"), files={FINGERPRINT_FILE: "…"}).save(folder / "card.json")
    return ModelCard.load(folder / "card.json")


def test_training_images_that_are_called_test_count_as_trained_on(drawn, tmp_path):
    learned = trained_card(tmp_path, drawn.images[:40])
    moved = dataclasses.replace(drawn, split=np.full(len(drawn), SPLITS.index("Test"), np.uint8))
    np.testing.assert_array_equal(trained_on(learned, moved), np.arange(300) < 40)


def test_an_unrelated_set_was_not_trained_on_whatever_its_splits_are_called(drawn, tmp_path):
    learned = trained_card(tmp_path, 255 - drawn.images)
    assert not trained_on(learned, drawn).any()


def test_a_few_copies_do_not_make_a_split_one_that_was_trained_on(drawn, tmp_path):
    public, private = drawn.rows_of("PublicTest"), drawn.rows_of("PrivateTest")
    learned = trained_card(tmp_path, drawn.images[np.concatenate([public[:3], private])])
    assert trained_on_splits(learned, drawn, drawn.splits) == ["PrivateTest"]


def test_a_card_whose_fingerprint_is_missing_is_refused(drawn, tmp_path):
    learned = trained_card(tmp_path, drawn.images)
    (tmp_path / FINGERPRINT_FILE).unlink()
    with pytest.raises(DataError, match="copy the model again"):
        trained_on(learned, drawn)


@pytest.mark.parametrize("name", bundled_models())
def test_bundled_models_know_the_images_of_fer2013_by_content(name, fer2013):
    learned = load_bundle(name).card
    assert learned.data["sha256"] == FER2013_HASH and training_fingerprint(learned) is not None
    seen = trained_on(learned, fer2013)
    assert [int(seen[fer2013.rows_of(split)].sum()) for split in fer2013.splits] == [28_709, 280, 288]
    assert trained_on_splits(learned, fer2013, fer2013.splits) == ["Training"]


def test_a_bundled_model_was_not_trained_on_drawings(drawn):
    assert not trained_on(load_bundle().card, drawn).any()


def test_without_knowledge_of_the_content_the_card_is_believed(drawn):
    assert training_fingerprint(card()) is None
    assert training_fingerprint(card(sha256=FER2013_HASH)) is None  # it does not say which splits


def test_a_model_made_of_several_was_trained_on_the_images_of_all(drawn, tmp_path):
    cards = []
    for name, images in (("one", drawn.images[:20]), ("two", drawn.images[10:40])):
        (tmp_path / name).mkdir()
        cards.append(trained_card(tmp_path / name, images))
    (tmp_path / "both").mkdir()
    card(sha256="other").save(tmp_path / "both" / "card.json")
    carry_fingerprint(cards, tmp_path / "both")
    both = ModelCard.load(tmp_path / "both" / "card.json")
    np.testing.assert_array_equal(training_fingerprint(both), content_fingerprint(drawn.images[:40]))
    carry_fingerprint([*cards, card()], tmp_path / "one")
    assert len(training_fingerprint(cards[0])) == 20, "one of them does not say what it was trained on"
