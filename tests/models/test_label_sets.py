"""Label sets on cards: those written before there were several, and those with a calibration for each."""

import json

import pytest

from fer_core.emotions import LABELS
from fer_core.errors import ModelError
from fer_core.models.bundle import BUNDLED_ROOT, CARD_FILE, bundled_models, load_bundle, scores_key
from fer_core.models.calibration import Calibration
from fer_core.models.card import ModelCard
from fer_core.models.label_sets import LABEL_SETS

FLAT = {"temperature": 1.3, "entropy_power": 0.2, "fitted_on": "PublicTest", "uncertain_below": 0.4, "target": 0.8}


def card_of(label_sets=(), **fields) -> ModelCard:
    return ModelCard("m", "compact", 1, LABELS, label_sets=label_sets, **fields)


@pytest.mark.parametrize(
    ("trained", "expected"),
    [({}, ("fer",)), ({"label_set": "fer"}, ("fer",)), ({"label_set": "ferplus"}, ("votes",))],
    ids=["unknown", "fer", "ferplus"],
)
def test_a_card_without_label_sets_answers_for_what_it_was_trained_on(trained, expected, tmp_path):
    path = tmp_path / "card.json"
    card_of(training=trained, calibration=FLAT).save(path)
    content = json.loads(path.read_text())
    del content["label_sets"]  # as cards were written before
    path.write_text(json.dumps(content))
    card = ModelCard.load(path)
    assert card.label_sets == expected
    assert card.calibration_of() == card.calibration_of(expected[0]) == Calibration.from_json(FLAT)
    assert (card.uncertain_below, card.temperature.scale) == (0.4, 1.3)


@pytest.mark.parametrize("name", bundled_models())
def test_the_bundled_cards_have_a_measured_calibration_for_each_label_set(name):
    content = json.loads((BUNDLED_ROOT / name / CARD_FILE).read_text())["calibration"]
    card = load_bundle(name).card
    for label_set in card.label_sets:
        calibration = card.calibration_of(label_set)
        assert calibration.to_json() == (content if len(card.label_sets) == 1 else content[label_set])
        measured = calibration.by_split["PublicTest"]
        # Scores that are calibrated as they are need not become better.
        assert measured["ece_after"] < max(measured["ece_before"], 0.025)


def test_a_card_of_several_label_sets_comes_back_as_it_was_saved(tmp_path):
    card = card_of(LABEL_SETS).with_calibrations({"people": Calibration(1.2), "votes": Calibration(0.7, 0.1, 0.3)})
    card.save(tmp_path / "card.json")
    again = ModelCard.load(tmp_path / "card.json")
    assert again.label_sets == LABEL_SETS
    assert [again.calibration_of(name) for name in (None, *LABEL_SETS)] == [
        Calibration(1.2),
        Calibration(1.2),
        Calibration(),
        Calibration(0.7, 0.1, 0.3),
    ]
    assert [again.output_of(name) for name in LABEL_SETS] == ["scores", "scores_fer", "scores_votes"]


def test_one_label_set_is_calibrated_again_and_the_others_stay():
    card = card_of(LABEL_SETS).with_calibrations({name: Calibration(1.5) for name in LABEL_SETS})
    again = card.with_calibrations({"fer": Calibration(2.0)})
    assert [again.calibration_of(name).temperature for name in LABEL_SETS] == [1.5, 2.0, 1.5]


def test_a_single_label_set_keeps_its_calibration_flat_on_disk():
    assert card_of(("people",)).with_calibrations({"people": Calibration.from_json(FLAT)}).calibration == {
        **FLAT,
        "by_split": {},
        "against": None,
    }


def test_a_flat_calibration_of_a_card_with_several_is_the_defaults_alone():
    card = card_of(LABEL_SETS, calibration=FLAT)
    assert card.calibration_of("people").temperature == 1.3
    assert card.calibration_of("fer") == Calibration()


def test_what_a_model_does_not_answer_for_is_an_error_that_names_what_it_does():
    card = card_of(("people", "fer"))
    for use in (card.calibration_of, card.output_of, lambda name: card.with_calibrations({name: Calibration()})):
        with pytest.raises(ModelError, match="no scores for the label set 'votes'. Expected people or fer"):
            use("votes")
    with pytest.raises(ModelError, match="different label sets"):
        card_of(("fer", "fer"))


def test_a_calibration_with_an_unknown_field_is_an_error():
    with pytest.raises(ModelError, match="got also surprise"):
        card_of(calibration={**FLAT, "surprise": 1}).calibration_of()


def test_scores_of_each_label_set_have_a_key_of_their_own_and_those_of_the_default_keep_theirs():
    card = card_of(LABEL_SETS, files={"model.tflite": "ab"})
    keys = {scores_key(card, name) for name in LABEL_SETS}
    assert len(keys) == 3
    assert scores_key(card) == scores_key(card, "people") == scores_key(card_of(files={"model.tflite": "ab"}))
