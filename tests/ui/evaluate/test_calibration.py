from types import SimpleNamespace

import pytest

from fer_core.data.store import StoreInfo
from fer_core.ui.evaluate.calibration import _fitted_words


@pytest.mark.parametrize(
    "fitted_on, learned, expected",
    [
        ("PublicTest", [], "were fitted on PublicTest, against the data set's labels"),
        ("PublicTest", ["PublicTest"], "come from the model's card, fitted on PublicTest of its own data"),
        ("Validation", [], "come from the model's card, fitted on Validation of its own data"),
        (None, ["PublicTest"], "the model's card has none"),
    ],
)
def test_where_the_temperature_comes_from_is_said(fitted_on, learned, expected):
    found = SimpleNamespace(split="Test", view=SimpleNamespace(info=StoreInfo("small")))
    figures = {"calibration": {"fitted_on": fitted_on}, "label_set": "fer", "learned": learned}
    model = SimpleNamespace(figures=figures, scores={"Test": None, "PublicTest": None})
    words = _fitted_words(found, model)
    assert expected in words
    assert ("that the model did not learn from" in words) == ("were fitted" not in words)
