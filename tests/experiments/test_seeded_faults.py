"""A copy of a data set with known faults, and how corrections of it are scored."""

import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.corrections import Corrections
from fer_core.audit.first_look import first_look
from fer_core.cli import run_command
from fer_core.data.store import data_root, open_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.experiments.fault_scores import score_corrections
from fer_core.experiments.seeded_faults import KINDS, FaultShares, load_key, seed_data_set, seed_faults
from fer_core.experiments.suggestions import suggest

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SHARES = FaultShares(mislabel=0.1, duplicate=0.05, leak=0.03, blank=0.04)


@pytest.fixture
def seeded(faces):
    """The copy "practice", with its key."""
    return open_store("small"), seed_data_set("small", "practice", SHARES, seed=7)


def scores_of(key, corrections):
    """Return (hidden, found, wrong) of each kind."""
    findings = first_look(open_store("practice")).findings
    scores = score_corrections("list", corrections, key, findings)
    return {kind.kind: (kind.hidden, kind.found, kind.wrong) for kind in scores.kinds}, scores


def nothing(key):
    return Corrections(key.data_hash, 140)


def test_the_faults_are_what_the_key_says_and_the_rest_is_untouched(seeded):
    original, key = seeded
    copy = open_store("practice")
    assert {kind: len(key.rows_of(kind)) for kind in KINDS} == {"mislabel": 11, "duplicate": 6, "leak": 3, "blank": 4}
    for fault in key.faults:
        same_image = np.array_equal(copy.images[fault.row], original.images[fault.row])
        assert same_image == (fault.kind == "mislabel")
        if fault.kind == "mislabel":
            assert fault.label == original.labels[fault.row] != copy.labels[fault.row]
        elif fault.kind == "blank":
            assert copy.images[fault.row].std() < 5
        else:
            assert np.array_equal(copy.images[fault.row], original.images[fault.twin])
            assert copy.labels[fault.row] == original.labels[fault.twin]
            assert (fault.twin >= 112) == (fault.kind == "leak")
    others = np.setdiff1d(np.arange(140), [fault.row for fault in key.faults])
    assert np.array_equal(copy.images[others], original.images[others])
    assert np.array_equal(copy.labels[others], original.labels[others])
    assert np.array_equal(copy.split, original.split)
    assert open_store("small").hash == original.hash


def test_every_image_has_one_fault_at_most_and_images_faulty_before_have_none(seeded):
    _, key = seeded
    rows = [row for fault in key.faults for row in (fault.row, fault.twin) if row >= 0]
    assert len(set(rows)) == len(rows)
    assert set(key.original_faults) == {0, 1, 2, 98, 139}
    assert not set(key.original_faults) & set(rows)


def test_the_same_seed_gives_the_same_faults(faces):
    _, key = seed_faults(faces, SHARES, 7)
    assert seed_faults(faces, SHARES, 7)[1] == key
    assert seed_faults(faces, SHARES, 8)[1].faults != key.faults


def test_votes_go_along_with_images_or_are_left_out(voted):
    copy, key = seed_faults(voted, SHARES, 7)
    for fault in key.faults:
        row = fault.twin if fault.twin >= 0 else fault.row
        assert np.array_equal(copy.votes[fault.row], voted.votes[row])
    seed_data_set("small", "without", SHARES, 7, votes=False)
    assert open_store("without").votes is None


def test_the_key_is_kept_beside_the_data_set(seeded):
    _, key = seeded
    assert load_key("practice") == key
    with pytest.raises(DataError, match="small has no known faults"):
        load_key("small")
    (data_root() / "practice" / "seeded_faults.json").write_text("{}")
    with pytest.raises(DataError, match="is damaged"):
        load_key("practice")


def test_a_copy_is_refused_where_it_cannot_be(faces):
    with pytest.raises(DataError, match="already a data set named 'small'"):
        seed_data_set("small", "small", SHARES, 7)
    with pytest.raises(DataError, match="faultless images are needed in the test splits"):
        seed_data_set("small", "copy", FaultShares(leak=0.4), 7)
    with pytest.raises(DataError, match="from 0 to 0.5; got 0.6"):
        FaultShares(blank=0.6)
    with pytest.raises(DataError, match="would have none"):
        seed_data_set("small", "copy", FaultShares(0, 0, 0, 0), 7)


