from types import SimpleNamespace

import pytest

from fer_core.evaluation.results import CalibrationResult
from fer_core.evaluation.text import truth_name
from fer_core.evaluation.truth import Truth
from fer_core.models.temperature import Temperature
from fer_core.ui.evaluate.calibration import _fitted_sentence


@pytest.mark.parametrize(
    "fitted_on, trained_on, against, expected",
    [
        ("PublicTest", [], Truth.LABELS, "were fitted on PublicTest against the data set's labels."),
        ("PublicTest", [], Truth.MAJORITY, "were fitted on PublicTest against what most people saw."),
        ("PublicTest", ["PublicTest"], None, "come from the model's card, fitted on PublicTest of its own data."),
        ("Validation", [], Truth.MAJORITY, "fitted on Validation of its own data against what most people saw."),
        (None, ["PublicTest"], None, "the model's card has none"),
    ],
)
def test_where_the_temperature_comes_from_and_against_what_is_said(fitted_on, trained_on, against, expected):
    found = SimpleNamespace(split="Test", truth_name=truth_name)
    model = SimpleNamespace(result=SimpleNamespace(trained_on=trained_on), scores={"Test": None, "PublicTest": None})
    sentence = _fitted_sentence(found, model, CalibrationResult(Temperature(), fitted_on, against, None, 0.8))
    assert expected in sentence
    assert ("that the model was not trained on" in sentence) == ("were fitted" not in sentence)
