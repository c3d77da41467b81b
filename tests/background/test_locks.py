import os
import signal
import subprocess
import sys
import time

import pytest

from fer_core.background import locks
from fer_core.background.locks import holder, is_held, take, write_holder
from fer_core.errors import JobError


def test_a_lock_is_held_until_its_file_is_closed(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path)
    file = take(path)
    assert is_held(path)
    assert take(path) is None
    os.close(file)
    assert not is_held(path)


def test_the_holder_is_named_only_while_it_holds(tmp_path):
    path = tmp_path / "lock"
    file = take(path)
    write_holder(file, 123456)
    write_holder(file, 42)
    assert holder(path) == 42
    os.close(file)
    assert holder(path) is None


def test_a_killed_process_loses_its_lock_even_while_nobody_has_waited_for_it(tmp_path):
    path = tmp_path / "lock"
    file = take(path)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=(file,))
    os.close(file)
    assert is_held(path)  # the process inherited it
    process.send_signal(signal.SIGKILL)
    end_s = time.monotonic() + 10
    while is_held(path) and time.monotonic() < end_s:
        time.sleep(0.01)
    assert not is_held(path)
    assert os.path.exists(f"/proc/{process.pid}") or sys.platform != "linux"  # still a zombie: its id is taken
    process.wait()


def test_a_system_without_such_locks_is_told_so_and_holds_none(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    path.touch()
    monkeypatch.setattr(locks, "fcntl", None)
    with pytest.raises(JobError, match="Linux or macOS"):
        take(path)
    assert not is_held(path)
    assert holder(path) is None


def test_the_command_line_starts_on_a_system_without_such_locks():
    code = (
        "import sys; sys.modules['fcntl'] = None\n"  # as if it were not there
        "import fer_core.evaluation.process, fer_core.training.run.store\n"
        "from fer_core.cli import main; main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "COMMAND" in done.stdout, done.stderr
