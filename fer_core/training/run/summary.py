"""What a command prints about runs: a table of all, and everything about one, as text or as plain JSON values."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

from fer_core.formats import format_duration
from fer_core.training.run.alerts import alerts
from fer_core.training.run.folder import RunFolder, best_epoch
from fer_core.training.run.store import RunResult, result_of

_UNKNOWN = "–"
_TABLE_WIDTH = 400


def run_row(result: RunResult) -> dict[str, Any]:
    """Return what came of a run as plain JSON values: accuracies from 0 to 1, times in UTC, None where unknown."""
    return {
        "name": result.name,
        "state": result.state,
        "weakness": result.weakness,
        "epochs": result.epochs,
        "epochs_planned": result.config.epochs,
        "validation_accuracy": result.validation_accuracy,
        "public_accuracy": result.public_accuracy,
        "private_accuracy": result.private_accuracy,
        "data": result.config.data,
        "architecture": result.config.architecture,
        "created": datetime.fromtimestamp(result.created_s, UTC).isoformat(timespec="seconds"),
        "seconds": round(result.seconds, 1),
        "parameters": result.parameters,
        "bytes": result.size_bytes,
        "ms_per_face": result.ms_per_face,
        "note": result.note,
    }


def run_details(run: RunFolder) -> dict[str, Any]:
    """Return everything about a run as plain JSON values: its row, configuration, last and best epoch, and alerts.

    Raises:
        RunError: its configuration or its history is damaged.
    """
    history, status = run.history(), run.status()
    best = best_epoch(history)
    damage = run.damaged_records()
    return {
        **run_row(result_of(run)),
        "folder": str(run.path),
        "message": status.message if status else "It was never started.",
        "best_epoch": None if best is None else best + 1,
        "last_epoch": _epoch_values(run),
        "alerts": [*damage, *([] if damage else alerts(history, run.validation()))],
        "config": run.config().to_dict(),
    }


def runs_table_text(results: Sequence[RunResult]) -> str:
    """Return runs as a table, one row each."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "state", "epochs", "validation", "PublicTest", "PrivateTest", "data", "network", "started"):
        is_number = name in ("epochs", "validation", "PublicTest", "PrivateTest")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for result in results:
        table.add_row(
            result.name,
            f"{result.state}, {result.weakness}" if result.weakness else result.state,
            f"{result.epochs}/{result.config.epochs}",
            _percent(result.validation_accuracy),
            _percent(result.public_accuracy),
            _percent(result.private_accuracy),
            result.config.data,
            result.config.architecture,
            _local_time(result.created_s),
        )
    # Wide enough for any name: a terminal wraps lines, and a pipe wants them whole.
    console = Console(file=io.StringIO(), width=_TABLE_WIDTH)
    console.print(table)
    return dedent("\n".join(line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()))


def run_text(run: RunFolder, changed: dict[str, Any]) -> str:
    """Return a run as text, a line for each fact.

    Args:
        run: its folder.
        changed: the settings to name.

    Raises:
        RunError: its configuration or its history is damaged.
    """
    details, result = run_details(run), result_of(run)
    state = f"{result.state}, {result.weakness}" if result.weakness else result.state
    best = f", best {_percent(result.validation_accuracy)} in epoch {details['best_epoch']}" if result.epochs else ""
    facts = {
        "state": f"{state}. {details['message']}" if details["message"] else state,
        "epochs": f"{result.epochs} of {result.config.epochs}{best}",
        "PublicTest": _percent(result.public_accuracy),
        "PrivateTest": _percent(result.private_accuracy),
        "started": f"{_local_time(result.created_s)}, trained for {format_duration(result.seconds)}",
        "settings": ", ".join(f"{name}={_text(value)}" for name, value in changed.items()) or "the defaults",
        "note": result.note,
        "folder": details["folder"],
    }
    lines = [f"{name:<12}{text}" for name, text in facts.items() if text and text != _UNKNOWN]
    return "\n".join([result.name, *lines, *(f"! {text}" for text in details["alerts"])])


def _epoch_values(run: RunFolder) -> dict[str, float] | None:
    history = run.history()
    if not len(history):
        return None
    row = history.iloc[-1].dropna()
    return {str(name): int(value) + 1 if name == "epoch" else float(value) for name, value in row.items()}


def _percent(share: float | None) -> str:
    return _UNKNOWN if share is None else f"{share * 100:.1f} %"


def _local_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _text(value: Any) -> str:
    return "+".join(value) if isinstance(value, tuple) else str(value)
