import io

import pytest

from fer_core.training.loop.terminal_lines import terminal_lines

LOGS = {"loss": 1.5, "accuracy": 0.41, "val_loss": 1.25, "val_accuracy": 0.52, "seconds": 12.4}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run_epoch(lines, epoch: int, logs: dict) -> None:
    lines.on_epoch_begin(epoch)
    for batch in range(4):
        lines.on_train_batch_end(batch, {"loss": 1.5})
    lines.on_epoch_end(epoch, logs)


def test_without_a_terminal_each_whole_epoch_is_a_line(capsys):
    with terminal_lines(3, 4, io.StringIO()) as lines:
        run_epoch(lines, 0, LOGS)
        run_epoch(lines, 1, {"loss": 1.4, "accuracy": 0.5})  # it was stopped before validation
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "Epoch 1/3  loss 1.5000  accuracy 41.00%  validation loss 1.2500  validation accuracy 52.00%  12 s"
    ]


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


def test_on_a_terminal_a_bar_moves_within_the_epoch(terminal, capsys):
    with terminal_lines(3, 4, terminal) as lines:
        lines.on_epoch_begin(1)
        lines.on_train_batch_end(0, {"loss": 1.5})
        task = lines._bar.tasks[0]
        assert (task.completed, task.total, task.description) == (1, 4, "Epoch 2/3  loss 1.500")
        run_epoch(lines, 1, LOGS)
    assert "validation accuracy 52.00%" in terminal.getvalue()
    assert capsys.readouterr().out == "", "standard output stays for what may be piped"
