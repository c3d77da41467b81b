import numpy as np
import pandas as pd
import pytest

from fer_core.training.run.alerts import accuracy_of, alerts, weakness
from fer_core.training.run.records import ValidationRecord, WatchedFaces

FACES = [10, 2, 12, 24, 16, 14, 22]  # of each expression; the largest is 24 of 100


def record(confusion) -> ValidationRecord:
    return ValidationRecord(3, np.asarray(confusion).tolist(), WatchedFaces([], [], []))


def history(val_accuracy, val_loss=None, loss=None) -> pd.DataFrame:
    n = len(val_accuracy)
    falling = np.linspace(2, 1, n)
    return pd.DataFrame(
        {
            "epoch": range(n),
            "val_accuracy": val_accuracy,
            "val_loss": falling if val_loss is None else val_loss,
            "loss": falling if loss is None else loss,
        }
    )


GOOD = record(np.eye(7, dtype=int) * 50 + 1)
RISING = np.linspace(0.2, 0.7, 20)


def confusion_with(right: int) -> np.ndarray:
    """Of a network that is right for so many of 100 faces, and says happy or sad for all others."""
    confusion = np.zeros((7, 7), int)
    for label, count in enumerate(FACES):
        correct = min(count, right)
        right -= correct
        confusion[label, label] += correct
        confusion[label, 5 if label == 3 else 3] += count - correct
    return confusion


def test_a_run_that_goes_well_has_no_alerts():
    assert alerts(history(RISING), GOOD) == []
    assert alerts(history([]), None) == []


def test_a_network_that_says_one_thing_is_no_success():
    always_happy = np.zeros((7, 7), int)
    always_happy[:, 3] = FACES
    assert weakness(record(always_happy)) == "always happy"
    assert accuracy_of(record(always_happy)) == 0.24
    [alert] = alerts(history(RISING), record(always_happy))
    assert alert.startswith("The network predicts happy for every face.") and "learning rate may be too high" in alert


@pytest.mark.parametrize(("right", "weak"), [(10, True), (24, True), (32, True), (33, False), (60, False)])
def test_a_network_must_beat_the_largest_class_by_more_than_chance(right, weak):
    """Two standard errors of 24 in 100 are 8.5 points."""
    assert weakness(record(confusion_with(right))) == ("no better than chance" if weak else "")


def test_nothing_measured_is_no_weakness():
    assert weakness(None) == "" and weakness(record(np.zeros((7, 7), int))) == ""


def test_overfitting_is_a_validation_loss_that_rises_while_the_training_loss_falls():
    rising = [*np.linspace(2, 1, 10), *np.linspace(1.05, 1.5, 10)]
    [alert] = alerts(history(RISING, val_loss=rising), GOOD)
    assert alert == (
        "Overfitting: the validation loss has risen from 1.00 after epoch 10 to 1.50, while the training loss fell."
    )
    assert alerts(history(RISING, val_loss=rising, loss=rising), GOOD) == []


def test_losses_at_other_sizes_of_faces_do_not_count():
    table = history(RISING, val_loss=[*np.linspace(2, 1, 10), *np.linspace(1.5, 1.2, 10)])
    assert alerts(table.assign(size=[40] * 10 + [48] * 10), GOOD) == []


def test_a_stall_is_named_with_its_beginning():
    [alert] = alerts(history([*np.linspace(0.2, 0.6, 10), *[0.55] * 12]), GOOD)
    assert alert == "Stalled: the validation accuracy has not improved for 12 epochs, since epoch 10."
