"""What is said of a model's accuracy depends on what it was measured on."""

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.models.card import ModelCard
from fer_core.ui.components.consent import accuracy_text

TABLE = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}
PEOPLE = "People agree"


def card(metrics=None, **data) -> ModelCard:
    return ModelCard("m", "compact", 1, (), data=data, metrics=metrics or {})


def measured(**splits) -> dict:
    half = {
        "accuracy": 0.5,
        "accuracy_95": [0.4, 0.6],
        "macro_f1": 0.1,
        "confusion": [[1, 1, 0, 0, 0, 0, 0], *[[0] * 7] * 6],
    }
    return {split: {"images": images, **half} for split, images in splits.items()}


CARDS = {
    "FER-2013": card(measured(PublicTest=3589, PrivateTest=3589), images=TABLE),
    "a tree": card(measured(Test=7178), images={"Training": 28_709, "Test": 7178}),
    "drawn": card(measured(PrivateTest=300), images=TABLE, synthetic=True),
    "imported, measured on drawings": card({**measured(PrivateTest=300), "data": {"synthetic": True, "images": TABLE}}),
    "learned from FER-2013, measured on drawings": card(
        {**measured(PrivateTest=300), "data": {"synthetic": True, "images": TABLE}}, images=TABLE
    ),
    "nothing": card(),
}
DRAWN = (
    "On the 300 drawn faces of PrivateTest it gave the labelled expression for 50.0 %. "
    "On photographs it has not been measured."
)


def notice(given):
    from fer_core.ui.components.consent import acknowledge_limits

    acknowledge_limits(given, "Live expressions")


CLEAR = {
    "images": 1852,
    "accuracy": 0.976,
    "accuracy_95": [0.96, 0.98],
    "balanced_accuracy": 0.9,
    "confident_errors": 0.02,
}


def test_agreement_with_people_follows_where_it_was_measured():
    figures = {
        "images": 1,
        "accuracy": 1.0,
        "accuracy_95": [0.2, 1.0],
        "macro_f1": 0.1,
        "confusion": [[1, 0, 0, 0, 0, 0, 0], *[[0] * 7] * 6],
        "people": {"clear": CLEAR, "neutral_called_negative": None, "negatives_found": None},
    }
    assert accuracy_text(card({"PrivateTest": figures}, images=TABLE)).endswith(
        "100.0 %. It is right on 97.6 % of the faces that people agree on."
    )


@pytest.mark.parametrize(
    ("which", "words", "people"),
    [
        ("FER-2013", "On the 3,589 faces of FER-2013's PrivateTest it gave the labelled expression for 50.0 %.", True),
        ("a tree", "On the 7,178 faces of the data set's Test it gave the labelled expression for 50.0 %.", True),
        ("drawn", DRAWN, False),
        ("imported, measured on drawings", DRAWN, False),
        ("learned from FER-2013, measured on drawings", DRAWN, False),
        ("nothing", "How often this model is right has not been measured.", False),
    ],
)
def test_accuracy_is_said_of_what_it_was_measured_on(which, words, people):
    assert accuracy_text(CARDS[which]) == words
    at = AppTest.from_function(notice, kwargs={"given": CARDS[which]}, default_timeout=60).run()
    assert not at.exception
    said = at.markdown[0].value
    assert f"**It is often wrong.** {words} " in said
    assert (PEOPLE in said) == people
