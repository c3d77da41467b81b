"""What was typed, as Typer reads it: former names of options, and options that take several values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import typer

from fer_core.legacy import RENAMED_KEYS
from fer_core.training.arguments import choices, option_of

_RENAMED_OPTIONS = {option_of(old): option_of(new) for old, new in RENAMED_KEYS.items()}
_RECIPE_OPTIONS = {option_of(field.name) for field, default in choices() if isinstance(default, tuple)}
# Options that take all values up to the next option: `--split PublicTest PrivateTest`.
_SEVERAL_VALUES = {
    "compare-cleaning": {"--seeds", "--split", *_RECIPE_OPTIONS},
    "evaluate": {"--model", "--split"},
    "train": {"--seeds", *_RECIPE_OPTIONS},
}


def one_of(values: Collection[str]) -> Callable[[str], str]:
    """Return a parser of an option that takes one of some values."""

    def parse(text: str) -> str:
        if text not in values:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(values)}.")
        return text

    return parse


def either(values: Collection[str]) -> str:
    """Return values as help shows them: "<adam|adamw>"."""
    return f"<{'|'.join(values)}>"


def with_current_spelling(arguments: Sequence[str]) -> list[str]:
    """Return arguments with options by their current names, and one option for each of several values.

    >>> with_current_spelling(["evaluate", "--split", "PublicTest", "PrivateTest", "--whole-line"])
    ['evaluate', '--split', 'PublicTest', '--split', 'PrivateTest', '--end-to-end']
    >>> with_current_spelling(["train", "--teachers", "--start-size=32"])
    ['train', '--teachers', '', '--initial-size=32']
    """
    command, *rest = arguments or [""]
    return [*arguments[:1], *_with_repeated_options(map(_renamed, rest), _SEVERAL_VALUES.get(command, set()))]


def _renamed(argument: str) -> str:
    option, separator, value = argument.partition("=")
    return _RENAMED_OPTIONS.get(option, option) + separator + value


def _with_repeated_options(arguments: Iterator[str], several: set[str]) -> Iterator[str]:
    option, count = "", 0
    for argument in arguments:
        if argument.startswith("--") or not option:
            if option and not count:
                yield from (option, "")  # no value: none of the preset's
            option, count = (argument if argument in several else ""), 0
            if not option:
                yield argument
            continue
        yield from (option, argument)
        count += 1
    if option and not count:
        yield from (option, "")
