"""The command `analyze` with a folder as `--out`: an archive that goes on where it was stopped."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from fer_core.archive.cluster import analyze_on
from fer_core.archive.folder import MANIFEST, open_archive, plan
from fer_core.archive.manifest import ManifestWriter, read_manifest
from fer_core.archive.parts import PARTS, Work, recognizer_of
from fer_core.archive.progress import Progress
from fer_core.archive.remote import find_sources
from fer_core.archive.source import DONE, FAILED, WAITING, Entry
from fer_core.archive.tasks import SegmentDone, run_task
from fer_core.background.cluster import Cluster
from fer_core.errors import ArchiveError, MediaError
from fer_core.media.command import AnalyzeOptions
from fer_core.media.sources import STDIN
from fer_core.models.model_store import available_models, chosen_model
from fer_core.recognition.provenance import metadata
from fer_core.terminal import Update, interruptible, progress_bar

# Of so many files that fail, the reason is printed; the manifest has them all.
_PRINTED = 20


def run(options: AnalyzeOptions, cluster: Cluster | None = None) -> None:
    """Analyse all files that are not done yet, each to its part below the folder `options.out`.

    Args:
        options: of `fer analyze`.
        cluster: the processes that do it; this one if None.

    Raises:
        FerError: nothing could be started; or, at the end, some file could not be read.
    """
    _refuse_other_outputs(options)
    choices, files = options.choices(), find_sources(options.files, options.recursive)
    model = _model_for_all(options.model or chosen_model())
    recognizer = recognizer_of(model, choices.label_set)
    about = metadata(recognizer.card, recognizer.label_set, **choices.metadata())
    assert options.out is not None
    folder = options.out.absolute()
    work = Work(folder, model, about["model"], about["program"], choices)
    with open_archive(folder, about):
        entries = read_manifest(folder / MANIFEST)
        waiting = plan(work, entries, files)
        entries |= {entry.file: entry for entry in waiting}
        _analyze(work, entries, waiting, cluster)
    _finish(options.out, [entries[file] for file in files], len(waiting))


def _refuse_other_outputs(options: AnalyzeOptions) -> None:
    if STDIN in options.files:
        raise ArchiveError("The standard input cannot be looked up again later: save it to a file, and name that.")
    others = {"--annotated": options.annotated, "--json": options.json, "--report": options.report}
    if option := next((option for option, value in others.items() if value), None):
        raise ArchiveError(f"{option} does not go with a folder as --out: leave one of both away.")


def _model_for_all(model: str) -> str:
    """Return a model by its name, or by a path that holds in other processes too."""
    return model if model in available_models() else str(Path(model).absolute())


def _analyze(work: Work, entries: dict[str, Entry], waiting: Sequence[Entry], cluster: Cluster | None) -> None:
    """Analyse files, and write what becomes of each to the manifest and to `entries`."""
    total, done = sum(entry.weight for entry in waiting), dict[str, float]()
    attempts = {entry.file: entry.attempts + 1 for entry in waiting}
    try:
        with (
            progress_bar("Analysing") as bar,
            interruptible(bar, at_once=cluster is not None) as report,
            ManifestWriter(work.folder / MANIFEST, entries.values()) as manifest,
            closing(_outcomes(work, waiting, cluster, manifest, report)) as outcomes,
        ):
            for entry in outcomes:
                weight = entries[entry.file].weight
                entries[entry.file] = dataclasses.replace(entry, attempts=attempts[entry.file])
                manifest.write(entries[entry.file])
                share = entry.segments_done / entry.segments if entry.state == WAITING else 1.0
                done[entry.file] = weight * share
                report(sum(done.values()), total)
    except KeyboardInterrupt:
        print("Interrupted. What is done stays done; the same command goes on from there.", file=sys.stderr)
        raise SystemExit(130) from None


def _outcomes(
    work: Work, waiting: Sequence[Entry], cluster: Cluster | None, manifest: ManifestWriter, report: Update
) -> Generator[Entry, None, None]:
    """Return the new entry of each file, as they are done."""
    if cluster:
        return analyze_on(cluster, work, waiting)
    return _analyze_here(work, waiting, manifest, report)


def _analyze_here(
    work: Work, waiting: Sequence[Entry], manifest: ManifestWriter, report: Update
) -> Generator[Entry, None, None]:
    """Analyse files in this process. Each is noted before: one that crashes the program comes last the next time."""
    progress, total, before = Progress(work, waiting), sum(entry.weight for entry in waiting), 0.0
    of_file = {entry.file: entry for entry in waiting}
    while progress:
        task = progress.take()
        entry = of_file[task.file]
        if task.split is None:
            manifest.write(dataclasses.replace(entry, attempts=entry.attempts + 1))
        weight = entry.weight / len(task.split.parts) if task.split else entry.weight
        outcome = run_task(
            work,
            task,
            lambda done, all_of_it, before=before, weight=weight: report(before + weight * done / all_of_it, total),
        )
        if isinstance(outcome, SegmentDone) or (isinstance(outcome, Entry) and task.split is None):
            before += weight
        if new := progress.record(task, outcome):
            yield new


def _finish(folder: Path, entries: Sequence[Entry], analyzed: int) -> None:
    """Print what was done, and which files failed."""
    failed = [entry for entry in entries if entry.state == FAILED]
    for entry in failed[:_PRINTED]:
        print(f"Error: {entry.reason}", file=sys.stderr)
    done = sum(entry.state == DONE for entry in entries)
    print(f"{done:,} of {len(entries):,} files are done, {len(entries) - analyzed:,} from before: {folder / PARTS}")
    if failed:
        raise MediaError(
            f"{len(failed):,} of {len(entries):,} files could not be read, or not to their end; {folder / MANIFEST} "
            "says why. The same command tries them again."
        )
