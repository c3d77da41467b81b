from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from fer_core.audit.marks import Marks, from_csv, load_marks
from fer_core.emotions import LABELS
from fer_core.errors import DataError

DATA, N = "ab" * 32, 10
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HEADER = "step,row,action,label,reason,time,data\n"


@pytest.fixture
def marks() -> Marks:
    """Rows 2 and 3 left out as a group, row 5 labelled sad."""
    return Marks(DATA, N).exclude([2, 3], "copy", NOON).relabel([5], "sad", "votes disagree", NOON)


def test_nothing_marked_changes_nothing():
    labels = np.arange(N) % 7
    keep, changed = Marks(DATA, N).apply(labels)
    assert keep.all() and changed.tolist() == labels.tolist()


def test_apply_leaves_out_and_relabels_and_leaves_the_original(marks):
    labels = np.zeros(N, int)
    labels.setflags(write=False)
    keep, changed = marks.apply(labels)
    assert np.flatnonzero(~keep).tolist() == [2, 3]
    assert np.flatnonzero(changed).tolist() == [5] and LABELS[changed[5]] == "sad"
    assert not labels.any()


def test_apply_wants_the_labels_of_the_whole_set(marks):
    with pytest.raises(ValueError, match="shape"):
        marks.apply(np.zeros(N - 1, int))


def test_marking_returns_a_new_value(marks):
    marks.exclude([0], "blank", NOON)
    assert len(marks) == 3


def test_the_last_mark_of_a_row_counts(marks):
    assert marks.exclude([5], "blank", NOON).current[5].action == "exclude"


def test_undo_takes_a_whole_group_back(marks):
    assert set(marks.undo().current) == {2, 3}
    assert set(marks.undo().undo().current) == set()


def test_undo_with_nothing_done_is_nothing():
    assert Marks(DATA, N).undo() == Marks(DATA, N)


def test_undo_brings_an_overwritten_mark_back(marks):
    assert marks.exclude([5], "blank", NOON).undo() == marks


def test_removed_marks_are_gone_and_undo_brings_them_back(marks):
    removed = marks.remove([3, 5, 7], NOON)
    assert set(removed.current) == {2}
    assert removed.undo() == marks


def test_undo_works_after_saving_and_loading(marks, tmp_path):
    marks.remove([3], NOON).save(tmp_path / "marks.csv")
    assert load_marks(tmp_path / "marks.csv", DATA, N).undo() == marks


def test_labels_are_understood_in_any_usual_way(marks):
    assert marks.relabel([1], "Happiness", "", NOON).current[1].label == "happy"


def test_an_unknown_label_is_refused(marks):
    with pytest.raises(DataError, match="'bored' is not a label"):
        marks.relabel([1], "bored", "", NOON)


@pytest.mark.parametrize("row", [-1, N])
def test_rows_outside_the_set_are_refused(marks, row):
    with pytest.raises(DataError, match=f"Row {row} is not"):
        marks.exclude([0, row], "", NOON)


def test_times_are_utc(marks):
    east = datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert marks.exclude([0], "", east).current[0].time == "2024-05-01T12:00:00+00:00"


def test_csv_round_trip_keeps_everything(marks):
    odd = marks.exclude([7], 'a "reason", with\nlines and ünïcode', NOON)
    assert from_csv(odd.to_csv(), DATA, N) == odd


def test_an_empty_list_round_trips():
    assert from_csv(Marks(DATA, N).to_csv(), DATA, N) == Marks(DATA, N)


def test_a_table_saved_by_a_spreadsheet_is_read(marks, tmp_path):
    path = tmp_path / "marks.csv"
    path.write_bytes(("\ufeff" + marks.to_csv().replace("\n", "\r\n")).encode())
    assert load_marks(path, DATA, N) == marks


def test_merge_adds_the_current_marks_of_another_list_as_one_step(marks):
    other = Marks(DATA, N).exclude([0], "", NOON).exclude([5], "", NOON).relabel([1], "sad", "", NOON).undo()
    merged = marks.merge(other, NOON)
    assert {row: mark.action for row, mark in merged.current.items()} == {
        0: "exclude", 2: "exclude", 3: "exclude", 5: "exclude"}
    assert merged.undo() == marks


def test_merge_refuses_another_data_set(marks):
    with pytest.raises(DataError, match="another data set"):
        marks.merge(Marks("cd" * 32, N), NOON)


def test_a_failed_save_leaves_the_old_list(marks, tmp_path, monkeypatch):
    path = tmp_path / "marks.csv"
    marks.save(path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DataError, match="No space left"):
        marks.undo().save(path)
    assert load_marks(path, DATA, N) == marks
    assert [file.name for file in tmp_path.iterdir()] == ["marks.csv"]


@pytest.mark.parametrize(("line", "message"), [
    (f"1,10,exclude,,,,{DATA}", "row from 0 to 9, found '10'"),
    (f"1,-1,exclude,,,,{DATA}", "row from 0 to 9, found '-1'"),
    (f"1,x,exclude,,,,{DATA}", "row from 0 to 9, found 'x'"),
    (f"1,2,relabel,bored,,,{DATA}", "label out of angry, .* found 'bored'"),
    (f"1,2,relabel,,,,{DATA}", "label out of"),
    (f"1,2,delete,,,,{DATA}", "exclude, relabel or keep, found 'delete'"),
    (f"0,2,exclude,,,,{DATA}", "ascending numbers"),
    ("1,2,exclude,,,," + "cd" * 32, "another data set"),
    ("1,2,exclude", "expected 7 values"),
])
def test_bad_lines_are_named(line, message):
    with pytest.raises(DataError, match=f"saved.csv, line 3: .*{message}"):
        from_csv(f"{HEADER}1,1,exclude,,,,{DATA}\n{line}\n", DATA, N, "saved.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "row,action\n1,exclude\n"])
def test_another_table_is_refused(text):
    with pytest.raises(DataError, match="expected the columns step, row, action"):
        from_csv(text, DATA, N)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere.csv"):
        load_marks(tmp_path / "nowhere.csv", DATA, N)


def test_a_picture_is_no_list(tmp_path):
    (tmp_path / "marks.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="not text"):
        load_marks(tmp_path / "marks.csv", DATA, N)
