"""What each epoch is measured by."""

import dataclasses

import numpy as np
import pytest

from fer_core.data.face_set import VOTE_COLUMNS
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from fer_core.training.loop.validation import ValidationFaces, measure_epoch


def votes(**counts: int) -> np.ndarray:
    return np.array([counts.get(column, 0) for column in VOTE_COLUMNS], np.uint8)


def validation(faces, labels, table, label_sets=("fer",)) -> ValidationFaces:
    n = len(labels)
    few = dataclasses.replace(
        faces,
        images=faces.images[:n],
        labels=np.array([LABELS.index(label) for label in labels]),
        split=faces.split[:n],
        votes=None if table is None else np.stack(table),
    )
    return ValidationFaces(few, np.zeros((n, 7 * len(label_sets)), np.float32), label_sets)


def scores_of(*labels: str) -> np.ndarray:
    return np.eye(len(LABELS), dtype=np.float32)[[LABELS.index(label) for label in labels]]


def test_without_votes_there_is_one_accuracy(faces):
    few = validation(faces, ["sad", "happy"], None)
    assert measure_epoch(few, {"fer": scores_of("sad", "sad")}) == {
        "val_accuracy": 0.5,
        "val_balanced_accuracy": 0.5,
    }


def test_each_head_is_measured_against_its_own_truth(faces):
    few = validation(
        faces,
        ["sad", "sad", "happy", "angry"],
        [votes(sadness=9), votes(neutral=6, sadness=4), votes(happiness=10), votes(anger=2, neutral=2)],
        ("people", "fer", "votes"),
    )
    people, fer = scores_of("sad", "neutral", "happy", "happy"), scores_of("sad", "sad", "happy", "angry")
    measures = measure_epoch(few, {"people": people, "fer": fer, "votes": fer})
    assert measures == pytest.approx(
        {
            "val_accuracy": 1,  # the last face has no unique majority
            "val_balanced_accuracy": 1,
            "val_accuracy_people": 1,
            "val_accuracy_fer": 1,
            "val_accuracy_votes": 2 / 3,
            "val_label_accuracy": 2 / 4,
            "val_majority_accuracy": 1,
            "val_clear_accuracy": 1,  # of the first and the third
            "val_supported_negatives": 1 / 2,  # of the first two
        }
    )


def test_what_no_face_counts_for_is_not_a_number(faces):
    few = validation(faces, ["happy"], [votes(happiness=5, neutral=4)])
    measures = measure_epoch(few, {"fer": scores_of("happy")})
    assert np.isnan(measures["val_clear_accuracy"]) and np.isnan(measures["val_supported_negatives"])


def test_faces_without_any_truth_cannot_be_validated_on(faces):
    with pytest.raises(DataError, match="none of the faces has a true expression"):
        validation(faces, ["happy"], [votes(happiness=5, neutral=5)], ("votes",))
