"""What a sweep tries: a small TOML or YAML file, checked against what a run's configuration takes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fer_core.errors import FerError, RunError
from fer_core.training.config import RunConfig, flat, from_flat

# What may be maximised: columns of a run's history that are better the higher they are.
MEASURES = (
    "val_accuracy",
    "val_balanced_accuracy",
    "val_label_accuracy",
    "val_majority_accuracy",
    "val_clear_accuracy",
    "val_supported_negatives",
)
_RANGE = {"low", "high", "log"}


@dataclass(frozen=True)
class Range:
    """Values between two numbers, both included: whole ones if both are whole.

    Attributes:
        low: the least value.
        high: the greatest.
        log: whether their logarithms are equally likely rather than they themselves.
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class SweepPlan:
    """A sweep.

    Attributes:
        parameters: by the name of a choice of a run's configuration, its range or the values to choose from.
        trials: how many runs there will be.
        maximize: one of `MEASURES`, as validation measures it.
        prune: whether a run ends early that is worse than half of the others were at the same epoch.
        seed: of what is tried.
    """

    parameters: Mapping[str, Range | tuple[Any, ...]]
    trials: int
    maximize: str = "val_accuracy"
    prune: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.trials, int) or self.trials < 1:
            raise RunError(f"Expected trials to be a whole number of at least 1; got {self.trials!r}.")
        if not isinstance(self.prune, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise RunError(
                "Expected prune to be true or false and seed a whole number of at least 0; got "
                f"{self.prune!r} and {self.seed!r}."
            )
        if self.maximize not in MEASURES:
            raise RunError(f"Expected maximize out of {', '.join(MEASURES)}; got {self.maximize!r}.")
        if not self.parameters:
            raise RunError("Expected at least one entry in parameters; got none.")


def read_plan(path: Path, base: RunConfig) -> SweepPlan:
    """Read a sweep from a file.

    Args:
        path: ends in .toml, .yaml or .yml.
        base: what all runs have in common; each value that the file names must be one that it can have.

    Raises:
        RunError: the file is missing, is not such a file, or names what cannot be used.
    """
    content = _content(path)
    known = {field.name for field in fields(SweepPlan)}
    if not isinstance(content, Mapping) or set(content) - known or "parameters" not in content:
        got = ", ".join(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
        raise RunError(
            f"Expected {path} to hold parameters and trials, and of {', '.join(sorted(known))} no others; "
            f"got {got or 'nothing'}."
        )
    if not isinstance(content["parameters"], Mapping):
        raise RunError(f"Expected parameters in {path} to be a table of names; got {content['parameters']!r}.")
    parameters = {name: _values(name, value, base) for name, value in content["parameters"].items()}
    return SweepPlan(**{"trials": 20, **content, "parameters": parameters})


def _content(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return tomllib.loads(text)
        if path.suffix in (".yaml", ".yml"):
            import yaml

            return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"The sweep {path} cannot be read: {error}.") from error
    except ValueError as error:
        raise RunError(f"{path} is not a TOML file: {error}.") from error
    except Exception as error:  # PyYAML, whose errors are no ValueErrors
        if type(error).__module__.startswith("yaml"):
            raise RunError(f"{path} is not a YAML file: {error}.") from error
        raise
    raise RunError(f"Expected a sweep as a .toml, .yaml or .yml file; got {path.name}.")


def _values(name: str, value: Any, base: RunConfig) -> Range | tuple[Any, ...]:
    """Return what a choice is taken from, each value tried on `base`."""
    if name not in flat(base) or isinstance(flat(base)[name], tuple):
        raise RunError(f"Expected parameters that an option of `fer train` sets to a number or a text; got {name!r}.")
    if isinstance(value, list) and value:
        values: Range | tuple[Any, ...] = tuple(value)
    elif isinstance(value, Mapping) and {"low", "high"} <= set(value) <= _RANGE:
        values = Range(**value)
        if not all(isinstance(end, int | float) for end in (values.low, values.high)) or values.low >= values.high:
            raise RunError(f"Expected {name} to have a low end below its high end; got {dict(value)}.")
        if values.log and values.low <= 0:
            raise RunError(f"Expected the low end of {name} to be over 0, since it is logarithmic; got {values.low}.")
    else:
        raise RunError(f"Expected {name} to be a list of values, or low and high and perhaps log; got {value!r}.")
    for some in (values.low, values.high) if isinstance(values, Range) else values:
        try:
            from_flat({name: some}, base)
        except FerError as error:
            raise RunError(f"{name} cannot be {some!r} in a sweep. {error}") from error
    return values
