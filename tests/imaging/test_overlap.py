import subprocess
import sys
import threading
import time

import pytest

from fer_core.imaging.overlap import call_in_thread, map_ahead, read_ahead


def test_items_come_in_their_order_while_the_next_are_made():
    made = []

    def items():
        for number in range(10):
            made.append(number)
            yield number

    reader = read_ahead(items(), 3)
    assert next(reader) == 0
    deadline = time.monotonic() + 10
    while len(made) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert list(reader) == list(range(1, 10))


def test_what_making_raises_comes_after_what_was_made():
    def items():
        yield 1
        raise ValueError("broken")

    reader = read_ahead(items(), 3)
    assert next(reader) == 1
    with pytest.raises(ValueError, match="broken"):
        next(reader)


def test_closing_ends_the_thread_and_the_items():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = threading.active_count()
    reader = read_ahead(items(), 2)
    next(reader)
    reader.close()
    assert closed.is_set() and threading.active_count() == before


def test_several_threads_work_ahead_and_results_keep_their_order():
    together = threading.Barrier(2)  # passes only if two calls are made at a time

    def function(number):
        together.wait(10)
        return number, threading.current_thread()

    results = list(map_ahead(function, range(6), 2))
    assert [number for number, _ in results] == list(range(6))
    assert len({thread for _, thread in results}) == 2


def test_no_call_is_begun_once_results_are_not_wanted():
    calls = []

    def function(number):
        calls.append(number)
        return 1 // (number != 2)

    with pytest.raises(ZeroDivisionError):
        list(map_ahead(function, range(100), 1))
    assert len(calls) <= 4


def test_calls_are_made_in_their_order_before_the_block_ends():
    calls = []
    with call_in_thread(lambda number: calls.append((number, threading.current_thread())), 2) as call:
        for number in range(20):
            call(number)
    assert [number for number, _ in calls] == list(range(20))
    assert threading.current_thread() not in {thread for _, thread in calls}


def test_the_error_of_a_call_ends_the_block():
    calls = []

    def function(number):
        calls.append(number)
        if number == 3:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), call_in_thread(function, 2) as call:
        for number in range(100):
            call(number)
    assert calls == [0, 1, 2, 3]


def test_an_error_of_the_block_drops_what_waits():
    calls, go_on = [], threading.Event()

    def function(number):
        go_on.wait(10)
        calls.append(number)

    with pytest.raises(KeyboardInterrupt), call_in_thread(function, 5) as call:
        for number in range(5):
            call(number)
        threading.Timer(0.2, go_on.set).start()
        raise KeyboardInterrupt
    assert len(calls) < 5


_INTERRUPTED_ANYWHERE = """
import random, signal
from fer_core.imaging.overlap import call_in_thread, read_ahead

signal.signal(signal.SIGALRM, signal.default_int_handler)
for _ in range(60):
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.02))
    try:
        with call_in_thread(lambda item: None, 4) as call:
            for item in read_ahead(iter(int, 1), 4):
                call(item)
    except KeyboardInterrupt:
        pass
"""


def test_an_interrupt_at_any_moment_leaves_nobody_waiting():
    # Once it came between taking a queue's lock and using it, and the other thread waited for good.
    subprocess.run([sys.executable, "-c", _INTERRUPTED_ANYWHERE], timeout=120, check=True)
