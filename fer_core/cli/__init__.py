"""The command line: `fer COMMAND`, or `python -m fer_core COMMAND`.

Each command imports what it needs when it runs, so that `--help` is quick, and nothing but training,
importing, converting and exporting loads TensorFlow.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import fer_core
from fer_core.cli.arguments import with_current_spelling
from fer_core.cli.dashboard import display, open_dashboard
from fer_core.cli.data import clean, prepare
from fer_core.cli.doctor import doctor
from fer_core.cli.evaluation import evaluate, explain
from fer_core.cli.experiments import compare_cleaning, score_faults, seed_faults, suggest_corrections
from fer_core.cli.media import analyze, classify
from fer_core.cli.model_store import models_app
from fer_core.cli.models import convert, ensemble, export_model, import_model
from fer_core.cli.runs import runs
from fer_core.cli.service import serve
from fer_core.cli.training import train
from fer_core.dependencies import set_tensorflow_defaults
from fer_core.errors import FerError

app = typer.Typer(
    help="Facial expression recognition: dashboard, data, training, evaluation.",
    no_args_is_help=True,
    rich_markup_mode=None,  # in 80 columns its panels cut the names of options
    pretty_exceptions_enable=False,  # an error that nobody named is a bug, and its whole traceback is wanted
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in {
    "app": open_dashboard,
    "analyze": analyze,
    "classify": classify,
    "clean": clean,
    "evaluate": evaluate,
    "explain": explain,
    "prepare": prepare,
    "train": train,
    "suggest-corrections": suggest_corrections,
    "compare-cleaning": compare_cleaning,
    "seed-faults": seed_faults,
    "score-faults": score_faults,
    "import": import_model,
    "export": export_model,
    "convert": convert,
    "ensemble": ensemble,
    "display": display,
    "serve": serve,
    "doctor": doctor,
}.items():
    app.command(name)(command)
app.add_typer(models_app, name="models")
app.add_typer(runs, name="runs")


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"fer {fer_core.__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 done, 1 a named error, 2 wrong usage, 130 interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    set_tensorflow_defaults()
    try:
        run_command(sys.argv[1:] if arguments is None else arguments, standalone_mode=True)
    except SystemExit as end:
        return int(end.code or 0)
    except FerError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def run_command(arguments: Sequence[str], standalone_mode: bool = False) -> Any:
    """Run one command and let its errors pass, those of wrong usage as exceptions unless `standalone_mode`."""
    program = "fer" if Path(sys.argv[0]).stem == "fer" else "python -m fer_core"
    return app(with_current_spelling(arguments), prog_name=program, standalone_mode=standalone_mode)