def test_the_whole_key_as_corrections_scores_full_marks(seeded):
    _, key = seeded
    corrections = nothing(key)
    for fault in key.faults:
        if fault.kind == "mislabel":
            corrections = corrections.relabel([fault.row], LABELS[fault.label], "", NOW)
        else:
            corrections = corrections.exclude([fault.row], "", NOW)
    kinds, scores = scores_of(key, corrections)
    assert kinds == {
        "mislabel": (11, 11, 0),
        "duplicate": (6, 6, 0),
        "leak": (3, 3, 0),
        "blank": (4, 4, 0),
        "all": (24, 24, 0),
    }
    assert scores.right_labels == 11
    assert scores.kinds[-1].precision == scores.kinds[-1].recall == 1


def test_wrong_corrections_cost_precision_of_the_kind_they_were_meant_for(seeded):
    _, key = seeded
    fault_rows = {row for fault in key.faults for row in (fault.row, fault.twin)} | set(key.original_faults)
    sound = [row for row in range(112) if row not in fault_rows]
    corrections = nothing(key).exclude(sound[:2], "", NOW).relabel(sound[2:5], "happy", "", NOW)
    kinds, scores = scores_of(key, corrections)
    assert kinds["mislabel"] == (11, 0, 5)
    assert kinds["all"] == (24, 0, 5)
    assert scores.kinds[0].precision == 0


def test_either_image_of_a_pair_may_go_but_not_both(seeded):
    _, key = seeded
    first, second = [fault for fault in key.faults if fault.kind == "duplicate"][:2]
    kinds, _ = scores_of(key, nothing(key).exclude([first.twin, second.row], "", NOW))
    assert kinds["duplicate"] == (6, 2, 0)
    kinds, _ = scores_of(key, nothing(key).exclude([first.twin, first.row], "", NOW))
    assert kinds["duplicate"] == (6, 1, 1)


def test_a_leak_is_removed_from_training_and_a_wrong_label_may_be_excluded(seeded):
    _, key = seeded
    leak = next(fault for fault in key.faults if fault.kind == "leak")
    mislabel = next(fault for fault in key.faults if fault.kind == "mislabel")
    kinds, scores = scores_of(key, nothing(key).exclude([leak.twin, mislabel.row], "", NOW))
    assert kinds["leak"] == (3, 0, 1)
    assert kinds["mislabel"] == (11, 1, 0)
    assert scores.right_labels == 0


def test_a_label_that_stays_wrong_is_not_found(seeded):
    _, key = seeded
    row = key.rows_of("mislabel")[0]
    kinds, _ = scores_of(key, nothing(key).relabel([row], LABELS[open_store("practice").labels[row]], "", NOW))
    assert kinds["mislabel"] == (11, 0, 1)


def test_faults_of_the_original_do_not_count(seeded):
    _, key = seeded
    kinds, scores = scores_of(key, nothing(key).exclude([0, 1, 2], "", NOW))
    assert kinds["all"] == (24, 0, 0)
    assert scores.original_faults == 3


def test_the_commands_seed_and_score(faces, tmp_path, capsys):
    arguments = "seed-faults small --out practice --seed 7 --mislabel 0.1 --blank 0.05 --leak 0"
    run_command(arguments.split())
    assert "19 known faults: 11 mislabel, 2 duplicate, 6 blank" in capsys.readouterr().out
    suggest("practice", apply=True)
    run_command(["score-faults", "practice"])
    assert "blank                        6       6       0    100.0 %  100.0 %" in capsys.readouterr().out
    students = []
    for name in ("ada", "bob"):
        students.append(tmp_path / f"{name}.csv")
        Corrections(open_store("practice").hash, 140).save(students[-1])
    run_command(["score-faults", "practice", *map(str, students), "--json"])
    content = json.loads(capsys.readouterr().out)
    assert [scores["name"] for scores in content] == ["ada", "bob"]
    assert content[0]["kinds"]["all"] == {
        "kind": "all",
        "hidden": 19,
        "found": 0,
        "wrong": 0,
        "precision": None,
        "recall": 0.0,
    }


def test_the_note_says_that_there_are_faults_but_not_which(seeded):
    notes = " ".join(dataclasses.asdict(open_store("practice").source)["notes"])
    assert "Known faults were hidden" in notes
    assert "11" not in notes
