"""A run's configuration as options of `fer train`: every choice is an option, and every run has a command."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
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


def choices() -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    """Yield the field and the default of every choice that a run's configuration holds, augmentation's among them."""
    defaults = flat(RunConfig())
    for field in (*dataclasses.fields(RunConfig), *dataclasses.fields(Augmentation)):
        if field.name in defaults:
            yield field, defaults[field.name]


def option_of(name: str) -> str:
    """Return the option of a choice.

    >>> option_of("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")


def values_of(field: dataclasses.Field[Any]) -> tuple[str, ...]:
    """Return the values that the option of a choice takes; empty if it takes any."""
    values = options_of(field)
    return (*values, AUTO) if values == PRECISIONS else values


def config_from_options(values: Mapping[str, Any], preset: str | None = None) -> RunConfig:
    """Return the configuration that options give.

    Args:
        values: the value of each option that was given, by the name of its field.
        preset: name of the preset that has the others; the plain defaults if None.

    Raises:
        RunError: a value cannot be used.
    """
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    if given.get("precision") == AUTO:
        given["precision"] = best_precision()
    return from_flat(given, PRESETS[preset] if preset else RunConfig())


def changed(config: RunConfig) -> tuple[str | None, dict[str, Any]]:
    """Return the preset that is nearest to `config` (None: the plain defaults) and what differs from it."""

    def changes(base: RunConfig) -> dict[str, Any]:
        base_values = flat(base)
        return {name: value for name, value in flat(config).items() if value != base_values[name]}

    by_preset = {name: changes(base) for name, base in {None: RunConfig(), **PRESETS}.items()}
    nearest = min(by_preset, key=lambda name: len(by_preset[name]))
    return nearest, by_preset[nearest]


def arguments_of(config: RunConfig) -> list[str]:
    """Return the options that give `config`."""
    preset, changes = changed(config)
    arguments = ["--preset", preset] if preset else []
    for name, value in changes.items():
        option = option_of(name)
        if isinstance(value, bool):
            arguments.append(option if value else f"--no-{option.removeprefix('--')}")
        else:
            arguments += [option, *(value if isinstance(value, tuple) else [shown(value)])]
    return arguments


def command_line(config: RunConfig, name: str | None = None) -> str:
    """Return the shell command that starts a run of `config`, called `name`."""
    run = ["--run", name] if name else []
    return shlex.join(["python", "-m", "fer_core", "train", *arguments_of(config), *run])


def shown(value: Any) -> str:
    """Return a value as an option takes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
