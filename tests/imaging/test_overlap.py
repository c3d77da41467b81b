import threading
import time

import pytest

from fer_core.imaging.overlap import call_in_thread, read_ahead


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
