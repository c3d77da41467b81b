"""Markers: put while a session is recorded, changed afterwards, imported, and ranges that are left out."""

import numpy as np
import pytest

from fer_core.errors import SessionError
from fer_core.sessions.markers import (
    CODE,
    EXCLUDED,
    Marker,
    add_markers,
    excluded_ranges,
    markers_of,
    read_stimulus_list,
    replace_markers,
    without_ranges,
)
from tests.sessions.recording import Clock, frame, record, recorder_of


def test_points_and_ranges_are_put_while_it_is_recorded(database):
    clock = Clock()
    recorder = recorder_of(database, clock)
    recorder.add(frame(0))
    clock.now_s += 1.5
    recorder.mark("smile", "key 1", ago_s=0.25)
    begun = recorder.mark("film", "button")
    recorder._write(last=False)  # the point is in the database before it becomes a range
    clock.now_s += 2
    recorder.end_range(begun)
    recorder.close(30)
    recorder.mark("too late", "button")
    found = [(each.time_s, each.end_s, each.label, each.source) for each in markers_of(recorder.session)]
    assert found == [(1.25, None, "smile", "key 1"), (1.5, 3.5, "film", "button")]


def test_they_are_changed_and_deleted_afterwards_and_codes_stay(database):
    session = record(database, [frame(0)])
    first, second = Marker(1.0, "a"), Marker(2.0, "b", 3.0, EXCLUDED)
    add_markers(session, [first, second, Marker(0.0, "happy", 1.0, CODE, "Ann")])
    assert markers_of(session) == [first, second]
    replace_markers(session, [Marker(5.0, "c")])
    assert [each.label for each in markers_of(session)] == ["c"]
    assert [each.source for each in markers_of(session, CODE)] == ["Ann"]
    session.delete()
    assert markers_of(session, CODE) == []


def test_what_lies_in_an_excluded_range_is_left_out(sqlite):
    rows = record(sqlite, [frame(index) for index in range(10)], step_s=1).short_rows()
    ranges = excluded_ranges([Marker(3.0, "", 5.0, EXCLUDED), Marker(8.0, "x", 9.0), Marker(9.5, "", 20.0, EXCLUDED)])
    assert np.array_equal(without_ranges(rows, ranges)["time_s"], [1, 2, 5, 6, 7, 8, 9])
    assert without_ranges(rows, []) is rows


@pytest.mark.parametrize(
    "content",
    [b"time_s,label\n1.5,film\n3,pause\n", "\ufefflabel;end_s;time_s\nfilm;;1,5\npause;;3\n\n".encode()],
)
def test_a_list_of_stimuli_is_read_in_the_ways_that_programs_write_it(content):
    assert [(each.time_s, each.label, each.end_s) for each in read_stimulus_list(content, "list.csv")] == [
        (1.5, "film", None),
        (3.0, "pause", None),
    ]
    assert read_stimulus_list(b"time_s,end_s,label\n1,2.5,film", "l.csv")[0].end_s == 2.5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"onset,label\n1,film\n", "must have the columns time_s,end_s,label .* it has onset, label"),
        (b"", "it has nothing"),
        (b"time_s,label\none,film\n", "row 2: time_s must be a number of seconds such as 12.5, got 'one'"),
        (b"time_s,label,end_s\n5,film,2\n", "film ends at 2 s"),
        (b"time_s,label\n-1,film\n", "a time of 0 seconds or more, got -1"),
        (b"time_s,label\n\xff\xfe,film\n", "text in UTF-8"),
    ],
)
def test_another_file_is_refused_in_words(content, words):
    with pytest.raises(SessionError, match=words):
        read_stimulus_list(content, "list.csv")


def test_what_is_left_out_has_an_end():
    with pytest.raises(SessionError, match="must be a range"):
        Marker(1.0, "", None, EXCLUDED)
