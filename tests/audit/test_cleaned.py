import json
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.cleaned import corrections_hash, write_cleaned
from fer_core.audit.corrections import Corrections
from fer_core.audit.corrections_file import change_corrections
from fer_core.cli import main
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.sources import read_source
from fer_core.data.store import write_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def faces(drawn):
    """A hundred faces in all five splits; the votes are for the label, and nobody voted on row 7."""
    rows = np.arange(100)
    votes = np.zeros((100, 10), np.uint8)
    columns = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    from fer_core.data.face_set import VOTE_COLUMNS

    votes[rows, [VOTE_COLUMNS.index(columns[label]) for label in drawn.labels[:100]]] = 10
    votes[7] = 0
    split = np.where(rows < 60, 0, rows % len(SPLITS)).astype(np.uint8)
    return FaceSet(drawn.images[:100], drawn.labels[:100], split, votes)


@pytest.fixture
def corrections(faces):
    other = LABELS[(faces.labels[20] + 1) % 7]
    return (
        Corrections(faces.hash, len(faces))
        .exclude([3, 61], "blank", NOW)
        .exclude([5], "", NOW)
        .relabel([20], other, "votes", NOW)
    )


def test_a_table_is_read_in_again_as_it_was_cleaned(faces, corrections, tmp_path):
    card = write_cleaned("small", faces, corrections, tmp_path / "out", "csv", NOW)
    again = read_source(tmp_path / "out")
    keep = np.setdiff1d(np.arange(100), [3, 5, 61])
    np.testing.assert_array_equal(again.images, faces.images[keep])
    np.testing.assert_array_equal(again.split, faces.split[keep])
    np.testing.assert_array_equal(again.votes, faces.votes[keep])
    np.testing.assert_array_equal(again.labels != faces.labels[keep], keep == 20)
    assert again.hash == card["sha256"]["after"]


def test_folders_are_read_in_again_with_their_splits(faces, corrections, tmp_path):
    write_cleaned("small", faces, corrections, tmp_path / "out", "folders", NOW)
    again = read_source(tmp_path / "out")
    assert len(again) == 97
    expected = np.bincount(np.delete(faces.split, [3, 5, 61]), minlength=len(SPLITS))
    np.testing.assert_array_equal(np.bincount(again.split, minlength=len(SPLITS)), expected)


def test_the_card_says_what_was_done(faces, corrections, tmp_path):
    write_cleaned("small", faces, corrections, tmp_path / "out", "csv", NOW)
    card = json.loads((tmp_path / "out" / "data_card.json").read_text())
    assert card["excluded"]["faces"] == 3
    assert card["excluded"]["by_reason"] == {"blank": 2, "no reason given": 1}
    assert sum(card["excluded"]["by_split"].values()) == 3
    old, new = LABELS[faces.labels[20]], LABELS[(faces.labels[20] + 1) % 7]
    assert card["relabelled"] == {
        "faces": 1,
        "by_reason": {"votes": 1},
        "changes": [{"from": old, "to": new, "faces": 1}],
    }
    assert card["counts"]["before"] == faces.counts()
    assert sum(sum(counts.values()) for counts in card["counts"]["after"].values()) == 97
    assert card["sha256"]["before"] == faces.hash
    assert card["corrections_sha256"] == corrections_hash(corrections)
    assert card["created"] == "2026-01-02T03:04:05+00:00"
    text = (tmp_path / "out" / "DATA_CARD.md").read_text()
    assert f"| {old} | {new} | 1 |" in text
    assert "97 faces of 100" in text
    assert "Excluded: 3 faces" in text


def test_the_hash_of_corrections_is_of_what_they_do(faces, corrections):
    later = datetime(2027, 1, 1, tzinfo=UTC)
    same = corrections.exclude([9], "", NOW).remove([9], later)
    assert corrections_hash(same) == corrections_hash(corrections)
    assert corrections_hash(corrections.exclude([9], "", NOW)) != corrections_hash(corrections)


def test_what_cannot_be_written_leaves_nothing(faces, corrections, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(DataError, match="already holds"):
        write_cleaned("small", faces, corrections, tmp_path / "full", "csv", NOW)
    with pytest.raises(DataError, match="Every face"):
        write_cleaned("small", faces, corrections.exclude(range(100), "", NOW), tmp_path / "none", "csv", NOW)

    def fail(done, total):
        raise OSError(28, "No space left on device")

    for form in ("csv", "folders"):
        with pytest.raises(DataError, match="disk is full"):
            write_cleaned("small", faces, corrections, tmp_path / "new", form, NOW, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_the_command_cleans_a_stored_set_with_its_own_corrections(faces, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    write_store(faces, "small")
    assert main(["clean", "small", "--out", str(tmp_path / "none")]) == 1
    assert "no list of corrections" in capsys.readouterr().err
    change_corrections("small", faces.hash, len(faces), lambda list: list.exclude([1], "blank", NOW))
    assert main(["clean", "small", "--out", str(tmp_path / "out"), "--format", "folders"]) == 0
    assert "99 of 100 images" in capsys.readouterr().out
    assert len(read_source(tmp_path / "out")) == 99
