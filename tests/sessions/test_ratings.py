"""Coders' ratings over time: read, kept with the session, and held against the model's scores."""

import io
import zipfile

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.errors import SessionError
from fer_core.sessions.details import Details
from fer_core.sessions.icc import intraclass_correlation
from fer_core.sessions.ratings import (
    Ratings,
    model_ratings,
    rating_agreement,
    ratings_of,
    read_ratings,
    replace_ratings,
)
from fer_core.sessions.studies import participant_zip
from tests.sessions.recording import frame, record


def read(content, scale=(0, 100), coder="Ann"):
    return read_ratings(content, "r.csv", coder, "happy", scale, LABELS)


def test_ratings_are_read_in_order_and_on_the_scale_of_the_scores():
    (ratings,) = read(b"Time_s;Value\n2;100\n0,5;25\n1;50\n")
    assert (ratings.coder, ratings.expression) == ("Ann", "happy")
    assert ratings.times_s.tolist() == [0.5, 1, 2] and ratings.values.tolist() == [0.25, 0.5, 1]
    both = read(b"time_s,value,label\n0,1,joy\n0,3,sadness\n1,5,happy\n", (1, 5))
    assert [(each.expression, each.values.tolist()) for each in both] == [("happy", [0, 1]), ("sad", [0.5])]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"time,value\n0,1\n", {}, "must have the columns time_s, value .* it has time, value"),
        (b"", {}, "it has nothing"),
        (b"time_s,value\n0,101\n", {}, "row 2: 101 is not on the scale from 0 to 100"),
        (b"time_s,value\n0,nan\n", {}, "row 2: nan is not on the scale"),
        (b"time_s,value\n0,high\n", {}, "row 2: value must be a number such as 12.5, got 'high'"),
        (b"time_s,value\n-1,5\n", {}, "row 2: time_s must be 0 or more, got -1"),
        (b"time_s,value\n1,5\n1,6\n", {}, "happy has two values at 1 s"),
        (b"time_s,value,label\n1,5,bored\n", {}, "no scores for 'bored', only for angry, "),
        (b"time_s,value\n1,5\n", {"scale": (5, 5)}, "must end above 5"),
        (b"time_s,value\n1,5\n", {"coder": " "}, "The coder needs a name"),
    ],
)
def test_another_file_is_refused_in_words(content, options, words):
    with pytest.raises(SessionError, match=words):
        read(content, **options)


def test_they_are_kept_with_the_session_and_go_with_it(database):
    session = record(database, [frame(i) for i in range(3)], details=Details("pilot", "P1"))
    changes = session.events()
    new = [*read(b"time_s,value\n0,10\n1,20\n"), Ratings("Bob", "sad", np.array([0.5]), np.array([1.0]))]
    replace_ratings(session, new)
    kept = ratings_of(session)
    assert [(each.coder, each.expression, each.values.tolist()) for each in kept] == [
        ("Ann", "happy", [0.1, 0.2]),
        ("Bob", "sad", [1.0]),
    ]
    assert session.events() == changes  # they are no change of the recording
    with zipfile.ZipFile(io.BytesIO(participant_zip("pilot", "P1", database))) as archive:
        assert archive.read(f"{session.name}/ratings.csv").decode().splitlines()[1] == "Ann,happy,0.0,0.1"
    replace_ratings(session, kept[1:])
    assert [each.coder for each in ratings_of(session)] == ["Bob"]
    session.delete()
    assert ratings_of(session) == []


def test_model_and_coder_are_compared_by_means_of_bins_that_both_have(sqlite):
    scores = [0.2, 0.4, 0.9, 0.7, 0.3, 0.5, 0.8, 0.6]
    session = record(sqlite, [frame(i, score=each) for i, each in enumerate(scores)], step_s=0.5)  # at 0.5 to 4 s
    model = model_ratings(session.short_rows(), None, "happy")
    coder = Ratings("Ann", "happy", np.array([0.1, 1.2, 1.9, 2.5, 9.0]), np.array([0.1, 0.4, 0.6, 0.6, 1.0]))
    bins = np.array([[0.2, 0.1], [(0.4 + 0.9) / 2, 0.5], [(0.7 + 0.3) / 2, 0.6]])
    expected = intraclass_correlation(bins)
    result = rating_agreement(model, coder)
    assert result.targets == 3
    assert result.agreement.value == pytest.approx(expected.agreement.value, abs=1e-6)
    assert rating_agreement(model, coder, excluded=[(1.0, 2.0)]) is None  # two bins are left
    assert rating_agreement(coder, coder).agreement.value == 1.0
