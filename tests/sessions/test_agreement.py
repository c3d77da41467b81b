"""Human coders' codes from BORIS and CSV, Cohen's kappa, and a session written for BORIS and read again."""

import numpy as np
import pytest

from fer_core.errors import SessionError
from fer_core.sessions.agreement import agreement_of, boris_csv, coder_codes, model_codes, read_codes
from fer_core.sessions.markers import EXCLUDED, Marker, add_markers
from tests.sessions.recording import frame, record

_AGGREGATED = b"""Observation id,Subject,Behavior,Behavioral category,Behavior type,Start (s),Stop (s),Duration (s)
obs,Ann,happiness,,STATE,1,2.5,1.5
obs,Ann,neutral,,STATE,0,1,1
obs,Ann,sad,,POINT,3,3,NA
"""
_TABULAR = b"""Observation id;Subject;Behavior;Behavior type;Time
obs;;happy;START;1,0
obs;;happy;STOP;2,5
obs;;sad;POINT;3
"""
_OLD = b"""Observation id\tobs
Media file(s)\t

Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tBehavioral category\tComment\tStatus
1.0\tx\t9\t25\t\thappy\t\t\tSTART
2.5\tx\t9\t25\t\thappy\t\t\tSTOP
"""


def codes(content):
    return [(each.time_s, each.end_s, each.label) for each in read_codes(content, "codes.csv", "Ann", 9.0)]


def test_what_boris_exports_is_read():
    assert codes(_AGGREGATED) == [(0.0, 1.0, "neutral"), (1.0, 2.5, "happy"), (3.0, 9.0, "sad")]
    assert codes(_TABULAR) == [(1.0, 2.5, "happy"), (3.0, 9.0, "sad")]
    assert codes(_OLD) == [(1.0, 2.5, "happy")]


def test_plain_csv_is_read_and_a_code_without_an_end_holds_until_the_next():
    assert codes(b"time_s,label\n0,Neutral\n4,joy\n") == [(0.0, 4.0, "neutral"), (4.0, 9.0, "happy")]
    assert codes(b"time_s,end_s,label\n0,2,talking\n") == [(0.0, 2.0, "talking")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "must be BORIS's export .* it has a, b"),
        (b"", "it has nothing"),
        (_AGGREGATED + b"obs,Bob,sad,,STATE,3,4,1\n", "one subject, and it has 2: Ann, Bob"),
        (_TABULAR + b"obs;;sad;STOP;4\n", "row 5: expected START, STOP after a START, or POINT for sad, got STOP"),
    ],
)
def test_another_file_is_refused_in_words(content, words):
    with pytest.raises(SessionError, match=words):
        read_codes(content, "codes.csv", "Ann", 9.0)


def test_kappa_takes_off_what_chance_gives(sqlite):
    best = [3, 3, 3, 4, 4, 4, 4, 5, 3, 3]
    session = record(sqlite, [frame(i, best=code) for i, code in enumerate(best)], step_s=1)
    model = model_codes(session.short_rows(), face=1, sure_only=True)
    human = coder_codes(
        read_codes(b"time_s,label\n1,happy\n4,neutral\n9,happy\n", "c", "Ann", 10.0), np.array(model.index)
    )
    agreement = agreement_of(human, model)
    # Frames at 1 to 9 s; the last, at 10 s, has no code. They differ at 8 s alone.
    assert agreement.frames == 9 and agreement.share == pytest.approx(8 / 9)
    chance = (4 / 9) * (4 / 9) + (5 / 9) * (4 / 9)
    assert agreement.kappa == pytest.approx((8 / 9 - chance) / (1 - chance))
    assert agreement.labels == ("happy", "neutral", "sad") and agreement.counts.tolist() == [
        [4, 0, 0],
        [0, 4, 1],
        [0, 0, 0],
    ]
    assert agreement_of(human, human).kappa == 1.0
    nothing = coder_codes([], np.array(model.index))
    assert agreement_of(nothing, model).kappa is None


def test_uncertain_frames_have_no_label_unless_wanted(sqlite):
    rows = record(sqlite, [frame(0), frame(1, score=0.4), frame(2, faces=0)]).short_rows()
    assert len(model_codes(rows, None, sure_only=True)) == 1 and len(model_codes(rows, None, sure_only=False)) == 2


def test_a_session_goes_to_boris_and_comes_back_as_codes(sqlite):
    session = record(sqlite, [frame(i, best=code) for i, code in enumerate([3, 3, 4, 4, 4])], step_s=0.5)
    add_markers(session, [Marker(1.0, "bell"), Marker(0.0, "", 0.5, EXCLUDED)])
    content = boris_csv(session, session.short_rows())
    lines = content.decode().splitlines()
    assert (
        lines[0].startswith("Observation id,Observation date,Description,Observation type,Source") and len(lines) == 5
    )
    faces = "\n".join([lines[0], *(line for line in lines if "Face 1" in line)]).encode()
    assert codes(faces) == [(0.5, 1.5, "happy"), (1.5, 2.5, "neutral")]
    assert [line for line in lines if "No focal subject" in line and "POINT" in line and ",bell," in line]
