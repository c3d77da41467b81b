import numpy as np
import pytest

from fer_core.data.face_set import FaceSet
from fer_core.evaluation.assessment import assess
from fer_core.evaluation.metrics import ClearFaces, PeopleMetrics, Proportion
from fer_core.evaluation.scoring import Scores
from fer_core.evaluation.text import lines_of, people_sentence
from fer_core.models.bundle import Bundle
from fer_core.models.card import ModelCard

CLEAR = ClearFaces(100, 0.976, (0.93, 0.99), 0.9, 0.01)
SHARE = Proportion(50, 0.016, (0.0, 0.1))


@pytest.mark.parametrize(
    "people, sentence",
    [
        (
            PeopleMetrics(CLEAR, SHARE, SHARE),
            "It is right on 97.6 % of the faces that people agree on, calls 1.6 % of the clearly neutral faces "
            "negative and finds 1.6 % of the negative ones.",
        ),
        (PeopleMetrics(CLEAR, None, None), "It is right on 97.6 % of the faces that people agree on."),
        (PeopleMetrics(None, None, None), ""),
    ],
)
def test_agreement_with_people_in_a_sentence(people, sentence):
    assert people_sentence(people) == sentence


def result_of(votes, label_sets=("fer",), split=1):
    rng, n = np.random.default_rng(0), 20
    faces = FaceSet(
        rng.integers(0, 256, (n, 48, 48), np.uint8), rng.integers(0, 7, n), np.full(n, split, np.uint8), votes
    )
    scores = Scores(*rng.dirichlet(np.ones(7), (2, n)).astype(np.float32), 1.0)
    scores = Scores(scores.probs, scores.mirrored, 1.0, dict.fromkeys(label_sets[1:], scores))
    card = ModelCard("m", "compact", 1, (), label_sets=label_sets)
    return assess(Bundle(card, b""), faces, {faces.splits[0]: scores})


def test_every_figure_says_against_what():
    votes = np.zeros((20, 10), np.uint8)
    votes[:, 0] = 10
    lines = "\n".join(lines_of(result_of(votes)))
    for words in (
        "one view, against the labels: ",
        "one view, against what most people saw (unique majority of 20): ",
        "clear faces (at least 8 of 10 people agree), 20: ",
        "clear neutral faces called negative, of 20: ",
        "fitted on PublicTest against the data set's labels",
    ):
        assert words in lines


def test_without_votes_nothing_is_said_of_people():
    assert "people" not in "\n".join(lines_of(result_of(None)))


def test_each_label_set_has_lines_of_its_own():
    lines = lines_of(result_of(None, ("people", "fer", "votes")))
    assert sum("PublicTest, 20 images" in line for line in lines) == 3
    assert any("Answering for FER-2013's labels (fer)" in line for line in lines)


def test_figures_of_what_it_was_trained_on_are_pointed_out():
    assert "It was trained on faces of Training" in "\n".join(lines_of(result_of(None, split=0)))
