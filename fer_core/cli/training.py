"""The command `train`, with an option for every choice that a run's configuration holds."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_core.cli.arguments import either, one_of
from fer_core.errors import RunError
from fer_core.terminal import progress_bar, terminate_as_interrupt
from fer_core.training.arguments import choices, config_from_options, option_of, shown, values_of
from fer_core.training.config import PRESETS, RunConfig

if TYPE_CHECKING:
    from fer_core.background.cluster import Cluster


def train(
    run: Annotated[
        str | None,
        typer.Option(
            help="Name of the run, or path of its folder. (default: the network and a number)", show_default=False
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the run from its last whole epoch; its configuration stays as it is."
        ),
    ] = False,
    measure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train nothing: write to FILE how long an epoch would take here."),
    ] = None,
    find_lr: Annotated[
        bool,
        typer.Option(
            "--find-lr",
            help="Train no run: try rising learning rates on up to 100 batches, and print the loss and a suggestion.",
        ),
    ] = False,
    seeds: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N…",
            help="Train a run with each of these seeds, NAME-seed-0 and so on, and print mean and spread; those that "
            "are finished already are not trained again.",
            show_default=False,
        ),
    ] = None,
    sweep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Search for the best settings as a TOML or YAML file says, one run a trial; started again, it goes "
            "on (see docs/sweeps.md).",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --seeds or --sweep: train so many runs at a time on this machine."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With --seeds or --sweep: train by the workers of a Dask scheduler, tcp://HOST:PORT, or by jobs of "
            "SLURM that a YAML file describes.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(parser=one_of(PRESETS), metavar=either(PRESETS), help="Recipe that all other options change."),
    ] = None,
    **values: Any,
) -> None:
    """Train a network, from the start or from where it stopped."""
    from fer_core.dependencies import require_training
    from fer_core.training import command

    require_training("Training")
    given = {name: without_empty(value) for name, value in values.items() if value is not None}
    if seeds or sweep or jobs or cluster:
        _train_many(given, preset, run, seeds, sweep, jobs, cluster, alone=resume or find_lr or measure is not None)
        return
    if measure:
        command.measure(config_from_options(given, preset), command.open_run_faces, measure)
        return
    if find_lr:
        if resume:
            raise RunError("--find-lr tries learning rates for a new run, so --resume cannot be given too.")
        print(command.find_learning_rate(config_from_options(given, preset), command.open_run_faces))
        return
    if resume:
        written = [option_of(name) for name in ([*(["preset"] if preset else []), *given])]
        folder = command.resumable_run(run, written)
    else:
        folder = command.create_run(config_from_options(given, preset), run)
    outcome = command.train_run(folder, command.open_run_faces)
    if outcome.metrics is None:
        print(f"Stopped. Go on with: python -m fer_core train --resume --run {run or folder.name}")
        raise typer.Exit(outcome.exit_code)
    command.print_metrics(outcome.metrics)


def _train_many(
    given: dict[str, Any],
    preset: str | None,
    run: str | None,
    seeds: list[int] | None,
    sweep: Path | None,
    jobs: int | None,
    cluster: str | None,
    alone: bool,
) -> None:
    from fer_core.background.cluster import LOCAL, Cluster

    if alone or bool(seeds) == bool(sweep) or (seeds and "seed" in given):
        raise RunError(
            "--jobs and --cluster train several runs: give either --seeds or --sweep beside them, and none of --seed, "
            "--resume, --find-lr and --measure."
        )
    config, where = config_from_options(given, preset), Cluster(cluster or LOCAL, jobs)
    if seeds:
        _train_seeds(config, run, seeds, where)
    elif sweep:
        _sweep(config, run, sweep, where)


def _train_seeds(config: RunConfig, run: str | None, seeds: list[int], cluster: Cluster) -> None:
    from fer_core.training.seeds import prepare_seeds, seeds_text, train_all

    runs = prepare_seeds(config, run, seeds)
    with stopped_in_words(), progress_bar(f"Training {len(runs)} runs") as report:
        train_all(runs, cluster, report)
    print(seeds_text(runs))


def _sweep(config: RunConfig, run: str | None, file: Path, cluster: Cluster) -> None:
    from fer_core.training.sweep.plan import read_plan
    from fer_core.training.sweep.study import Sweep, run_sweep, table_of

    plan = read_plan(file, config)
    with stopped_in_words(), progress_bar(f"Sweep of {plan.trials} trials") as report:
        trials = run_sweep(Sweep(run or file.stem, plan, config), cluster, report)
    print(table_of(trials, plan.maximize))


@contextmanager
def stopped_in_words() -> Generator[None, None, None]:
    """End the command in words on Ctrl-C or a request to terminate, once the block has stopped its runs."""
    try:
        with terminate_as_interrupt():
            yield
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from the last whole epoch of each run.", file=sys.stderr)
        raise typer.Exit(130) from None


def without_empty(value: Any) -> Any:
    """Return the value of an option; `--teachers` without a value gives no teacher."""
    return tuple(name for name in value if name) if isinstance(value, list) else value


def _parameter(field: dataclasses.Field[Any], default: Any) -> inspect.Parameter:
    """Return a choice as a keyword of `train`, with its sentence as help; None where it is not given."""
    values = values_of(field)
    kind: Any = list[str] if isinstance(default, tuple) else type(default)
    # A sentence that starts with the name of a value keeps it as it is typed.
    help_text = f"{field.metadata['words']} (default: {shown(default) or 'none'})"
    option = typer.Option(
        *([] if isinstance(default, bool) else [option_of(field.name)]),
        help=help_text if help_text.startswith(values) else help_text[0].upper() + help_text[1:],
        parser=one_of(values) if values else None,
        metavar=_metavar(default, values),
        show_default=False,
    )
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _metavar(default: Any, values: tuple[str, ...]) -> str | None:
    if isinstance(default, tuple):
        return "SPLIT…" if values else "NAME…"
    if isinstance(default, bool):
        return None
    if values:
        return either(values)
    return "NAME" if isinstance(default, str) else "N"


def with_choices(command: Any, without: Collection[str] = ()) -> inspect.Signature:
    """Return the signature of a command with an option for every choice of a configuration in place of `values`."""
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "values"]
    options = [_parameter(field, default) for field, default in choices() if field.name not in without]
    return signature.replace(parameters=[*own, *options])


train.__signature__ = with_choices(train)  # Typer reads the options from it
