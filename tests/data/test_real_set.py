"""The whole of FER-2013, where it is at hand: the figures that are known come out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.data.splits import with_validation
from fer_core.data.store import open_store, write_store
from fer_core.data.votes import clear_expression, has_votes, join_votes, read_votes, unique_majority
from fer_core.emotions import LABELS


@pytest.fixture(scope="module")
def voted(fer2013: FaceSet, fer2013_path: Path) -> FaceSet:
    votes = fer2013_path.parent / "fer2013new.csv"
    if not votes.is_file():
        pytest.skip("the FER+ votes are not at hand: put fer2013new.csv beside FER-2013's table")
    return join_votes(fer2013, read_votes(votes))


def test_rows_and_classes(fer2013: FaceSet) -> None:
    counts = fer2013.counts()
    assert {split: sum(by_label.values()) for split, by_label in counts.items()} == {
        "Training": 28_709,
        "PublicTest": 3_589,
        "PrivateTest": 3_589,
    }
    assert np.bincount(fer2013.labels).tolist() == [4953, 547, 5121, 8989, 6198, 6077, 4002]
    assert list(counts["Training"].values()) == [3995, 436, 4097, 7215, 4965, 4830, 3171]


def test_the_first_row(fer2013: FaceSet) -> None:
    assert fer2013.images[0, 0, :8].tolist() == [70, 80, 82, 72, 58, 58, 60, 63]
    assert LABELS[fer2013.labels[0]] == "angry"


def test_the_votes_agree_with_the_labels_as_is_known(voted: FaceSet) -> None:
    agree = unique_majority(voted.votes) == voted.labels
    assert round(100 * agree.mean(), 1) == 61.3
    by_label = [round(100 * agree[voted.labels == k].mean()) for k in range(len(LABELS))]
    assert by_label[LABELS.index("happy")] > 90 and by_label[LABELS.index("fearful")] < 15


def test_votes_have_the_known_majorities(voted: FaceSet) -> None:
    rows = [voted.rows_of(split) for split in ("Training", "PublicTest", "PrivateTest")]
    assert [int((unique_majority(voted.votes[some]) >= 0).sum()) for some in rows] == [26_778, 3_372, 3_350]
    assert [int((clear_expression(voted.votes[some]) >= 0).sum()) for some in rows] == [14_553, 2_045, 1_852]
    clear = clear_expression(voted.votes[rows[2]])
    assert np.bincount(clear[clear >= 0]).tolist() == [102, 1, 19, 788, 577, 145, 220]


def test_rows_without_an_image_name_have_no_votes(voted: FaceSet) -> None:
    nobody = ~has_votes(voted.votes)
    assert [int(nobody[voted.rows_of(split)].sum()) for split in ("Training", "PublicTest", "PrivateTest")] == [
        148,
        10,
        15,
    ]


def test_the_store_gives_it_back(voted: FaceSet, tmp_path: Path) -> None:
    write_store(voted, "fer2013", tmp_path)
    opened = open_store("fer2013", tmp_path)
    assert opened.hash == voted.hash == "2ed50d894ea36d7bb14db8b22b95e00b27571a675b3a936597ea1435e94e0436"
    np.testing.assert_array_equal(opened.votes, voted.votes)


def test_no_copy_of_a_training_image_is_in_validation(fer2013: FaceSet) -> None:
    split = with_validation(fer2013, 0.1)
    train, validation = (
        {image.tobytes() for image in split.images[split.rows_of(name)]} for name in ("Training", "Validation")
    )
    assert not train & validation and abs(len(split.rows_of("Validation")) - 2871) < 20
