"""The commands `fer runs …`: list training runs, look at one, stop, finish and delete them."""

from __future__ import annotations

import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

from fer_core.errors import RunError

if TYPE_CHECKING:
    from fer_core.training.run.folder import RunFolder

runs = typer.Typer(
    help="List training runs; show, stop, finish and delete them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Examples:  fer runs list  |  fer runs list optimizer=adamw --json  |  fer runs show compact-1",
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the run, or path of its folder.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
# Stopping ends the current batch and saves nothing, so a minute is ample.
_STOP_LIMIT_S = 60.0
_POLL_S = 0.2


@runs.command("list", epilog="Examples:  fer runs list  |  fer runs list finished architecture=compact --json")
def list_command(
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD]…",
            help="Only runs with all of these words in their name, state, note or settings: seed=1.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the runs, the newest first."""
    from fer_core.training.run.store import broken_runs, list_runs, result_of
    from fer_core.training.run.summary import run_row, runs_table_text

    folders = list_runs()
    broken = broken_runs(folders)
    results = [result_of(folder) for folder in folders if folder.name not in broken]
    results = [result for result in results if result.matches(" ".join(query or []))]
    if json:
        print(json_format.dumps({"runs": [run_row(result) for result in results], "broken": broken}, indent=2))
        return
    print(runs_table_text(results) if results else "No run matches." if query else "There are no runs yet.")
    for name, problem in broken.items():
        print(f"! {name} cannot be read: {problem}")


@runs.command(epilog="Examples:  fer runs show compact-1  |  fer runs show compact-1 --json")
def show(name: Name, json: Json = False) -> None:
    """Show a run: its state, accuracy, settings and what is wrong with its curves."""
    from fer_core.training.arguments import changed
    from fer_core.training.run.summary import run_details, run_text

    folder = _existing(name)
    if json:
        print(json_format.dumps(run_details(folder), indent=2))
        return
    preset, changes = changed(folder.config())
    print(run_text(folder, {"preset": preset, **changes} if preset else changes))


@runs.command(epilog="Example:  fer runs stop compact-1")
def stop(name: Name) -> None:
    """Stop a run at the end of its batch; `fer train --resume` goes on from its last whole epoch."""
    import time

    from fer_core.training.run import process

    folder = _existing(name)
    if not _is_live(folder):
        raise RunError(f"The run {folder.name!r} is not running, so there is nothing to stop.")
    process.stop(folder)
    end_s = time.monotonic() + _STOP_LIMIT_S
    while _is_live(folder):
        if time.monotonic() > end_s:
            raise RunError(f"The run {folder.name!r} was asked to stop, but has not ended yet. Look again later.")
        time.sleep(_POLL_S)
    status = folder.status()
    state = status.state if status else "stopped"  # it may have been finishing at that moment
    print(f"{folder.name}: {state} after {len(folder.history())} of {folder.config().epochs} epochs.")


@runs.command(epilog="Example:  fer runs finish compact-1")
def finish(name: Name) -> None:
    """Make the weights that a stopped run has so far its result, measured and converted as at the end of training."""
    from fer_core.dependencies import require_training
    from fer_core.training import command

    require_training("Finishing a run")
    folder = _existing(name)
    outcome = command.finish_run(folder, command.open_run_faces)
    if outcome.metrics is None:
        print("Stopped. The run is as it was.")
        raise typer.Exit(outcome.exit_code)
    command.print_metrics(outcome.metrics)


@runs.command(epilog="Examples:  fer runs delete compact-1  |  fer runs delete test-1 test-2 --yes")
def delete(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME…", help="Names of runs, or paths of their folders.", show_default=False)
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete runs with their weights, history and card; never one that is running. Models put live stay."""
    from fer_core.training.run.store import delete_run

    folders = [_existing(name) for name in names]
    for folder in folders:
        if _is_live(folder):
            raise RunError(f"The run {folder.name!r} is still going on. Stop it before deleting it.")
    listed = ", ".join(folder.name for folder in folders)
    if not yes:
        typer.confirm(f"Delete {listed}? This cannot be undone.", abort=True)
    for folder in folders:
        delete_run(folder)
    print(f"Deleted {listed}.")


def _existing(name: str) -> RunFolder:
    from fer_core.training.run.store import find_run, list_runs

    folder = find_run(name)
    if not folder.config_file.exists():
        known = ", ".join(run.name for run in list_runs()) or "none"
        raise RunError(f"There is no run named {name!r}. Runs: {known}.")
    return folder


def _is_live(folder: RunFolder) -> bool:
    from fer_core.background.locks import is_held

    return is_held(folder.lock_file)
