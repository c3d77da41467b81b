import re

import numpy as np
import pandas as pd
import pytest

from fer_core.charts.palette import SERIES_COLORS
from fer_core.charts.training import (
    TRAINING,
    VALIDATION,
    compare_curves,
    confusion_figure,
    learning_rate_curve,
    rate_sweep_figure,
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
    assert layout.xaxis.range == (0, 10.2)
    assert layout.yaxis.range == ((0, 100) if quantity == "accuracy" else None)


def test_the_lines_are_named_above_the_plot_with_their_last_values():
    """Text beside the ends of lines was cut off on narrow screens."""
    [names] = run_curves(HISTORY, PROGRESS, 100, 10, "accuracy").layout.annotations
    assert "</span> training 50.0" in names.text and "</span> validation 60.0" in names.text, "in the text's colour"
    assert (names.x, names.xref, names.xanchor) == (0, "paper", "left")


def test_the_learning_rate_is_drawn():
    assert list(learning_rate_curve((1e-3, 5e-4), 10).data[0].y) == [1e-3, 5e-4]


def test_compared_runs_are_told_apart_by_name_and_by_colour_or_dash():
    figure = compare_curves({f"run {i}": [HISTORY] for i in range(8)}, "val_accuracy")
    looks = {(line.line.color, line.line.dash) for line in figure.data}
    assert len(looks) == 8
    assert [line.name for line in figure.data][:2] == ["run 0 60.0", "run 1 60.0"]


def test_runs_of_one_group_are_their_mean_with_a_band_of_one_standard_deviation():
    other = HISTORY.assign(val_accuracy=[0.5, 0.8])
    longer = pd.concat([HISTORY, HISTORY.iloc[:1]]).assign(val_accuracy=[0.6, 0.7, 0.7])
    band, mean = compare_curves({"three": [HISTORY, other, longer]}, "val_accuracy").data
    assert list(mean.y) == pytest.approx([50, 70, 70])
    assert list(band.x) == [1, 2, 3, 3, 2, 1]
    assert list(band.y) == pytest.approx([60, 80, 70, 70, 60, 40])
    assert mean.name == "three, mean of 3 seeds 70.0" and not band.showlegend


def test_smoothing_is_a_moving_average_without_a_bias_to_its_start():
    _raw, line = compare_curves({"run": [HISTORY]}, "val_loss", smoothing=0.5).data
    assert list(line.y) == pytest.approx([1.7, (0.5 * 1.7 + 1.5) / 1.5])


def test_a_log_scale_is_for_what_has_no_upper_end():
    assert compare_curves({"run": [HISTORY]}, "val_loss", log=True).layout.yaxis.type == "log"
    assert compare_curves({"run": [HISTORY]}, "val_accuracy", log=True).layout.yaxis.type is None


def test_confusion_is_in_shares_of_each_row_and_says_its_counts():
    counts = [[0] * 7 for _ in range(7)]
    counts[3][3], counts[3][4] = 3, 1
    figure = confusion_figure(counts)
    heat = figure.data[0]
    assert heat.z[3][3] == 75 and heat.z[0][0] == 0
    assert list(heat.x) == list(heat.y) == list(LABELS)
    assert heat.customdata[3][4] == "happy, taken for neutral: 1 of 4"
    numbers = [re.sub("<.*?>", "", note.text) for note in figure.layout.annotations if note.y == "happy"]
    assert numbers == ["0", "0", "0", "75", "25", "0", "0"]


@pytest.mark.parametrize("ground", [(255, 255, 255), (14, 17, 23)], ids=["light", "dark"])
@pytest.mark.parametrize("share", range(0, 101, 5))
def test_every_number_of_the_confusion_can_be_read(ground, share):
    """At least 4.5 : 1 against its cell (WCAG 2, level AA), whatever the ground."""
    counts = np.zeros((7, 7), int)
    counts[0, :2] = [share, 100 - share]
    note = confusion_figure(counts, dark=sum(ground) < 100).layout.annotations[0]
    full = [int(VALIDATION[i : i + 2], 16) for i in (1, 3, 5)]  # the cells' colour at 100 %
    cell = [share / 100 * of_cell + (1 - share / 100) * bare for of_cell, bare in zip(full, ground, strict=True)]
    color, number = re.fullmatch('<span style="color:#(.*?)">(.*?)</span>', note.text).groups()
    assert number == str(share) and contrast(cell, [int(color[i : i + 2], 16) for i in (0, 2, 4)]) >= 4.5


def contrast(one, other) -> float:
    def luminance(rgb) -> float:
        c = np.asarray(rgb) / 255
        linear = np.where(c <= 0.03928, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_no_colour_of_an_emotion_stands_for_a_run():
    assert not {TRAINING, VALIDATION, *SERIES_COLORS} & set(COLORS.values())


def test_smoothed_curves_have_their_own_values_faintly_behind():
    history = pd.concat([HISTORY] * 3, ignore_index=True)
    raw, smooth = compare_curves({"one": [history]}, "val_accuracy", smoothing=0.6).data
    assert list(raw.y) == [40, 60] * 3 and raw.opacity < 0.5 and not raw.showlegend
    assert np.ptp(smooth.y[2:]) < np.ptp(raw.y) and raw.line.color == smooth.line.color
    assert len(compare_curves({"one": [history]}, "val_accuracy").data) == 1


def test_a_sweep_marks_the_rate_that_it_suggests():
    rates, losses = [1e-4, 1e-3, 1e-2, 1e-1], [1.9, 1.5, 1.2, 40.0]
    figure = rate_sweep_figure(rates, losses, [1.9, 1.6, 1.3, 20.0], 1e-3)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.shapes[0].x0 == 1e-3
    assert figure.layout.yaxis.range[1] < 3, "what has diverged does not press the rest flat"
    assert not rate_sweep_figure(rates, losses, losses, None).layout.shapes
