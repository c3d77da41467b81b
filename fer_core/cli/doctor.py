"""The command `fer doctor`: is everything there, and what to do where it is not."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer


def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check this installation: versions, models, data, disk, port; say what is wrong and what to do."""
    from fer_core.cli.checks import check_all

    checks = check_all()
    if json:
        print(json_format.dumps([check.to_dict() for check in checks], indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{'ok ' if check.ok else '!! '} {check.name:{width}}  {check.result}")
            if check.remedy:
                print(f"    {'':{width}}  {check.remedy}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
