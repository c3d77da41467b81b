import pytest

from fer_core.emotions import (
    COLORS,
    CSV_LABELS,
    CSV_TO_INDEX,
    LABELS,
    canonical,
    color_bgr,
)


def test_csv_codes_translate_to_the_projects_order():
    assert [LABELS[index] for index in CSV_TO_INDEX] == list(CSV_LABELS)
    assert CSV_LABELS[4:] == ("sad", "surprised", "neutral")


@pytest.mark.parametrize(
    ("written", "expected"),
    [("Happiness ", "happy"), ("fear", "fearful"), ("DISGUST", "disgusted"), ("angry", "angry"), ("contempt", None)],
)
def test_usual_names_are_understood(written, expected):
    assert canonical(written) == expected


def test_each_emotion_has_a_colour_in_hex_and_bgr():
    assert tuple(COLORS) == LABELS
    assert color_bgr("happy") == (0x00, 0x8A, 0xC5)
