import pytest

from fer_core.emotions import CSV_LABELS, LABELS
from fer_core.errors import ModelError
from fer_core.models.importing.description import Description, describe, parse_labels


def test_labels_are_known_by_their_usual_words():
    assert parse_labels("Anger, disgust,fear,happiness,sadness,surprise,neutral") == CSV_LABELS


def test_the_options_of_a_command_describe_a_network():
    assert describe(",".join(LABELS), 64, "-1..1", "nearest") == Description(LABELS, 64, "-1..1", "nearest")
    assert describe(None, None, None, "bilinear") is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("angry,bored", 48, "0..1", "bilinear"), "No expression is named 'bored'"),
        (("angry,happy", 48, "0..1", "bilinear"), "Expected the seven labels .* got 2"),
        ((",".join(("angry", *LABELS[:6])), 48, "0..1", "bilinear"), "each once"),
        ((",".join(LABELS), 4, "0..1", "bilinear"), "16 to 512 pixels, got 4"),
        ((",".join(LABELS), 48, "0..2", "bilinear"), "Expected a scale of"),
        ((",".join(LABELS), 48, "0..1", "lanczos"), "Expected the resize method"),
        ((",".join(LABELS), None, None, "bilinear"), "missing: --input-size, --scale"),
    ],
)
def test_what_cannot_be_used_is_named(given, said):
    with pytest.raises(ModelError, match=said):
        describe(*given)
