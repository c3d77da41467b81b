"""What `fer evaluate` can be asked for, importable without what it needs to do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The figures of a card and those measured again may differ by this much, in percentage points.
TOLERANCE_POINTS = 0.1


@dataclass(frozen=True)
class EvaluateOptions:
    """The options of `fer evaluate`.

    Attributes:
        data: name of a data set, or path of fer2013.csv in any form.
        model: names or folders of models; the one in use if empty.
        split: splits to measure on; all but Training if empty.
        subset: name of a saved subset to measure on; the whole splits if empty.
        robustness: whether to measure with worse pictures too.
        end_to_end: whether to paste faces into scenes, find and classify them too.
        card: whether to compare with the models' cards.
        write_card: whether to write the figures into the models' cards.
        json: whether to print JSON in place of text.
        progress: file to keep writing the progress to, as JSON; the terminal shows it if None.
    """

    data: str
    model: Sequence[str] = ()
    split: Sequence[str] = ()
    subset: str = ""
    robustness: bool = False
    end_to_end: bool = False
    card: bool = False
    write_card: bool = False
    json: bool = False
    progress: Path | None = None
