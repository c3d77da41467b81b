"""The commands around corrections: suggest them, measure what they change, and practise finding faults."""

from __future__ import annotations

import dataclasses
import json as json_module
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_core.cli.arguments import either, one_of
from fer_core.cli.training import with_choices, without_empty
from fer_core.training.arguments import config_from_options
from fer_core.training.config import PRESETS

_Data = Annotated[str, typer.Argument(metavar="DATA", help="Name of a data set.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
# Set by the comparison itself.
_NOT_CHOSEN = ("data", "corrections", "seed")


def suggest_corrections(
    data: _Data,
    apply: Annotated[
        bool, typer.Option("--apply", help="Add the suggestions to the corrections of the data set, as one step.")
    ] = False,
    json: _Json = False,
) -> None:
    """Suggest corrections for blank images, leaked copies and labels that copies or votes contradict."""
    from fer_core.experiments.suggestions import suggest, suggestion_lines

    suggestions = suggest(data, apply)
    if json:
        print(json_module.dumps(dataclasses.asdict(suggestions), indent=2))
    else:
        print("\n".join(suggestion_lines(suggestions)))


def compare_cleaning(
    data: _Data,
    seeds: Annotated[
        list[int] | None,
        typer.Option(metavar="N…", help="Seeds; each is trained with and without the corrections. (default: 0 1 2)"),
    ] = None,
    corrections: Annotated[
        str,
        typer.Option(
            metavar="<saved|auto|FILE>",
            help="The data set's own list, those that suggest-corrections makes, or an exported list.",
        ),
    ] = "saved",
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPLIT…", help="Splits to compare on. (default: those of validation, but never PrivateTest)"
        ),
    ] = None,
    json: _Json = False,
    preset: Annotated[
        str | None,
        typer.Option(parser=one_of(PRESETS), metavar=either(PRESETS), help="Recipe that all other options change."),
    ] = None,
    **values: Any,
) -> None:
    """Train with and without the corrections of a data set, and test whether they make a difference."""
    from fer_core.dependencies import require_training
    from fer_core.experiments import cleaning
    from fer_core.experiments.result import result_to_json
    from fer_core.experiments.text import lines_of
    from fer_core.terminal import progress_bar

    require_training("Training")
    given = {name: without_empty(value) for name, value in values.items() if value is not None}
    config = config_from_options({**given, "data": data}, preset)
    try:
        with progress_bar() as progress:
            result = cleaning.compare_cleaning(config, seeds or (0, 1, 2), corrections, split or (), progress)
    except KeyboardInterrupt:
        typer.echo("Stopped. The same command goes on from the last whole epoch.", err=True)
        raise typer.Exit(130) from None
    print(json_module.dumps(result_to_json(result), indent=2) if json else "\n".join(lines_of(result)))


compare_cleaning.__signature__ = with_choices(compare_cleaning, _NOT_CHOSEN)  # Typer reads the options from it


def seed_faults(
    data: _Data,
    out: Annotated[str, typer.Option(metavar="NAME", help="Name of the new data set.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Seed of the choice of faults.")] = 0,
    mislabel: Annotated[float, typer.Option(help="Share of training images that get a wrong label.")] = 0.03,
    duplicate: Annotated[
        float, typer.Option(help="Share of training images that are replaced by a copy of another training image.")
    ] = 0.02,
    leak: Annotated[
        float, typer.Option(help="Share of training images that are replaced by a copy of a test image.")
    ] = 0.01,
    blank: Annotated[float, typer.Option(help="Share of training images that become blank.")] = 0.005,
    votes: Annotated[
        bool, typer.Option("--votes/--no-votes", help="Keep the FER+ votes, which betray many wrong labels.")
    ] = True,
) -> None:
    """Copy a data set and hide known faults in it, for students to find."""
    from fer_core.experiments.seeded_faults import FaultShares, seed_data_set

    shares = FaultShares(mislabel=mislabel, duplicate=duplicate, leak=leak, blank=blank)
    key = seed_data_set(data, out, shares, seed, votes)
    counts = ", ".join(f"{len(key.rows_of(kind)):,} {kind}" for kind in key.kinds)
    print(f"Wrote {out} with {len(key.faults):,} known faults: {counts}.")
    print(f"Score corrections of it with: fer score-faults {shlex.quote(out)}")


def score_faults(
    data: Annotated[str, typer.Argument(metavar="NAME", help="A data set that seed-faults made.")],
    lists: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="Exported lists of corrections. (default: the data set's own)"),
    ] = None,
    json: _Json = False,
) -> None:
    """Score how many of the hidden faults corrections found, by precision and recall."""
    from fer_core.experiments.fault_scores import score_lines, score_lists, scores_to_json

    scores = score_lists(data, tuple(lists or ()))
    print(json_module.dumps(scores_to_json(scores), indent=2) if json else "\n".join(score_lines(scores)))
