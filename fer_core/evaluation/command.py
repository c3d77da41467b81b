"""The command `evaluate`: measure models, print every figure, and check or write their cards."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from fer_core.audit.hold_out import open_split_faces
from fer_core.audit.subsets import stored_subset
from fer_core.cache import cache_folder
from fer_core.data.face_set import FaceSet
from fer_core.errors import DataError, FerError, ModelError
from fer_core.evaluation.arguments import TOLERANCE_POINTS, EvaluateOptions
from fer_core.evaluation.assessment import assess, measured_splits
from fer_core.evaluation.card_figures import (
    difference_to_card,
    has_truth,
    with_figures,
)
from fer_core.evaluation.end_to_end import measure_end_to_end
from fer_core.evaluation.pairs import PairedMeasure, ScoredModel, lines_of_pair, pair_to_json, paired_measures
from fer_core.evaluation.results import EvaluationResult
from fer_core.evaluation.scoring import (
    find_robustness,
    find_scores,
    score_robustness,
    score_split,
)
from fer_core.evaluation.serialization import evaluation_to_json
from fer_core.evaluation.subset import EvaluatedSubset
from fer_core.evaluation.text import lines_of
from fer_core.files import write_json
from fer_core.models.bundle import CARD_FILE, load_bundle
from fer_core.models.model_store import chosen_model, find_model
from fer_core.recognizer import EmotionRecognizer
from fer_core.terminal import progress_bar

_PROGRESS_EVERY_S = 0.2
_ROBUSTNESS_SPLITS = ("PrivateTest", "Test", "Validation", "PublicTest")


def run(options: EvaluateOptions) -> None:
    """Measure models as the options say.

    Raises:
        FerError: a model or the data set cannot be used, or a card's figures are not confirmed.
    """
    _refuse_with_subset(options)
    folders = [find_model(name) for name in options.model or [chosen_model()]]
    with _progress(options.progress) as progress:
        progress("Opening the data set", 0, 1)
        faces = open_split_faces(options.data)
        splits = tuple(options.split or measured_splits(faces))
        subset = _subset(options)
        measured = [_measure(folder, faces, splits, subset, options, progress) for folder in folders]
    results = [each.result for each in measured]
    _print_json(measured) if options.json else _print_lines(measured)
    denied = []
    for folder, result in zip(folders, results, strict=True):
        if options.write_card:
            card = load_bundle(folder).card
            with_figures(card, result).save(folder / CARD_FILE)
        if options.card:
            try:
                _check_card(folder, result)
            except ModelError as error:
                denied.append(str(error))
    if denied:
        raise ModelError(" ".join(denied))


_Report = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, eq=False)
class _Measured:
    """A model's figures, and the faces and scores that they are of."""

    name: str
    result: EvaluationResult
    faces: FaceSet
    model: ScoredModel


def _print_lines(measured: Sequence[_Measured]) -> None:
    for each in measured:
        print("\n".join(lines_of(each.result)))
    for first, other in _pairs(measured):
        for split, measures in _compare(first, other):
            print("\n".join(lines_of_pair(split, first.name, other.name, measures)))


def _print_json(measured: Sequence[_Measured]) -> None:
    contents = [evaluation_to_json(each.result) for each in measured]
    for (first, other), content in zip(_pairs(measured), contents[1:], strict=True):
        content["compared"] = [pair_to_json(first.name, split, pairs) for split, pairs in _compare(first, other)]
    print(json.dumps(contents if len(measured) > 1 else contents[0], indent=2))


def _pairs(measured: Sequence[_Measured]) -> list[tuple[_Measured, _Measured]]:
    """Return the first model with each of the others."""
    first, *others = measured
    return [(first, other) for other in others]


def _compare(first: _Measured, other: _Measured) -> Iterator[tuple[str, list[PairedMeasure]]]:
    for split in first.model.scores:
        yield split, paired_measures(first.faces, split, first.model, other.model)


def _refuse_with_subset(options: EvaluateOptions) -> None:
    wholes = {"--robustness": options.robustness, "--card": options.card, "--write-card": options.write_card}
    if options.subset and (given := [option for option, value in wholes.items() if value]):
        raise DataError(f"{' and '.join(given)} is about whole splits. Leave it out, or --subset.")


