import io
import sys

from fer_core.terminal import progress_bar


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
