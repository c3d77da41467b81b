"""The commands that turn pictures and videos into tables."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_core.cli.arguments import either, one_of
from fer_core.models.label_sets import LABEL_SETS

if TYPE_CHECKING:
    from fer_core.media.command import AnalyzeOptions

_OUT_HELP = (
    "Table to write: .csv, .json, .jsonl, .parquet or .xlsx, with NAME.about.json beside it. (default: CSV on the "
    "standard output)"
)
_Out = Annotated[Path | None, typer.Option(help=_OUT_HELP, show_default=False)]
_Model = Annotated[
    str | None, typer.Option(help="Name or folder of a model. (default: the one in use)", show_default=False)
]

_LabelSet = Annotated[
    str | None,
    typer.Option(
        parser=one_of(LABEL_SETS),
        metavar=either(LABEL_SETS),
        help="What faces are scored for: what people see, FER-2013's labels, or ten people's votes. (default: the "
        "model's own)",
        show_default=False,
    ),
]


def _seconds(text: str) -> float:
    """Read a span of time: a finite number, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise typer.BadParameter(f"{text!r} is not a number of seconds, 0 or more.")
    return value


def analyze(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, videos, .zip archives, folders of them, patterns; - for the standard input; with a folder "
            "as --out, URLs too."
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help=f"{_OUT_HELP} A folder, named with / at its end: a Parquet file in it for each file, and a manifest; "
            "the same command goes on where it was stopped.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="With a folder as --out: how many processes do it.", show_default=False
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With a folder as --out: the Dask scheduler whose workers do it, tcp://HOST:PORT; a YAML file that "
            "describes jobs of SLURM; or local.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Write JSON Lines to the standard output: an object for each face.")
    ] = False,
    annotated: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Also write copies with boxes and labels, those of videos with their sound."
        ),
    ] = None,
    blur_faces: Annotated[
        bool,
        typer.Option(
            "--blur-faces",
            help="Blur faces in the copies. A lost one stays blurred where it was for 2 seconds; one that is never "
            "found is not.",
        ),
    ] = False,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Look into the folders in folders too.")] = False,
    start: Annotated[
        float,
        typer.Option(
            parser=_seconds,
            metavar="SECONDS",
            help="Time of videos at which to begin. (default: their beginning)",
            show_default=False,
        ),
    ] = 0.0,
    end: Annotated[
        float | None,
        typer.Option(
            parser=_seconds,
            metavar="SECONDS",
            help="Time of videos at which to stop. (default: their end)",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        float,
        typer.Option(
            parser=_seconds,
            metavar="SECONDS",
            help="Time from one analysed frame of a video to the next. (default: all frames)",
            show_default=False,
        ),
    ] = 0.0,
    smoothing: Annotated[
        float,
        typer.Option(
            parser=_seconds,
            metavar="SECONDS",
            help="Time constant over which a face's scores are smoothed. (default: not at all)",
            show_default=False,
        ),
    ] = 0.0,
    model: _Model = None,
    labels_of: _LabelSet = None,
) -> None:
    """Find faces in pictures and videos and tabulate their scores."""
    from fer_core.media.command import AnalyzeOptions, run
    from fer_core.media.sources import is_remote

    options = AnalyzeOptions(
        [file if is_remote(file) else Path(file) for file in files],
        Path(out) if out is not None else None,
        annotated,
        every,
        smoothing,
        model,
        labels_of,
        blur_faces=blur_faces,
        start=start,
        end=end,
        recursive=recursive,
        json=json,
    )
    if out is not None and (out.endswith(("/", os.sep)) or Path(out).is_dir()):
        _analyze_archive(options, jobs, cluster)
    elif jobs or cluster:
        raise typer.BadParameter("--jobs and --cluster need a folder as --out: name one with / at its end.")
    else:
        run(options)


def _analyze_archive(options: AnalyzeOptions, jobs: int | None, cluster: str | None) -> None:
    from fer_core.archive.command import run
    from fer_core.background.cluster import LOCAL, Cluster

    run(options, Cluster(cluster or LOCAL, jobs) if cluster or (jobs or 1) > 1 else None)


def classify(
    files: Annotated[
        list[Path],
        typer.Argument(help="Pictures of one face each, .npy files of uint8 (n, 48, 48), and folders of them."),
    ],
    out: _Out = None,
    model: _Model = None,
    labels_of: _LabelSet = None,
) -> None:
    """Tabulate the scores of faces that are cropped already."""
    from fer_core.media.command import run_classify

    run_classify(files, out, model, labels_of)