def _subset(options: EvaluateOptions) -> EvaluatedSubset | None:
    if not options.subset:
        return None
    return EvaluatedSubset(options.subset, stored_subset(options.data, options.subset).rows)


def _measure(
    folder: Path,
    faces: FaceSet,
    splits: Sequence[str],
    subset: EvaluatedSubset | None,
    options: EvaluateOptions,
    progress: _Report,
) -> _Measured:
    bundle = load_bundle(folder)
    name = bundle.card.name
    scores = {
        split: score_split(
            bundle, faces, split, lambda done, total, split=split: progress(f"{name} on {split}", done, total)
        )
        for split in splits
    }
    if options.progress and any(find_scores(bundle, faces.hash, split) is None for split in splits):
        raise _not_kept(f"The scores of {name}", faces)
    result = assess(bundle, faces, scores, subset)
    if options.robustness:
        split = next((split for split in _ROBUSTNESS_SPLITS if split in splits), splits[0])
        robustness = score_robustness(
            bundle, faces, split, lambda done, total: progress(f"{name} on worse pictures of {split}", done, total)
        )
        result = dataclasses.replace(result, robustness={split: robustness})
        if options.progress and find_robustness(bundle, faces.hash, split) is None:
            raise _not_kept(f"The robustness of {name}", faces)
    if options.end_to_end:
        split = next(iter(result.splits))
        rows = faces.rows_of(split)
        rows = rows if subset is None else np.intersect1d(rows, subset.rows)
        progress(f"{name}, faces of {split} pasted into scenes", 0, len(rows))
        line = measure_end_to_end(
            EmotionRecognizer(folder), faces.images[rows], faces.labels[rows], class_names=faces.class_names
        )
        result = dataclasses.replace(result, end_to_end={split: line})
    own_faces, own_scores = (faces, scores) if subset is None else subset.restrict(faces, scores)
    return _Measured(folder.name, result, own_faces, ScoredModel(bundle.card, own_scores))


def _not_kept(what: str, faces: FaceSet) -> DataError:
    # To a page, what was kept is all that comes of a measurement.
    return DataError(
        f"{what} could not be kept in {cache_folder(faces.hash)}. Free some space there and measure again."
    )


def _check_card(folder: Path, result: EvaluationResult) -> None:
    where, points = difference_to_card(load_bundle(folder).card, result)
    if not where:
        raise ModelError(
            f"The card of {result.model} names none of these figures, so there is nothing to confirm. "
            "Write them into it with --write-card."
        )
    if points > TOLERANCE_POINTS:
        raise ModelError(
            f"The card of {result.model} is not confirmed: {where} differs by {points:.2f} points; "
            f"expected at most {TOLERANCE_POINTS}."
        )
    without = (
        ""
        if has_truth(result)
        else (" Its calibration was not compared: it is against FER+ votes, which this data set lacks.")
    )
    print(
        f"The card of {result.model} is confirmed: the largest difference is {points:.3f} points ({where}).{without}",
        file=sys.stderr,
    )


@contextmanager
def _progress(path: Path | None) -> Iterator[_Report]:
    """Show how far this is on the terminal or, for a page, in the file `path`; an error ends up there too."""
    if path is not None:
        written_s = 0.0

        def write(what: str, done: int, total: int, error: str = "") -> None:
            with suppress(OSError):  # a full disk hides how far this is; whether the scores fit is seen to elsewhere
                write_json(path, {"what": what, "done": done, "total": total, "error": error})

        def report(what: str, done: int, total: int) -> None:
            nonlocal written_s
            if time.monotonic() - written_s >= _PROGRESS_EVERY_S or done in (0, total):
                written_s = time.monotonic()
                write(what, done, total)

        try:
            yield report
            write("", 1, 1)  # done, also where everything was kept already and nothing was counted
        except FerError as error:
            write("", 0, 1, str(error))
            raise
        return
    with progress_bar() as update:
        yield lambda what, done, total: update(done, total, what)
