"""The commands `fer models …`: list the models of this machine, choose the one in use, remove one."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer

models_app = typer.Typer(
    help="List models; choose the one in use, remove one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Examples:  fer models list  |  fer models use compact  |  fer models remove mine",
)

Name = Annotated[str, typer.Argument(help="Name of the model.", show_default=False)]


@models_app.command("list")
def list_command(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the models: those that come with the package, then your own."""
    from fer_core.models.model_store import list_models

    entries = list_models()
    if json:
        print(json_format.dumps([entry.to_dict() for entry in entries], indent=2))
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        print(f"{'*' if entry.in_use else ' '} {entry.name:{width}}  {entry.description}")
    print("\n* is in use.")


@models_app.command()
def use(name: Name) -> None:
    """Make a model the one that the pages and commands use."""
    from fer_core.models.model_store import choose_model

    choose_model(name)
    print(f"{name} is in use.")


@models_app.command()
def remove(
    name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before removing.")] = False
) -> None:
    """Remove one of your own models for good."""
    from fer_core.models.model_store import remove_model, require_removable

    require_removable(name)
    if yes or typer.confirm(f"Remove the model {name} for good?"):
        remove_model(name)
        print(f"Removed {name}.")
