"""The heaps of a server of many streams, counted by glibc itself in a process of its own."""

import os
import platform
import subprocess
import sys

import pytest

from fer_core.live.memory import use_few_heaps

# Eight threads that hold memory at once, each in a heap of its own if it may; then the heaps are counted.
COUNT = """
import ctypes, sys, threading
from fer_core.live.memory import use_few_heaps
print(use_few_heaps())
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
barrier = threading.Barrier(8)
def hold():
    barrier.wait()
    libc.malloc(ctypes.c_size_t(100_000))
    barrier.wait()
threads = [threading.Thread(target=hold) for _ in range(8)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file), libc.fclose(file)
print(open(sys.argv[1]).read().count("<heap "))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_threads_share_two_heaps_unless_somebody_chose_otherwise(tmp_path):
    def heaps(**settings):
        environment = {name: value for name, value in os.environ.items() if name not in ("MALLOC_ARENA_MAX",)}
        command = [sys.executable, "-c", COUNT, str(tmp_path / "heaps.xml")]
        done = subprocess.run(command, env=environment | settings, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert heaps() == ["True", "2"]
    applied, count = heaps(MALLOC_ARENA_MAX="6")
    assert applied == "False" and int(count) > 2


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not use_few_heaps()
