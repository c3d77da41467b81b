"""Gray images as HTML: addresses that hold the image itself, and rows of captioned faces."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

from fer_core.emotions import LABELS, class_colors


def png_url(image: np.ndarray) -> str:
    """Return a gray image, uint8 (h, w), as an address that holds the image itself, every pixel kept."""
    _, png = cv2.imencode(".png", image)
    return "data:image/png;base64," + base64.b64encode(png).decode()


def captioned_faces(
    images: Sequence[np.ndarray], labels: Sequence[str], title: str, class_names: tuple[str, ...] = LABELS
) -> str:
    """Return faces side by side, each with its label's word and colour.

    Args:
        images: uint8 (48, 48) each.
        labels: a name out of `class_names` for each.
        title: what all of them are, for those who cannot see them: "Drawn face", "Mean face".
        class_names: of the data set.
    """
    figures = "".join(
        f'<figure><img src="{png_url(image)}" alt="{escape(title)}, {escape(label)}">'
        f"<figcaption>{label_html(label, class_names)}</figcaption></figure>"
        for image, label in zip(images, labels, strict=True)
    )
    return f'<div class="fer-faces">{figures}</div>'


def label_html(label: str, class_names: tuple[str, ...] = LABELS) -> str:
    """Return a label, one of `class_names`, as its colour and its word."""
    color = class_colors(class_names)[label]
    return f'<span class="fer-label"><i style="background:{color}"></i>{escape(label)}</span>'


@dataclass(frozen=True)
class Bar:
    """One bar: a word, a length and a number.

    Attributes:
        word: what it is.
        share: length, 0 to 1.
        number: what stands at its end.
        color: "#RRGGBB".
        best: whether it is the one to see first.
    """

    word: str
    share: float
    number: str
    color: str
    best: bool = False


def bars_html(bars: Sequence[Bar]) -> str:
    """Return bars under each other."""
    return "".join(
        f'<div class="fer-bar{" fer-best" if bar.best else ""}"><span>{escape(bar.word)}</span>'
        f'<i><b style="width:{bar.share:.1%};background:{bar.color}"></b></i><span>{escape(bar.number)}</span></div>'
        for bar in bars
    )
