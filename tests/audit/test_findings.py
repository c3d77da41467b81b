"""The findings of a drawn set with known faults, and the problems they are listed as."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.audit.findings import Findings, examine
from fer_core.audit.problems import excluded_shares, problems
from fer_core.audit.search import SUSPICIOUS
from fer_core.data.face_set import SPLITS, VOTE_COLUMNS
from fer_core.emotions import LABELS, canonical
from fer_core.errors import DataError

TRAINING, PUBLIC, PRIVATE = (SPLITS.index(name) for name in ("Training", "PublicTest", "PrivateTest"))
N = 300


@pytest.fixture
def faulty(drawn, images):
    """Images, labels, splits and votes; the faults are at rows 5 to 9, 20 to 23, 30, 40, 50 and 200."""
    labels, split = drawn.labels.copy(), np.full(N, TRAINING, np.uint8)
    split[200:250], split[250:] = PUBLIC, PRIVATE
    labels[[9, 200]] = labels[5]
    labels[8] = (labels[7] + 1) % 7  # a conflicting copy
    images[20] = 0  # all black
    images[21] = 77  # nearly blank
    images[22, :20] = 0  # mostly black
    images[251] = images[23] // 2 + 60  # a near copy in another split
    votes = np.zeros((N, 10), np.uint8)
    column = [[canonical(name) for name in VOTE_COLUMNS].index(label) for label in LABELS]
    votes[np.arange(N), np.array(column)[labels]] = 10
    votes[30] = 10 * (np.arange(10) == 9)
    votes[40] = [*np.roll(votes[40][:7], 1).tolist(), 0, 0, 0]
    return images, labels, split, votes


@pytest.fixture
def findings(faulty) -> Findings:
    return examine(*faulty)


def listed(findings: Findings) -> dict:
    return {problem.key: problem for problem in problems(findings)}


def test_every_fault_is_counted(findings):
    assert {key: problem.count for key, problem in listed(findings).items()} == {
        "copies": 3,
        "conflicting-copies": 1,
        "in-training": 2,
        "near-copies": 1,
        "blank": 2,
        "mostly-black": 2,
        "not-a-face": 1,
        "votes": 1,
    }


@pytest.mark.parametrize(
    ("key", "rows", "group"),
    [
        ("copies", [5, 9, 200, 7, 8], [0, 0, 0, 1, 1]),
        ("conflicting-copies", [7, 8], [1, 1]),
        ("in-training", [200, 251], None),
        ("near-copies", [23, 251], [2, 2]),
        ("blank", [20, 21], None),
        ("mostly-black", [20, 22], None),
        ("not-a-face", [30], None),
        ("votes", [40], None),
    ],
)
def test_the_faces_to_show(findings, key, rows, group):
    problem = listed(findings)[key]
    assert problem.rows.tolist() == rows
    assert (problem.group if group is None else problem.group.tolist()) == group


def test_a_set_without_faults_lists_counts_of_zero(drawn):
    near_by_nature = {"near-copies", "in-training"}
    counts = {
        problem.key: problem.count for problem in problems(examine(drawn.images, drawn.labels, np.zeros(N, np.uint8)))
    }
    assert {count for key, count in counts.items() if key not in near_by_nature} == {0}


def test_without_votes_nothing_is_said_about_them(faulty):
    assert not {"votes", "not-a-face"} & set(listed(examine(*faulty[:3])))


def test_explanations_carry_the_numbers(findings):
    text = listed(findings)["in-training"].explanation
    assert "1 of PublicTest exactly" in text and "0 of PrivateTest exactly and 1 with near copies" in text


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        (0, ()),
        (20, ("blank", "mostly black")),
        (8, ("copies disagree",)),
        (9, ("copy",)),
        (200, ("also in training",)),
        (30, ("not a face",)),
        (40, ("votes disagree",)),
    ],
)
def test_reasons_to_suspect_a_face(findings, row, reasons):
    assert set(findings.issue_score.reasons(row)) == set(reasons)


def test_blank_images_and_other_things_than_faces_come_first(findings):
    assert set(findings.issue_score.order[:3].tolist()) == {20, 21, 30}


def test_a_copy_in_training_does_not_make_a_face_suspicious(findings):
    assert findings.issue_score.reasons(200) == ("also in training",)
    assert findings.issue_score.score[200] < SUSPICIOUS


def test_copies_alone_do_not_make_a_face_suspicious_whose_label_the_votes_confirm(faulty):
    images, labels, split, votes = faulty
    votes[8] = votes[0] * 0
    votes[8, 0] = votes[8, 1] = 5  # a tie confirms nothing
    score = examine(images, labels, split, votes).issue_score
    assert score.score[7] < SUSPICIOUS <= score.score[8]
    assert score.reasons(7) == ("copies disagree",)


def test_rows_that_nobody_voted_on_are_no_reason(faulty):
    images, labels, split, votes = faulty
    votes[[30, 40]] = 0
    findings = examine(images, labels, split, votes)
    assert findings.issue_score.reasons(30) == findings.issue_score.reasons(40) == ()
    assert (listed(findings)["not-a-face"].count, listed(findings)["votes"].count) == (0, 0)
    assert "2 images were not voted on at all" in listed(findings)["not-a-face"].explanation


def test_before_near_copies_are_looked_for_none_are_counted(findings):
    before = listed(replace(findings, near_duplicates=None))
    assert "near-copies" not in before
    assert before["in-training"].rows.tolist() == [200]
    assert "near" not in before["in-training"].explanation


def test_held_out_faces_are_no_test_faces(faulty):
    images, labels, split, votes = faulty
    split[200:250] = SPLITS.index("Validation")
    leaks = listed(examine(images, labels, split, votes))["in-training"]
    assert leaks.rows.tolist() == [251] and "1 of Validation exactly" in leaks.explanation


def test_copies_of_a_face(findings):
    assert findings.copies_of(5).tolist() == [9, 200]
    assert findings.copies_of(23).tolist() == [251]
    assert replace(findings, near_duplicates=None).copies_of(23).tolist() == []


def test_what_excluding_takes_from_each_split(findings):
    assert excluded_shares(findings, np.array([0, 1, 210])) == {"Training": 0.01, "PublicTest": 0.02}


def test_permuted_rows_permute_the_suspicion(faulty, findings):
    order = np.random.default_rng(0).permutation(N)
    permuted = examine(*(array[order] for array in faulty))
    np.testing.assert_allclose(permuted.issue_score.score, findings.issue_score.score[order], atol=1e-6)


def scores(labels: np.ndarray, rows: np.ndarray, wrong: list[int]) -> np.ndarray:
    """Scores that are sure of the label, but at the rows `wrong` of the next one."""
    told = np.where(np.isin(rows, wrong), (labels[rows] + 1) % 7, labels[rows])
    return (0.9 * np.eye(7)[told] + 0.1 / 7).astype(np.float32)


def test_a_model_judges_faces_it_never_saw_nor_copies_of_them(findings):
    rows = np.arange(200, N)
    judged = findings.judged_by(rows, scores(findings.labels, rows, [200, 251, 260]), findings.split == TRAINING)
    assert judged.label_issues.rows.tolist() == [260]
    assert listed(judged)["model"].count == 1
    assert judged.issue_score.reasons(260) == ("model disagrees",)
    assert findings.label_issues is None


def test_a_model_cannot_judge_what_it_was_trained_on(findings):
    rows = np.arange(190, N)
    with pytest.raises(DataError, match="seen in training"):
        findings.judged_by(rows, scores(findings.labels, rows, []), findings.split == TRAINING)
