"""The command line: `python -m fer_core COMMAND`.

Each command imports what it needs when it runs, so that `--help` is quick and nothing but
training and converting loads TensorFlow.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fer_core.data.face_set import FaceSet
from fer_core.errors import FerError, ModelError
from fer_core.evaluation.arguments import add_arguments as add_evaluate_arguments
from fer_core.models.label_sets import LABEL_SETS
from fer_core.settings import home_folder
from fer_core.training.arguments import add_arguments, config_from_arguments
from fer_core.training.config import RunConfig
from fer_core.training.model_commands import (
    add_export_arguments,
    add_import_arguments,
    run_export,
    run_import,
)

_APP = Path(__file__).parents[1] / "app.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 done, 1 a named error, 2 wrong usage, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # TensorFlow's own start-up messages are not for the person who trains.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        options.execute(options)
    except FerError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join `--scale -1..1` to one word, since argparse takes what begins with a dash for an option."""
    text = "\0".join(arguments)
    return text.replace("--scale\0-", "--scale=-").split("\0") if text else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fer_core", description="Facial expression recognition.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(execute=run)
        return sub

    sub = command("prepare", _prepare, "Write FER-2013 as a tree of PNG files: train/angry/im0.png and so on.")
    sub.add_argument("source", type=Path, help="fer2013.csv in any form: plain, compressed, an archive, a folder")
    sub.add_argument("--out", type=Path, required=True, help="folder to write, new or empty")

    sub = command("train", _train, "Train a network, from its beginning or from where it stopped.")
    add_arguments(sub)

    sub = command("import", run_import, "Bring a model of another origin, or its weights, into this program.")
    add_import_arguments(sub)

    sub = command("export", _export, "Write a finished run or a model for the app or for other programs.")
    add_export_arguments(sub)

    sub = command("convert", _convert, "Turn weights that the original script saved (model.h5) into a model.")
    sub.add_argument("weights", type=Path, help="model.h5")
    sub.add_argument("--out", type=Path, required=True, help="folder of the model")

    sub = command("explain", _explain, "Write where a model looks on faces: Grad-CAM and occlusion of every emotion.")
    sub.add_argument("--model", help="name or folder of a model (default: the one in use)")
    sub.add_argument("--faces", type=Path, required=True, help=".npy with gray faces, uint8 (n, 48, 48)")
    sub.add_argument("--out", type=Path, required=True, help=".npz to write: labels, scores, gradcam, occlusion")

    sub = command("evaluate", _evaluate, "Measure models on the test splits of a data set.")
    add_evaluate_arguments(sub)

    sub = command("analyze", _analyze, "Write every face of pictures and videos, with its scores, as a table.")
    sub.add_argument("files", type=Path, nargs="+", help="pictures, videos and folders of them")
    sub.add_argument(
        "--out", type=Path, help="CSV to write, with NAME.about.json beside it (default: the standard output)"
    )
    sub.add_argument(
        "--annotated", type=Path, metavar="FOLDER", help="also write copies with boxes and words, without sound"
    )
    sub.add_argument(
        "--every",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="time from one analysed frame of a video to the next (default: all frames)",
    )
    sub.add_argument(
        "--smoothing",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="time constant over which a face's scores are smoothed (default: not at all)",
    )
    sub.add_argument("--model", help="name or folder of a model (default: the one in use)")
    sub.add_argument(
        "--labels-of",
        choices=LABEL_SETS,
        help="what faces are scored for: what people see, FER-2013's labels, or ten people's votes (default: the "
        "model's own default)",
    )

    sub = command("display", _display, "Open the live page.")
    sub.add_argument("--weights", type=Path, help="weights that the original script saved (model.h5)")
    return parser


def _prepare(options: argparse.Namespace) -> None:
    from fer_core.data.prepare import write_png_tree
    from fer_core.data.sources import read_source

    with _progress("Reading", "bytes") as progress:
        faces = read_source(options.source, progress)
    with _progress("Writing", "images") as progress:
        write_png_tree(faces, options.out, progress)
    print(f"Wrote {len(faces):,} images to {options.out}.")


def _train(options: argparse.Namespace) -> None:
    from fer_core.training import command

    if options.measure:
        command.measure(config_from_arguments(options), _open_faces, options.measure)
        return
    run = command.run_of(options)
    metrics = command.train_run(run, _open_faces)
    if metrics is None:
        print(f"Stopped. Go on with: python -m fer_core train --resume --run {options.run or run.name}")
        return
    for name, figures in metrics.items():
        low, high = figures["accuracy_95"]
        print(f"{name}: {figures['accuracy']:.2%} ({low:.1%} to {high:.1%}), {figures['protocol']}")


def _open_faces(config: RunConfig) -> FaceSet:
    """Open the data set that a configuration names, with its list of corrections applied to what is trained on.

    What measures keeps every image and its published label, so that figures of runs compare.
    """
    from fer_core.audit.corrections import load_corrections
    from fer_core.data.resolve import open_faces
    from fer_core.training.loop.targets import with_corrections

    faces = open_faces(config.data)
    if not config.corrections:
        return faces
    keep, labels = load_corrections(Path(config.corrections), faces.hash, len(faces)).apply(faces.labels)
    return with_corrections(faces, config.train_splits, keep, labels)


def _convert(options: argparse.Namespace) -> None:
    run_import(
        argparse.Namespace(
            file=options.weights,
            name=None,
            out=options.out,
            architecture=None,
            labels=None,
            input_size=None,
            scale=None,
            resize="bilinear",
            json=False,
        )
    )


def _export(options: argparse.Namespace) -> None:
    run_export(options, _open_faces)


def _explain(options: argparse.Namespace) -> None:
    from fer_core.explain.command import explain_file
    from fer_core.models.model_store import chosen_model, find_model

    count = explain_file(find_model(options.model or chosen_model()), options.faces, options.out)
    print(f"Wrote the maps of {count:,} faces to {options.out}.")


def _evaluate(options: argparse.Namespace) -> None:
    from fer_core.evaluation.command import run

    run(options)


def _analyze(options: argparse.Namespace) -> None:
    from fer_core.media.command import run

    run(options)


def _seconds(text: str) -> float:
    """Read a span of time: a finite number, 0 or more."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError
    return value


def _display(options: argparse.Namespace) -> None:
    if not _APP.is_file():
        raise FerError(f"{_APP} is missing. Run this command from a checkout of the whole project.")
    with tempfile.TemporaryDirectory(prefix="fer-") as folder:
        environment = {**os.environ, "FER_HOME": str(home_folder())}  # the server works in another folder
        if options.weights:
            # In a process of its own: converting needs TensorFlow, the server must not load it.
            converted = subprocess.run(
                [sys.executable, "-m", "fer_core", "convert", str(options.weights.resolve()), "--out", folder],
                cwd=_APP.parent,
            )
            if converted.returncode != 0:
                raise ModelError(f"{options.weights} was not converted, so the page was not opened.")
            environment["FER_MODEL"] = folder
        subprocess.run([sys.executable, "-m", "streamlit", "run", str(_APP)], cwd=_APP.parent, env=environment)


@contextmanager
def _progress(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while the block runs; the yielded function takes (done, total)."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
