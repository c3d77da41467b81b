import pandas as pd
import pytest

from fer_core.charts.training import (
    RUN_COLORS,
    TRAINING,
    VALIDATION,
    compare_curves,
    confusion_figure,
    learning_rate_curve,
    run_curves,
)
from fer_core.emotions import COLORS, LABELS
from fer_core.training.run.folder import PROGRESS_COLUMNS

HISTORY = pd.DataFrame(
    {
        "epoch": [0, 1],
        "accuracy": [0.3, 0.5],
        "loss": [1.8, 1.4],
        "val_accuracy": [0.4, 0.6],
        "val_loss": [1.7, 1.5],
        "learning_rate": [1e-3, 5e-4],
        "seconds": [1, 1],
    }
)
NOTHING = HISTORY.iloc[:0]
PROGRESS = pd.DataFrame([(2, 10, 1.0, 1.3, 0.52), (2, 50, 5.0, 1.2, 0.55)], columns=PROGRESS_COLUMNS)


def test_curves_grow_by_the_epoch_and_within_it_by_the_batch():
    training, validation, under_way = run_curves(HISTORY, PROGRESS, 100, 10, "accuracy").data
    assert (list(training.x), list(training.y)) == ([1, 2], [30, 50])
    assert list(validation.y) == [40, 60]
    assert (list(under_way.x), list(under_way.y)) == ([2.1, 2.5], [52, pytest.approx(55)])


def test_loss_keeps_its_own_scale():
    assert list(run_curves(HISTORY, PROGRESS.iloc[:0], 100, 10, "loss").data[1].y) == [1.7, 1.5]


@pytest.mark.parametrize("history", [NOTHING, HISTORY])
@pytest.mark.parametrize("quantity", ["accuracy", "loss"])
def test_axes_and_height_stay_while_curves_grow(history, quantity):
    layout = run_curves(history, PROGRESS, 100, 10, quantity).layout
    assert layout.height == 260
    assert layout.xaxis.range == (0, 13)
    assert layout.yaxis.range == ((0, 100) if quantity == "accuracy" else None)
    assert len(layout.annotations) == (2 if len(history) else 0)


def test_the_learning_rate_is_drawn():
    assert list(learning_rate_curve((1e-3, 5e-4), 10).data[0].y) == [1e-3, 5e-4]


def test_compared_runs_are_told_apart_by_name_and_by_colour_or_dash():
    figure = compare_curves({f"run {i}": HISTORY for i in range(8)}, "accuracy")
    looks = {(line.line.color, line.line.dash) for line in figure.data}
    assert len(looks) == 8
    assert [note.text for note in figure.layout.annotations][:2] == ["run 0 60.0", "run 1 60.0"]


def test_confusion_is_in_shares_of_each_row_and_says_its_counts():
    counts = [[0] * 7 for _ in range(7)]
    counts[3][3], counts[3][4] = 3, 1
    heat = confusion_figure(counts).data[0]
    assert heat.z[3][3] == 75 and heat.z[0][0] == 0
    assert list(heat.x) == list(heat.y) == list(LABELS)
    assert heat.customdata[3][4] == "happy, taken for neutral: 1 of 4"


def test_no_colour_of_an_emotion_stands_for_a_run():
    assert not {TRAINING, VALIDATION, *RUN_COLORS} & set(COLORS.values())
