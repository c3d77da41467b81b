import dataclasses

import numpy as np
import pytest

from fer_core.audit.summary import mean_faces, summarize
from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.emotions import LABELS


def test_counts_are_those_of_the_set(drawn):
    summary = summarize(drawn)
    assert summary.counts.sum() == len(drawn)
    assert summary.counts[0, LABELS.index("happy")] == drawn.counts()["Training"]["happy"]


def test_imbalance_names_the_most_and_the_least_frequent_that_occur(drawn):
    some = np.flatnonzero(np.isin(drawn.labels, [LABELS.index("happy"), LABELS.index("disgusted")]))
    faces = dataclasses.replace(drawn, images=drawn.images[some], labels=drawn.labels[some], split=drawn.split[some])
    ratio, most, least = summarize(faces).imbalance
    happy, disgusted = (int(np.sum(faces.labels == LABELS.index(label))) for label in ("happy", "disgusted"))
    assert (ratio, most, least) == (happy / disgusted, "happy", "disgusted")


def test_what_people_saw_is_counted_by_label_with_one_column_for_the_rest(drawn):
    votes = np.zeros((len(drawn), len(VOTE_COLUMNS)), np.uint8)
    votes[:, VOTE_COLUMNS.index("happiness")] = 10
    votes[0] = 0
    votes[0, VOTE_COLUMNS.index("NF")] = 10
    summary = summarize(dataclasses.replace(drawn, votes=votes))
    assert summary.seen[drawn.labels[0], -1] == 1
    assert summary.seen[:, LABELS.index("happy")].sum() == len(drawn) - 1
    happy = np.sum(drawn.labels[1:] == LABELS.index("happy"))
    assert summary.agreement == pytest.approx(happy / len(drawn))


def test_what_nobody_voted_on_counts_nowhere(drawn):
    votes = np.zeros((len(drawn), len(VOTE_COLUMNS)), np.uint8)
    votes[:50, VOTE_COLUMNS.index("happiness")] = 10
    summary = summarize(dataclasses.replace(drawn, votes=votes))
    assert summary.seen.sum() == 50
    assert summary.agreement == np.mean(drawn.labels[:50] == LABELS.index("happy"))
    assert summarize(dataclasses.replace(drawn, votes=np.zeros_like(votes))).agreement is None


def test_one_class_is_not_imbalanced(drawn):
    assert summarize(dataclasses.replace(drawn, labels=np.zeros_like(drawn.labels))).imbalance is None


def test_without_votes_agreement_is_not_known(drawn):
    assert summarize(drawn).agreement is None


def test_a_mean_face_is_the_mean_of_its_split_and_label(drawn):
    means = mean_faces(drawn)
    rows = (drawn.split == 1) & (drawn.labels == 3)
    np.testing.assert_allclose(means[1, 3], drawn.images[rows].mean(axis=0), rtol=1e-5)


def test_a_label_without_faces_has_no_mean(drawn):
    others = drawn.labels != 2
    faces = dataclasses.replace(
        drawn, images=drawn.images[others], labels=drawn.labels[others], split=drawn.split[others]
    )
    assert np.isnan(mean_faces(faces)[:, 2]).all()


def test_the_figures_of_fer2013(fer2013):
    ratio, most, least = summarize(fer2013, means=np.empty(0)).imbalance
    assert (round(ratio, 2), most, least) == (16.43, "happy", "disgusted")
