"""What a foreign network takes and what its scores mean, as its owner describes it.

A file of weights does not say which score means what, nor how faces were scaled in training. Both are asked for,
never guessed: with a wrong label order or scale a network seems to work and is wrong. This needs no Keras, so that a
page can check a description before a job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fer_core.emotions import LABELS, canonical
from fer_core.errors import ModelError

# The ranges that networks are trained on, as (lowest, highest) for black and white.
SCALES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
)
# Far above any network for 48-pixel faces, far below what would exhaust a machine.
MAX_FILE_BYTES = 400 << 20
RESIZE_METHODS = ("bilinear", "nearest")
_SIZES_PX = (16, 512)
DESCRIPTION_NEEDED = (
    "A foreign network needs a description of its labels, input size and scale (on the command line --labels, "
    "--input-size and --scale): its file does not say what its scores mean."
)


@dataclass(frozen=True)
class Description:
    """How faces must be given to a network, and what its scores mean.

    Attributes:
        labels: the seven expressions in the order of its scores.
        input_size: width and height of the gray faces it takes, pixels.
        scale: range of its input, one of `SCALES`.
        resize: how 48×48 faces are resized to `input_size`, one of `RESIZE_METHODS`; bilinear gives whole gray
            values, as OpenCV does with 8-bit pictures.
    """

    labels: tuple[str, ...]
    input_size: int
    scale: str
    resize: str = "bilinear"

    def __post_init__(self) -> None:
        if sorted(self.labels) != sorted(LABELS):
            raise ModelError(
                f"Expected the seven labels {', '.join(LABELS)}, each once and in the order of the "
                f"network's scores; got {len(self.labels)}: {', '.join(self.labels) or 'none'}."
            )
        if not _SIZES_PX[0] <= self.input_size <= _SIZES_PX[1]:
            raise ModelError(
                f"Expected an input size of {_SIZES_PX[0]} to {_SIZES_PX[1]} pixels, got "
                f"{self.input_size}. It is the width of the faces that the network was trained on."
            )
        if self.scale not in SCALES:
            raise ModelError(
                f"Expected a scale of {', '.join(SCALES)}, got {self.scale!r}. It is the range that "
                "pixels were brought to in training."
            )
        if self.resize not in RESIZE_METHODS:
            raise ModelError(f"Expected the resize method {' or '.join(RESIZE_METHODS)}, got {self.resize!r}.")

    def __str__(self) -> str:
        return (
            f"gray faces {self.input_size}×{self.input_size} ({self.resize}), pixels {self.scale}, "
            f"labels {', '.join(self.labels)}"
        )


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the labels in comma-separated text, by the project's names.

    >>> parse_labels("anger, disgust,happy")
    ('angry', 'disgusted', 'happy')

    Raises:
        ModelError: a name is not that of an expression.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if canonical(name) is None]
    if unknown:
        raise ModelError(
            f"No expression is named {', '.join(map(repr, unknown))}. Expected {', '.join(LABELS)}, separated by "
            "commas, in the order of the network's scores."
        )
    return tuple(canonical(name) for name in names)


def describe(labels: str | None, input_size: int | None, scale: str | None, resize: str) -> Description | None:
    """Return the description given by a command's options, or None if they give none.

    Raises:
        ModelError: a part of it is missing or cannot be used.
    """
    if labels is None and input_size is None and scale is None:
        return None
    parts = {"--labels": labels, "--input-size": input_size, "--scale": scale}
    missing = [option for option, value in parts.items() if value is None]
    if missing:
        raise ModelError(
            f"A description needs --labels, --input-size and --scale; missing: {', '.join(missing)}. "
            "For example --labels angry,disgusted,fearful,happy,sad,surprised,neutral --input-size 64 "
            "--scale -1..1"
        )
    return Description(parse_labels(labels), input_size, scale, resize)
