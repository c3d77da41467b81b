"""Shares, transitions and runs of hand-made rows, and conditions compared over participants."""

import numpy as np
import pandas as pd
import pytest

from fer_core.sessions.analysis import in_range, runs_of, scores_at, shares_of, transitions, valid_rows
from fer_core.sessions.comparison import Recorded, compare_conditions

LABELS = ("happy", "neutral", "sad")


def rows_of(words, face=1, step_s=0.5, begin_s=0.0):
    """Return rows of one face: h, n and s are sure expressions, capitals the same but uncertain, a dot no face."""
    codes = [None if word == "." else "hns".index(word.lower()) for word in words]
    scores = np.array([[np.nan] * 3 if code is None else np.eye(3)[code] * 0.7 + 0.1 for code in codes])
    return pd.DataFrame(
        {
            "frame": np.arange(len(words)),
            "time_s": begin_s + step_s * np.arange(len(words)),
            "face": pd.array([pd.NA if code is None else face for code in codes], "Int64"),
            "valid": ["no" if word.isupper() else "yes" for word in words],
            "expression": pd.Categorical([None if code is None else LABELS[code] for code in codes], LABELS),
            "uncertain": ["yes" if word.isupper() else "no" for word in words],
            **dict(zip(LABELS, scores.T, strict=True)),
        }
    )


def test_shares_add_up_with_what_is_uncertain_and_leave_out_frames_without_a_face():
    shares = shares_of(rows_of("hhnS..nn"), LABELS)
    assert shares.rows == 6 and shares.shares.tolist() == pytest.approx([2 / 6, 3 / 6, 0]) and shares.seconds == 2.0
    assert shares.uncertain == pytest.approx(1 / 6) and shares.mean.sum() == pytest.approx(1.0)
    assert np.isnan(shares_of(rows_of("...."), LABELS).shares).all()


def test_a_range_and_valid_faces_can_be_chosen():
    rows = rows_of("hhnSnn")
    assert shares_of(in_range(rows, 1.0, 2.0), LABELS).rows == 3
    assert shares_of(valid_rows(rows), LABELS).rows == 5


def test_transitions_pass_over_what_is_uncertain_and_not_over_gaps_or_faces():
    counts = transitions(rows_of("hhNnsh....h"), LABELS)
    assert counts.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    both = pd.concat([rows_of("hh", 1), rows_of("ss", 2, begin_s=0.2)])
    assert transitions(both, LABELS).sum() == 0


def test_runs_end_where_the_next_begins_or_the_face_is_gone():
    runs = [(run.face, LABELS[run.expression], run.begin_s, run.end_s) for run in runs_of(rows_of("hhnN....n"), LABELS)]
    assert runs == [(1, "happy", 0.0, 1.0), (1, "neutral", 1.0, 1.5), (1, "neutral", 4.0, 4.0)]


def test_the_scores_at_a_time_are_those_of_the_nearest_frame():
    rows = pd.concat([rows_of("hn", 1), rows_of("ss", 2)])
    assert {face: scores.argmax() for face, scores in scores_at(rows, LABELS, 0.6).items()} == {1: 1, 2: 2}
    assert scores_at(rows, LABELS, 9.0) == {}


def test_conditions_are_compared_over_participants_and_not_frames():
    rng = np.random.default_rng(1)

    def session(participant, condition, happy):
        words = "".join(rng.choice(["h", "n"], 400, p=[happy, 1 - happy]))
        return Recorded(participant, condition, rows_of(words))

    calm = [session(f"P{i}", "calm", share) for i, share in enumerate((0.1, 0.3, 0.2, 0.4))]
    film = [session(f"P{i}", "film", share) for i, share in enumerate((0.3, 0.5, 0.4, 0.6))]
    again = session("P0", "calm", 0.1)
    comparison = compare_conditions([*calm, again, *film], LABELS, spans=20)
    first = comparison.conditions[0]
    assert (first.name, first.participants, first.sessions) == ("calm", ("P0", "P1", "P2", "P3"), 5)
    assert first.shares.mean[0] == pytest.approx(0.25, abs=0.03)
    # Four people from 0.1 to 0.4: frames alone would give an interval of 0.04.
    assert first.shares.high[0] - first.shares.low[0] > 0.15
    assert first.course.mean.shape == (20, 3) and (first.course.low <= first.course.mean + 1e-9).all()
    (difference,) = comparison.differences
    assert difference.paired and difference.participants == 4
    assert difference.estimate.mean[0] == pytest.approx(0.2, abs=0.05)
    assert difference.estimate.low[0] > 0.1 and difference.estimate.high[0] < 0.3  # each beside itself
    others = [Recorded(f"Q{i}", "film", each.rows) for i, each in enumerate(film)]
    unpaired = compare_conditions([*calm, *others], LABELS).differences[0]
    assert not unpaired.paired and unpaired.participants == 8
    width = unpaired.estimate.high[0] - unpaired.estimate.low[0]
    assert width > 2 * (difference.estimate.high[0] - difference.estimate.low[0])


def test_one_participant_has_no_interval():
    recorded = [Recorded("P1", "a", rows_of("hn" * 20)), Recorded("P1", "b", rows_of("h" * 30))]
    comparison = compare_conditions(recorded, LABELS)
    first, second = comparison.conditions
    assert np.isnan(first.shares.low).all() and first.shares.mean[0] == 0.5
    assert np.isnan(second.course.mean[-1]).all() and not np.isnan(first.course.mean[-1]).any()  # it was longer
    assert second.shares.mean[0] == 1.0 and np.isnan(comparison.differences[0].estimate.low).all()
