import pandas as pd
import pytest

from fer_core.formats import format_duration
from fer_core.training.config import RunConfig
from fer_core.training.run.folder import PROGRESS_COLUMNS, RunStatus
from fer_core.training.timing.eta import estimate_eta

CONFIG = RunConfig(epochs=10, batch_size=50)
STATUS = RunStatus("running", 1, 0.0, epoch=2, step=40, steps_per_epoch=100)


def history(*accuracies: float, seconds: float = 20.0) -> pd.DataFrame:
    return pd.DataFrame({"epoch": range(len(accuracies)), "val_accuracy": accuracies, "seconds": seconds})


def progress(*rows: tuple[float, float], epoch: int = 2) -> pd.DataFrame:
    """Return the progress of an epoch as (step, seconds) pairs."""
    return pd.DataFrame([(epoch, step, seconds, 1.0, 0.5) for step, seconds in rows], columns=PROGRESS_COLUMNS)


def test_time_left_counts_whole_epochs_and_the_one_under_way():
    pace = estimate_eta(CONFIG, STATUS, history(0.3, 0.5), progress((1, 3), (40, 11)))
    assert (pace.epoch, pace.step) == (2, 40)
    assert pace.share == pytest.approx(0.24)
    assert pace.left_s == pytest.approx(7.6 * 20)
    assert (pace.best, pace.best_epoch) == (0.5, 2)


def test_time_left_leaves_out_what_compiling_took():
    table = history(0.3, 0.5).assign(seconds=[50.0, 20.0], startup_s=[30.0, 0.0])
    assert estimate_eta(CONFIG, STATUS, table, progress((1, 3), (40, 11))).left_s == pytest.approx(7.6 * 20)


def test_speed_leaves_out_the_first_batch_which_compiles():
    pace = estimate_eta(CONFIG, STATUS, history(0.3, 0.5), progress((1, 30), (41, 34)))
    assert pace.images_per_s == pytest.approx(40 / 4 * 50)


def test_speed_is_of_the_last_seconds():
    pace = estimate_eta(CONFIG, STATUS, history(), progress((1, 1), (10, 100), (30, 105), epoch=0))
    assert pace.images_per_s == pytest.approx(20 / 5 * 50)


def test_before_the_first_epoch_time_left_comes_from_the_batches():
    pace = estimate_eta(CONFIG, STATUS, history(), progress((10, 1), (20, 3), epoch=0))
    assert pace.left_s == pytest.approx((10 - 0.2) * 100 / 5)


def test_nothing_is_claimed_before_anything_is_known():
    pace = estimate_eta(CONFIG, STATUS, history(), progress())
    assert (pace.share, pace.images_per_s, pace.left_s, pace.best) == (0, None, None, None)


def test_progress_of_an_epoch_that_is_in_the_history_already_does_not_count_twice():
    assert estimate_eta(CONFIG, STATUS, history(0.3, 0.5, 0.6), progress((100, 20))).share == pytest.approx(0.3)


def test_nothing_is_left_after_the_last_epoch():
    pace = estimate_eta(CONFIG, STATUS, history(*[0.5] * 10), progress())
    assert (pace.share, pace.left_s) == (1, 0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min"), (130, "2 min 10 s"), (3600, "1 h"), (7500, "2 h 5 min")]
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert format_duration(seconds) == words
