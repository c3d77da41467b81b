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
from fer_core.archive.parts import PARTS, Work, analyze_source, recognizer_of
from fer_core.archive.remote import find_sources, place_of
from fer_core.archive.source import DONE, FAILED, Entry
from fer_core.background.cluster import Cluster
from fer_core.errors import ArchiveError, MediaError
from fer_core.media.command import AnalyzeOptions
from fer_core.media.sources import STDIN
from fer_core.models.model_store import available_models, chosen_model
from fer_core.recognition.provenance import metadata
from fer_core.terminal import Update, progress_bar, terminate_as_interrupt

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
    if options.annotated or options.json:
        option = "--annotated" if options.annotated else "--json"
        raise ArchiveError(f"{option} does not go with a folder as --out: leave one of both away.")


def _model_for_all(model: str) -> str:
    """Return a model by its name, or by a path that holds in other processes too."""
    return model if model in available_models() else str(Path(model).absolute())


def _analyze(work: Work, entries: dict[str, Entry], waiting: Sequence[Entry], cluster: Cluster | None) -> None:
    """Analyse files, and write what becomes of each to the manifest and to `entries`."""
    total, done = sum(entry.weight for entry in waiting), 0
    try:
        with (
            terminate_as_interrupt(),
            ManifestWriter(work.folder / MANIFEST, entries.values()) as manifest,
            progress_bar("Analysing") as report,
            closing(_outcomes(work, waiting, cluster, manifest, report)) as outcomes,
        ):
            for entry in outcomes:
                before = entries[entry.file]
                entries[entry.file] = dataclasses.replace(entry, attempts=before.attempts + 1)
                manifest.write(entries[entry.file])
                done += before.weight
                report(done, total)
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
    total, before = sum(entry.weight for entry in waiting), 0
    for entry in waiting:
        manifest.write(dataclasses.replace(entry, attempts=entry.attempts + 1))
        yield analyze_source(
            work,
            entry.file,
            place_of(entry.file),
            lambda done, all_of_it, before=before, entry=entry: report(before + entry.weight * done / all_of_it, total),
        )
        before += entry.weight


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
