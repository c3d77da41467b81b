"""The faults of the real FER-2013, as counted by others too; skipped where it is not at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.audit.image_stats import compute_image_stats
from fer_core.audit.near_duplicates import near_duplicates
from fer_core.audit.votes import (
    CONTEMPT,
    UNKNOWN,
    agreement,
    contradict_strongly,
    leading_column,
    not_a_face,
    unanimously_not_a_face,
)
from fer_core.data.duplicate_groups import leaked_rows
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS
from fer_core.data.votes import read_votes


@pytest.fixture(scope="module")
def exact(fer2013):
    return exact_duplicates(fer2013.images)


@pytest.fixture(scope="module")
def votes(fer2013_path: Path):
    path = fer2013_path.with_name("fer2013new.csv")
    if not path.is_file():
        pytest.skip("the FER+ votes are not at hand: put fer2013new.csv beside fer2013.csv")
    return read_votes(path).counts


def rows_in(faces, *splits: str) -> np.ndarray:
    return np.isin(faces.split, [SPLITS.index(split) for split in splits])


def test_exact_copies(exact):
    assert (len(exact.surplus), len(exact), exact.sizes.max()) == (1853, 1516, 12)


def test_groups_of_copies_with_conflicting_labels(fer2013, exact):
    assert len(exact.differing(fer2013.labels)) == 57


@pytest.mark.parametrize(
    ("split", "among", "count"),
    [
        ("PublicTest", ["Training"], 280),
        ("PrivateTest", ["Training"], 288),
        ("PrivateTest", ["Training", "PublicTest"], 314),
    ],
)
def test_test_images_found_exactly_elsewhere(fer2013, exact, split, among, count):
    assert len(leaked_rows(rows_in(fer2013, split), rows_in(fer2013, *among), exact)) == count


def test_test_images_found_nearly_in_training(fer2013, exact):
    near = near_duplicates(fer2013.images)
    training = rows_in(fer2013, "Training")
    assert [
        len(leaked_rows(rows_in(fer2013, split), training, exact, near)) for split in ("PublicTest", "PrivateTest")
    ] == [360, 385]


def test_blank_images(fer2013):
    light = compute_image_stats(fer2013.images)
    assert (light.all_black.sum(), light.nearly_blank.sum(), light.mostly_black.sum()) == (12, 15, 112)


def test_votes_against_labels(fer2013, votes):
    assert round(100 * agreement(votes, fer2013.labels), 1) == 62.3
    assert contradict_strongly(votes, fer2013.labels).sum() == 2197


def test_votes_for_no_face(votes):
    leading = leading_column(votes)
    assert [int(np.sum(leading == column)) for column in (UNKNOWN, CONTEMPT)] == [222, 216]
    assert (unanimously_not_a_face(votes).sum(), not_a_face(votes).sum()) == (176, 177)
