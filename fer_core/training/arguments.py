"""The configuration on the command line: every choice is an option, and every run can be said as a command."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from pathlib import Path
from typing import Any

from fer_core.training.config import (
    PRECISIONS,
    PRESETS,
    Augmentation,
    RunConfig,
    flat,
    from_flat,
    options_of,
)
from fer_core.training.timing.device import best_precision

AUTO = "auto"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, --preset and one option for each choice of `RunConfig`; what is not given is the preset's."""
    parser.add_argument("--run", help="name of the run, or path of its folder (default: the network and a number)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run from its last whole epoch; its configuration stays as it is",
    )
    parser.add_argument(
        "--measure", type=Path, metavar="FILE", help="train nothing: write to FILE how long an epoch would take here"
    )
    parser.add_argument("--preset", choices=tuple(PRESETS), help="recipe that all other options change")
    for each, base in _fields():
        option = _option(each.name)
        words = f"{each.metadata['words']} (default {_shown(base) or 'none'})".replace("%", "%%")
        if isinstance(base, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=None, dest=each.name, help=words)
            continue
        parser.add_argument(
            option,
            dest=each.name,
            help=words,
            default=None,
            nargs=_count(each, base),
            metavar=_metavar(each, base),
            type=str if isinstance(base, tuple) else type(base),
            choices=_options(each) or None,
        )


def config_from_arguments(options: argparse.Namespace) -> RunConfig:
    """Return the configuration that the parsed options of `add_arguments` say.

    Raises:
        RunError: a value cannot be used.
    """
    base = PRESETS[options.preset] if options.preset else RunConfig()
    given = {each.name: getattr(options, each.name) for each, _ in _fields() if getattr(options, each.name) is not None}
    if given.get("precision") == AUTO:
        given["precision"] = best_precision()
    return from_flat({name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}, base)


def given_options(options: argparse.Namespace) -> list[str]:
    """Return the options that were given and that a configuration is made of, as they are written."""
    names = ["preset", *(field.name for field, _ in _fields())]
    return [_option(name) for name in names if getattr(options, name) is not None]


def changed(config: RunConfig) -> tuple[str | None, dict[str, Any]]:
    """Return the preset that is nearest to `config` (None: the plain defaults) and what differs from it."""

    def changes(base: RunConfig) -> dict[str, Any]:
        plain = flat(base)
        return {name: value for name, value in flat(config).items() if value != plain[name]}

    found = {name: changes(base) for name, base in {None: RunConfig(), **PRESETS}.items()}
    nearest = min(found, key=lambda name: len(found[name]))
    return nearest, found[nearest]


def arguments_of(config: RunConfig) -> list[str]:
    """Return the options that say `config`, as `config_from_arguments` reads them."""
    preset, changes = changed(config)
    words = ["--preset", preset] if preset else []
    for name, value in changes.items():
        option = _option(name)
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option.removeprefix('--')}")
        else:
            words += [option, *(value if isinstance(value, tuple) else [_shown(value)])]
    return words


def command_line(config: RunConfig, name: str | None = None) -> str:
    """Return the shell command that starts a run of `config`, called `name`."""
    words = ["python", "-m", "fer_core", "train", *arguments_of(config), *(["--run", name] if name else [])]
    return shlex.join(words)


def _fields() -> list[tuple[dataclasses.Field, Any]]:
    plain = flat(RunConfig())
    fields = [*dataclasses.fields(RunConfig), *dataclasses.fields(Augmentation)]
    return [(each, plain[each.name]) for each in fields if each.name in plain]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _options(each: dataclasses.Field) -> tuple[str, ...]:
    options = options_of(each)
    return (*options, AUTO) if options == PRECISIONS else options


def _count(each: dataclasses.Field, base: Any) -> str | None:
    """How many values an option takes: one, or, of a fixed set, at least one; names may also be none."""
    if not isinstance(base, tuple):
        return None
    return "+" if options_of(each) else "*"


def _metavar(each: dataclasses.Field, base: Any) -> str | None:
    if isinstance(base, tuple):
        return "SPLIT" if options_of(each) else "NAME"
    return None if _options(each) else {str: "NAME"}.get(type(base), "N")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
