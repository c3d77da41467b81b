import io
import os
import signal
import sys

import pytest

from fer_core.terminal import interruptible, progress_bar


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_the_standard_error_alone(monkeypatch, capsys):
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("Reading") as update:
        update(1, 4)
        update(3, 4, "Writing")
    assert "Writing" in terminal.getvalue() and "75%" in terminal.getvalue()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_is_raised_by_the_next_update_and_a_second_at_once(number):
    updates, before = [], signal.getsignal(number)
    with interruptible(lambda *update: updates.append(update)) as update:
        update(1, 4)
        os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):
            update(2, 4)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    with interruptible(lambda *_: None, at_once=True), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert updates == [(1, 4, None)] and signal.getsignal(number) is before
