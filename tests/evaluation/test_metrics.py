import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from fer_core.emotions import LABELS
from fer_core.evaluation.metrics import measure


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 500)
    logits = rng.normal(size=(500, 7)) + 1.5 * np.eye(7)[labels]
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True), labels


def test_figures_equal_scikit_learns(scored):
    probs, labels = scored
    found = measure(probs, labels)
    predicted = probs.argmax(1)
    assert found["accuracy"] == sklearn_metrics.accuracy_score(labels, predicted)
    assert found["macro_f1"] == pytest.approx(sklearn_metrics.f1_score(labels, predicted, average="macro"))
    assert found["confusion"] == sklearn_metrics.confusion_matrix(labels, predicted).tolist()
    assert tuple(found["by_label"]) == LABELS
    assert found["balanced_accuracy"] == pytest.approx(sklearn_metrics.balanced_accuracy_score(labels, predicted))
    assert found["top2"] == pytest.approx(sklearn_metrics.top_k_accuracy_score(labels, probs, k=2))
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(labels, probs))
    report = sklearn_metrics.classification_report(labels, predicted, target_names=LABELS, output_dict=True)
    for label in LABELS:
        told = report[label]
        assert found["by_label"][label] == pytest.approx(
            {
                "precision": told["precision"],
                "recall": told["recall"],
                "f1": told["f1-score"],
                "support": told["support"],
            }
        )


def test_interval_is_wilsons():
    """81 of 263 gives 25.5 % to 36.6 % in Newcombe's (1998) table of the score method."""
    labels = np.zeros(263, int)
    probs = np.eye(7)[np.r_[np.zeros(81, int), np.ones(182, int)]]
    assert measure(probs, labels)["accuracy_95"] == pytest.approx([0.2553, 0.3662], abs=1e-4)


def test_permuting_the_rows_changes_nothing(scored):
    probs, labels = scored
    order = np.random.default_rng(1).permutation(len(labels))
    assert measure(probs, labels) == measure(probs[order], labels[order])


def test_an_emotion_that_never_occurs_scores_zero_not_nan():
    assert measure(np.eye(7)[[0, 0]], np.array([0, 0]))["by_label"]["happy"]["f1"] == 0.0
