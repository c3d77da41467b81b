"""Corrections that the findings alone justify, each with its reason, and how they join those of a person."""

from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.automatic_corrections import (
    add_proposal,
    automatic_corrections,
    count_by_reason,
)
from fer_core.audit.corrections import Corrections
from fer_core.audit.findings import Findings
from fer_core.audit.image_stats import compute_image_stats
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS, VOTE_COLUMNS
from fer_core.emotions import LABELS, canonical

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
TRAINING, PUBLIC = SPLITS.index("Training"), SPLITS.index("PublicTest")
ANGRY, HAPPY, SAD = (LABELS.index(name) for name in ("angry", "happy", "sad"))
N = 30


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (N, 48, 48), np.uint8)


def votes_for(**counts: int) -> np.ndarray:
    """Return uint8 (10,): votes by label or column."""
    columns = [canonical(column) or column for column in VOTE_COLUMNS]
    votes = np.zeros(10, np.uint8)
    for name, count in counts.items():
        votes[columns.index(name)] = count
    return votes


def propose(images, labels, split=None, votes=None):
    """Return what is proposed: row to (action, label, reason)."""
    split = np.full(N, TRAINING, np.uint8) if split is None else split
    findings = Findings(labels, split, votes, compute_image_stats(images), exact_duplicates(images))
    corrections = automatic_corrections(findings, "hash", WHEN)
    return {row: (mark.action, mark.label, mark.reason) for row, mark in corrections.current.items()}


def test_a_faultless_set_needs_no_correction(images):
    labels = np.zeros(N, np.int64)
    assert propose(images, labels, votes=np.tile(votes_for(angry=10), (N, 1))) == {}


def test_blank_images_are_excluded_in_every_split(images):
    images[[3, 29]] = 0
    split = np.repeat([TRAINING, PUBLIC], [20, 10]).astype(np.uint8)
    assert propose(images, np.zeros(N, np.int64), split) == dict.fromkeys((3, 29), ("exclude", "", "blank image"))


def test_leaked_copies_are_excluded_from_training_alone(images):
    images[4] = images[5] = images[25]
    split = np.repeat([TRAINING, PUBLIC], [20, 10]).astype(np.uint8)
    reason = "copy of an image outside Training (in PublicTest)"
    assert propose(images, np.zeros(N, np.int64), split) == dict.fromkeys((4, 5), ("exclude", "", reason))


def test_copies_with_different_labels_get_the_one_of_most_copies(images):
    images[[1, 2]] = images[0]
    labels = np.full(N, HAPPY)
    labels[2] = SAD
    reason = "copies with different labels (happy, sad; most copies)"
    assert propose(images, labels) == {2: ("relabel", "happy", reason)}


def test_copies_with_different_labels_are_excluded_where_nothing_favours_one(images):
    images[1] = images[0]
    labels = np.full(N, HAPPY)
    labels[1] = SAD
    reason = "copies with different labels (happy, sad)"
    assert propose(images, labels) == dict.fromkeys((0, 1), ("exclude", "", reason))


def test_voters_decide_between_copies(images):
    images[1] = images[0]
    labels = np.full(N, HAPPY)
    labels[1] = SAD
    votes = np.tile(votes_for(happy=10), (N, 1))
    votes[:2] = votes_for(sad=6, happy=4)
    reason = "copies with different labels (happy, sad; most voters)"
    assert propose(images, labels, votes=votes) == {0: ("relabel", "sad", reason)}


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ({"angry": 0, "sad": 8}, ("relabel", "sad", "votes contradict the label (0 angry, 8 sad)")),
        ({"angry": 1, "sad": 5, "happy": 4}, ("relabel", "sad", "votes contradict the label (1 angry, 5 sad)")),
        ({"angry": 2, "sad": 8}, None),
        ({"sad": 5, "happy": 5}, None),
        ({"contempt": 10}, None),
        ({"NF": 10}, None),
        ({}, None),
    ],
)
def test_a_label_that_hardly_anybody_saw_gives_way_to_a_unique_majority(images, votes, expected):
    counts = np.tile(votes_for(angry=10), (N, 1))
    counts[7] = votes_for(**votes)
    assert propose(images, np.full(N, ANGRY), votes=counts).get(7) == expected


def test_each_row_is_corrected_once(images):
    images[[0, 1]] = 0  # blank copies of each other and of a test image, with different labels that nobody saw
    images[25] = 0
    labels = np.full(N, ANGRY)
    labels[1] = HAPPY
    split = np.repeat([TRAINING, PUBLIC], [20, 10]).astype(np.uint8)
    proposed = propose(images, labels, split, np.tile(votes_for(sad=10), (N, 1)))
    assert {row: proposed[row][2] for row in (0, 1, 25)} == dict.fromkeys((0, 1, 25), "blank image")


def test_what_a_person_decided_stays_and_the_rest_is_one_step(images):
    images[:3] = 0
    findings = Findings(
        np.zeros(N, np.int64), np.zeros(N, np.uint8), None, compute_image_stats(images), exact_duplicates(images)
    )
    own = Corrections("hash", N).relabel([0], "happy", "I looked", WHEN).exclude([1], "", WHEN).remove([1], WHEN)
    joined = add_proposal(own, automatic_corrections(findings, "hash", WHEN), WHEN)
    assert {row: mark.reason for row, mark in joined.current.items()} == {0: "I looked", 2: "blank image"}
    assert joined.undo() == own
    assert add_proposal(joined, automatic_corrections(findings, "hash", WHEN), WHEN) == joined
    assert count_by_reason(joined) == {("relabel", "I looked"): 1, ("exclude", "blank image"): 1}
