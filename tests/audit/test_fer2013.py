"""The faults of the real FER-2013, as counted by others too; skipped where it is not at hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_core.audit.findings import Findings
from fer_core.audit.image_stats import compute_image_stats
from fer_core.audit.near_duplicates import near_duplicates
from fer_core.audit.problems import problems
from fer_core.audit.search import SUSPICIOUS
from fer_core.audit.summary import summarize
from fer_core.audit.votes import agreement, confirmed, contradict_strongly, not_a_face, unanimously_not_a_face
from fer_core.data.duplicate_groups import leaked_rows
from fer_core.data.exact_duplicates import exact_duplicates
from fer_core.data.face_set import SPLITS, VOTE_COLUMNS
from fer_core.data.votes import has_votes, majority_column, read_votes


@pytest.fixture(scope="module")
def exact(fer2013):
    return exact_duplicates(fer2013.images)


@pytest.fixture(scope="module")
def near(fer2013):
    return near_duplicates(fer2013.images)


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


def test_test_images_found_nearly_in_training(fer2013, exact, near):
    training = rows_in(fer2013, "Training")
    assert [
        len(leaked_rows(rows_in(fer2013, split), training, exact, near)) for split in ("PublicTest", "PrivateTest")
    ] == [360, 385]


def test_blank_images(fer2013):
    light = compute_image_stats(fer2013.images)
    assert (light.all_black.sum(), light.nearly_blank.sum(), light.mostly_black.sum()) == (12, 15, 112)


def test_votes_against_labels(fer2013, votes):
    assert round(100 * agreement(votes, fer2013.labels), 1) == 61.6
    assert contradict_strongly(votes, fer2013.labels).sum() == 2197


def test_votes_for_no_face(votes):
    column = majority_column(votes)
    counts = [int(np.sum(column == VOTE_COLUMNS.index(name))) for name in ("unknown", "contempt", "NF")]
    assert counts == [222, 212, 4]
    assert (unanimously_not_a_face(votes).sum(), not_a_face(votes).sum()) == (3, 4)


def test_rows_that_nobody_voted_on_and_ties(votes):
    nobody = ~has_votes(votes)
    assert (nobody.sum(), np.sum(~nobody & (majority_column(votes) < 0))) == (173, 1776)


def test_the_sentences_carry_the_true_figures(fer2013, exact, near, votes):
    findings = Findings(fer2013.labels, fer2013.split, votes, compute_image_stats(fer2013.images), exact)
    before = {problem.key: problem for problem in problems(findings)}
    assert "280 of PublicTest exactly; 288 of PrivateTest exactly." in before["in-training"].explanation
    assert "near" not in before["in-training"].explanation and before["in-training"].count == 568
    assert "4 images were called not a face" in before["not-a-face"].explanation
    assert "3 of them by everyone" in before["not-a-face"].explanation
    assert "173 images were not voted on at all" in before["not-a-face"].explanation
    after = {problem.key: problem for problem in problems(replace(findings, near_duplicates=near))}
    assert (
        "280 of PublicTest exactly and 360 with near copies; 288 of PrivateTest exactly and 385 with near copies"
        in after["in-training"].explanation
    )


def test_no_face_that_nobody_voted_on_is_suspicious_by_votes(fer2013, exact, near, votes):
    stats = compute_image_stats(fer2013.images)
    score = Findings(fer2013.labels, fer2013.split, votes, stats, exact, near).issue_score
    for row in np.flatnonzero(~has_votes(votes)):
        assert not {"not a face", "votes disagree"} & set(score.reasons(row))


def test_no_confirmed_face_is_suspicious_through_its_copies(fer2013, exact, near, votes):
    stats = compute_image_stats(fer2013.images)
    findings = Findings(fer2013.labels, fer2013.split, votes, stats, exact, near)
    plain = confirmed(votes, fer2013.labels) & ~stats.nearly_blank & ~stats.mostly_black
    assert plain.sum() > 20_000 and findings.issue_score.score[plain].max() < SUSPICIOUS


def test_summary_leaves_out_what_nobody_voted_on(fer2013, votes):
    summary = summarize(replace(fer2013, votes=votes), means=np.empty(0))
    assert summary.seen.sum() == 35_714 and round(100 * summary.agreement, 1) == 61.6


def test_near_copies_do_not_chain(exact, near):
    groups = near.groups(exact)
    assert (len(groups), groups.sizes.max()) == (1864, 12)
    pairs = set(zip(near.first.tolist(), near.second.tolist(), strict=True))
    for number in np.flatnonzero(groups.sizes > 2):
        for pair in itertools.combinations(groups.rows(number).tolist(), 2):
            assert pair in pairs or exact.id[pair[0]] == exact.id[pair[1]] >= 0
