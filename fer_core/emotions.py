"""The seven emotions: their names, order, aliases and colours, stated once.

Label order is the classic trap of FER-2013: its CSV counts angry, disgust, fear, happy,
**sad, surprise, neutral**, while folders sort alphabetically. Everything in this package
uses `LABELS`; foreign orders are translated where data or weights enter.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LABELS: tuple[str, ...] = ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")

# FER-2013's `emotion` column counts in this order.
CSV_LABELS: tuple[str, ...] = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")

# Index in LABELS of each CSV code: LABELS[CSV_TO_INDEX[code]] is the emotion of that code.
CSV_TO_INDEX: tuple[int, ...] = tuple(LABELS.index(name) for name in CSV_LABELS)

# One colour per emotion, told apart under simulated colour blindness and at least 3:1 against
# white and against Streamlit's dark background. They fill shapes, never text.
COLORS: Mapping[str, str] = MappingProxyType(
    {
        "angry": "#C8371F",
        "disgusted": "#0E8F62",
        "fearful": "#B4539C",
        "happy": "#C58A00",
        "neutral": "#5F6670",
        "sad": "#2B5FC0",
        "surprised": "#2A9BD8",
    }
)

_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in LABELS},
        "anger": "angry",
        "disgust": "disgusted",
        "fear": "fearful",
        "scared": "fearful",
        "happiness": "happy",
        "joy": "happy",
        "sadness": "sad",
        "surprise": "surprised",
    }
)


def canonical(name: str) -> str | None:
    """Return the project's name for an emotion written in any usual way, or None if unknown.

    >>> canonical(" Happiness ")
    'happy'
    """
    return _ALIASES.get(name.strip().lower())


def color_bgr(label: str) -> tuple[int, int, int]:
    """Return the colour of `label` as (blue, green, red), each 0 to 255."""
    red, green, blue = bytes.fromhex(COLORS[label].removeprefix("#"))
    return blue, green, red
