"""Numbers as text become pixels; whatever is not plainly sound is never guessed."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.pixel_text import PIXELS, parse_row, parse_rows


def row(*first: str) -> bytes:
    """Return a row that begins with the words `first` and goes on with sevens."""
    return " ".join([*first, *["7"] * (PIXELS - len(first))]).encode()


def test_every_value_is_read_beside_every_width() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.choice([0, 5, 9, 10, 42, 99, 100, 199, 200, 249, 250, 255, *range(256)], (20, PIXELS))
    rows = [" ".join(map(str, values)).encode() for values in pixels]
    parsed = parse_rows(rows)
    assert parsed.dtype == np.uint8
    np.testing.assert_array_equal(parsed.reshape(20, PIXELS), pixels)
    np.testing.assert_array_equal(parse_row(rows[3].decode()), parsed[3])


def test_leading_zeros_are_digits() -> None:
    assert parse_rows([row("007", "00")])[0, 0, :3].tolist() == [7, 0, 7]


@pytest.mark.parametrize(
    "words",
    [("256",), ("299",), ("300",), ("999",), ("1000",), ("0255",), ("-1",), ("1.5",), ("a",), ("1", "2\t3"), ("١",)],
)
def test_other_words_are_not_pixels(words: tuple[str, ...]) -> None:
    assert parse_rows([row(), row(*words), row()]) is None


def test_one_row_too_short_and_one_too_long_do_not_add_up() -> None:
    assert parse_rows([row(), row() + b" 1", row().rsplit(b" ", 1)[0]]) is None


def test_several_spaces_are_one_separator() -> None:
    assert parse_rows([b"  1   2 " + row().split(b" ", 2)[2]])[0, 0, :3].tolist() == [1, 2, 7]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (row().rsplit(b" ", 1)[0], "expected 2,304 pixels, found 2,303"),
        (b"", "expected 2,304 pixels, found 0"),
        (row("1", "256"), "found '256' at pixel 1"),
        (row("-1"), "found '-1' at pixel 0"),
        (row("²"), "at pixel 0"),
    ],
)
def test_the_slow_way_says_what_is_wrong(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_row(text.decode())
