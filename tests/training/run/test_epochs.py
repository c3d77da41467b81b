import numpy as np
import pytest

from fer_core.errors import RunError
from fer_core.training.run.epochs import append_epoch, cut_epochs, read_epochs, record_after
from fer_core.training.run.records import ValidationRecord, WatchedFaces

PROBS = np.full((14, 7), 1 / 7)


def write(path, epochs: int):
    for epoch in range(epochs):
        append_epoch(path, epoch, np.eye(7, dtype=np.int64) * (epoch + 1), PROBS)
    return path


def test_each_epoch_is_read_back_in_its_order(tmp_path):
    records = read_epochs(write(tmp_path / "epochs.jsonl", 3))
    assert [record.epoch for record in records] == [0, 1, 2]
    assert records[2].confusion == (np.eye(7, dtype=int) * 3).tolist()
    assert np.allclose(records[0].shown, PROBS * 100, atol=0.5)


def test_a_thousand_epochs_take_a_few_hundred_kilobytes(tmp_path):
    path = tmp_path / "epochs.jsonl"
    confusion = np.random.default_rng(0).integers(0, 600, (7, 7))
    probs = np.random.default_rng(0).dirichlet(np.ones(7), 14)
    for epoch in range(10):
        append_epoch(path, epoch, confusion, probs)
    assert path.stat().st_size * 100 < 600_000


def test_a_run_of_an_earlier_version_has_none(tmp_path):
    assert list(read_epochs(tmp_path / "none.jsonl")) == []


def test_a_half_written_last_line_is_left_out(tmp_path):
    path = write(tmp_path / "epochs.jsonl", 2)
    path.write_text(path.read_text() + '{"epoch":2,"conf')
    assert len(read_epochs(path)) == 2


@pytest.mark.parametrize(
    "line", ["not json", '{"epoch":0}', '{"epoch":0,"confusion":[[1,2]],"shown":[]}', '{"epoch":-1}', "\x00"]
)
def test_a_damaged_line_is_named(tmp_path, line):
    path = write(tmp_path / "epochs.jsonl", 1)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(RunError, match="damaged in line 2"):
        read_epochs(path)


def test_what_a_resumed_run_trains_again_is_cut(tmp_path):
    path = write(tmp_path / "epochs.jsonl", 4)
    cut_epochs(path, 2)
    assert [record.epoch for record in read_epochs(path)] == [0, 1]


def test_an_earlier_epoch_stands_for_the_last(tmp_path):
    faces = WatchedFaces([0, 3], PROBS[:2].tolist(), [[0, 1], [0, 2], [0, 3]])
    last = ValidationRecord(2, np.eye(7, dtype=int).tolist(), faces)
    path = tmp_path / "epochs.jsonl"
    append_epoch(path, 1, np.eye(7, dtype=np.int64) * 9, np.eye(7)[[0, 2]])
    record = record_after(last, read_epochs(path)[0])
    assert record.confusion[0][0] == 9
    assert record.faces.predicted == [[0, 1], [0, 2]] and record.faces.probs[1][2] == 1
