from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from fer_core.audit.corrections import Corrections, from_csv, load_corrections
from fer_core.emotions import LABELS
from fer_core.errors import DataError

DATA, N = "ab" * 32, 10
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HEADER = "step,row,action,label,reason,time,data\n"


@pytest.fixture
def corrections() -> Corrections:
    """Rows 2 and 3 left out as a group, row 5 labelled sad."""
    return Corrections(DATA, N).exclude([2, 3], "copy", NOON).relabel([5], "sad", "votes disagree", NOON)


def test_nothing_marked_changes_nothing():
    labels = np.arange(N) % 7
    keep, changed = Corrections(DATA, N).apply(labels)
    assert keep.all() and changed.tolist() == labels.tolist()


def test_apply_leaves_out_and_relabels_and_leaves_the_original(corrections):
    labels = np.zeros(N, int)
    labels.setflags(write=False)
    keep, changed = corrections.apply(labels)
    assert np.flatnonzero(~keep).tolist() == [2, 3]
    assert np.flatnonzero(changed).tolist() == [5] and LABELS[changed[5]] == "sad"
    assert not labels.any()


def test_apply_wants_the_labels_of_the_whole_set(corrections):
    with pytest.raises(ValueError, match="shape"):
        corrections.apply(np.zeros(N - 1, int))


def test_marking_returns_a_new_value(corrections):
    corrections.exclude([0], "blank", NOON)
    assert len(corrections) == 3


def test_the_last_mark_of_a_row_counts(corrections):
    assert corrections.exclude([5], "blank", NOON).current[5].action == "exclude"


def test_undo_takes_a_whole_group_back(corrections):
    assert set(corrections.undo().current) == {2, 3}
    assert set(corrections.undo().undo().current) == set()


def test_undo_with_nothing_done_is_nothing():
    assert Corrections(DATA, N).undo() == Corrections(DATA, N)


def test_undo_brings_an_overwritten_mark_back(corrections):
    assert corrections.exclude([5], "blank", NOON).undo() == corrections


def test_removed_marks_are_gone_and_undo_brings_them_back(corrections):
    removed = corrections.remove([3, 5, 7], NOON)
    assert set(removed.current) == {2}
    assert removed.undo() == corrections


def test_undo_works_after_saving_and_loading(corrections, tmp_path):
    corrections.remove([3], NOON).save(tmp_path / "marks.csv")
    assert load_corrections(tmp_path / "marks.csv", DATA, N).undo() == corrections


def test_labels_are_understood_in_any_usual_way(corrections):
    assert corrections.relabel([1], "Happiness", "", NOON).current[1].label == "happy"


def test_an_unknown_label_is_refused(corrections):
    with pytest.raises(DataError, match="'bored' is not a label"):
        corrections.relabel([1], "bored", "", NOON)


@pytest.mark.parametrize("row", [-1, N])
def test_rows_outside_the_set_are_refused(corrections, row):
    with pytest.raises(DataError, match=f"Row {row} is not"):
        corrections.exclude([0, row], "", NOON)


def test_times_are_utc(corrections):
    east = datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert corrections.exclude([0], "", east).current[0].time == "2024-05-01T12:00:00+00:00"


def test_csv_round_trip_keeps_everything(corrections):
    odd = corrections.exclude([7], 'a "reason", with\nlines and ünïcode', NOON)
    assert from_csv(odd.to_csv(), DATA, N) == odd


def test_an_empty_list_round_trips():
    assert from_csv(Corrections(DATA, N).to_csv(), DATA, N) == Corrections(DATA, N)


def test_a_table_saved_by_a_spreadsheet_is_read(corrections, tmp_path):
    path = tmp_path / "marks.csv"
    path.write_bytes(("\ufeff" + corrections.to_csv().replace("\n", "\r\n")).encode())
    assert load_corrections(path, DATA, N) == corrections


def test_merge_adds_the_current_marks_of_another_list_as_one_step(corrections):
    other = Corrections(DATA, N).exclude([0], "", NOON).exclude([5], "", NOON).relabel([1], "sad", "", NOON).undo()
    merged = corrections.merge(other, NOON)
    assert {row: mark.action for row, mark in merged.current.items()} == {
        0: "exclude",
        2: "exclude",
        3: "exclude",
        5: "exclude",
    }
    assert merged.undo() == corrections


def test_merge_refuses_another_data_set(corrections):
    with pytest.raises(DataError, match="another data set"):
        corrections.merge(Corrections("cd" * 32, N), NOON)


def test_a_failed_save_leaves_the_old_list(corrections, tmp_path, monkeypatch):
    path = tmp_path / "marks.csv"
    corrections.save(path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DataError, match="No space left"):
        corrections.undo().save(path)
    assert load_corrections(path, DATA, N) == corrections
    assert [file.name for file in tmp_path.iterdir()] == ["marks.csv"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"1,10,exclude,,,,{DATA}", "row from 0 to 9, found '10'"),
        (f"1,-1,exclude,,,,{DATA}", "row from 0 to 9, found '-1'"),
        (f"1,x,exclude,,,,{DATA}", "row from 0 to 9, found 'x'"),
        (f"1,2,relabel,bored,,,{DATA}", "label out of angry, .* found 'bored'"),
        (f"1,2,relabel,,,,{DATA}", "label out of"),
        (f"1,2,delete,,,,{DATA}", "exclude, relabel or keep, found 'delete'"),
        (f"0,2,exclude,,,,{DATA}", "ascending numbers"),
        ("1,2,exclude,,,," + "cd" * 32, "another data set"),
        ("1,2,exclude", "expected 7 values"),
    ],
)
def test_bad_lines_are_named(line, message):
    with pytest.raises(DataError, match=f"saved.csv, line 3: .*{message}"):
        from_csv(f"{HEADER}1,1,exclude,,,,{DATA}\n{line}\n", DATA, N, "saved.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "row,action\n1,exclude\n"])
def test_another_table_is_refused(text):
    with pytest.raises(DataError, match="expected the columns step, row, action"):
        from_csv(text, DATA, N)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere.csv"):
        load_corrections(tmp_path / "nowhere.csv", DATA, N)


def test_a_picture_is_no_list(tmp_path):
    (tmp_path / "marks.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="not text"):
        load_corrections(tmp_path / "marks.csv", DATA, N)
