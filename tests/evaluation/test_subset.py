import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.selections_file import change_selections
from fer_core.cli import run_command
from fer_core.data.store import write_store
from fer_core.errors import DataError
from fer_core.evaluation.assessment import assess, leaked
from fer_core.evaluation.subset import EvaluatedSubset
from tests.evaluation.test_assessment import N, bundle, face_set, scores_of

VOTES = np.tile(np.array([0, 10, 0, 0, 0, 0, 0, 0, 0, 0], np.uint8), (3 * N, 1))


def test_figures_are_of_the_subset_s_faces_alone():
    faces = face_set()
    scores = scores_of(faces)
    rows = np.array([0, 5, N, N + 7, N + 8, 2 * N + 3])
    result = assess(bundle(), faces, scores, EvaluatedSubset("few", rows))
    public = result.splits["PublicTest"].labels.one_view
    expected = scores["PublicTest"].probs[[0, 7, 8]].argmax(1) == faces.labels[rows[2:5]]
    assert public.images == 3
    assert public.accuracy == pytest.approx(expected.mean())
    assert result.splits["PublicTest + PrivateTest"].labels.one_view.images == 4
    assert result.data.subset == "few"
    assert result.data.images == {"Training": N, "PublicTest": 3, "PrivateTest": 1}


def test_temperature_and_threshold_are_those_of_the_whole_split():
    faces = face_set()
    scores = scores_of(faces)
    whole = assess(bundle(), faces, scores).calibration
    part = assess(bundle(), faces, scores, EvaluatedSubset("few", np.array([N, N + 1]))).calibration
    assert (part.temperature, part.uncertain_below) == (whole.temperature, whole.uncertain_below)
    assert part.by_split["PublicTest"].images == 2


def test_a_split_without_faces_of_the_subset_is_left_out_and_none_at_all_is_said():
    faces, scores = face_set(), scores_of(face_set())
    assert list(assess(bundle(), faces, scores, EvaluatedSubset("few", np.array([2 * N]))).splits) == ["PrivateTest"]
    with pytest.raises(DataError, match="few has no faces in PublicTest or PrivateTest"):
        assess(bundle(), faces, scores, EvaluatedSubset("few", np.array([0, 1])))


def test_copies_in_training_are_known_also_where_the_subset_has_none_of_training():
    faces = face_set()
    faces.images[N] = faces.images[3]
    assert leaked(faces).sum() == 1
    result = assess(bundle(), faces, scores_of(faces), EvaluatedSubset("few", np.array([N, N + 1])))
    assert result.splits["PublicTest"].without_copies.one_view.images == 1


def test_faces_without_a_majority_are_measured_against_their_labels():
    votes = VOTES.copy()
    votes[N] = 0
    faces = face_set(votes)
    result = assess(bundle(label_set="ferplus"), faces, scores_of(faces), EvaluatedSubset("one", np.array([N])))
    assert result.splits["PublicTest"].majority is None
    assert result.splits["PublicTest"].labels.one_view.images == 1


def test_training_cannot_be_measured_in_part():
    faces, scores = face_set(), scores_of(face_set())
    with pytest.raises(DataError, match="other than Training"):
        assess(bundle(), faces, {**scores, "Training": scores["PublicTest"]}, EvaluatedSubset("few", np.array([0])))


@pytest.fixture
def evaluate(monkeypatch, tmp_path, capsys):
    """A function that runs the command on 60 stored faces, of which the subset "even" holds every second one."""
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    whole = face_set()
    faces = dataclasses.replace(whole, images=whole.images[::3], labels=whole.labels[::3], split=whole.split[::3])
    write_store(faces, "small")
    even = range(0, len(faces), 2)
    change_selections("small", faces.hash, len(faces), lambda it: it.save_rows("even", even, datetime.now(UTC)))

    def call(*more):
        run_command(["evaluate", "--model", "seed-cnn", "--data", "small", "--json", "--subset", "even", *more])
        return json.loads(capsys.readouterr().out)

    return call


def test_the_command_measures_a_subset_and_names_it(evaluate):
    result = evaluate("--split", "PublicTest")
    assert result["data"]["subset"] == "even"
    assert result["splits"]["PublicTest"]["images"] == 10


@pytest.mark.parametrize("option", ["--robustness", "--card", "--write-card"])
def test_what_is_about_whole_splits_is_refused(evaluate, option):
    with pytest.raises(DataError, match=f"{option} is about whole splits"):
        evaluate(option)
