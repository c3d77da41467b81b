"""The classes of a data set or model: the seven emotions unless stated otherwise; names, order, aliases, colours.

Label order is the classic trap of FER-2013: its CSV counts angry, disgust, fear, happy,
**sad, surprise, neutral**, while folders sort alphabetically. Everything in this package
uses `LABELS`; foreign orders are translated where data or weights enter. A data set may have other classes: then it
carries their names, and every count, score and figure is in the order of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
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

# For classes that are none of the seven, in their order; as legible as those above.
_SERIES_COLORS: tuple[str, ...] = (
    "#2A9BD8",
    "#C58A00",
    "#B4539C",
    "#0E8F62",
    "#C8371F",
    "#6A5FC7",
    "#7D8B1F",
    "#2B5FC0",
    "#A4672C",
    "#17939B",
    "#D4568A",
    "#77808C",
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


@lru_cache(maxsize=64)
def class_colors(class_names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the colour of each class: emotions have their own, the others take those of a series in order.

    Args:
        class_names: of a data set or a model.
    """
    taken = {COLORS[name] for name in class_names if name in COLORS}
    series = [color for color in _SERIES_COLORS if color not in taken] or _SERIES_COLORS
    others = [name for name in class_names if name not in COLORS]
    own = {name: series[number % len(series)] for number, name in enumerate(others)}
    return MappingProxyType({name: COLORS.get(name) or own[name] for name in class_names})


def has_emotions(class_names: Sequence[str]) -> bool:
    """Return whether these classes are the seven emotions, in any order."""
    return sorted(class_names) == sorted(LABELS)


def color_bgr(label: str, class_names: tuple[str, ...] = LABELS) -> tuple[int, int, int]:
    """Return the colour of `label`, one of `class_names`, as (blue, green, red), each 0 to 255."""
    red, green, blue = bytes.fromhex(class_colors(class_names)[label].removeprefix("#"))
    return blue, green, red
