"""Work in threads beside the caller's: FFmpeg and OpenCV let other threads run while they compute."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

Item = TypeVar("Item")
Arguments = ParamSpec("Arguments")
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class _Result(Generic[Item]):
    value: Item


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


def read_ahead(items: Iterable[Item], count: int) -> Generator[Item, None, None]:
    """Give items in their order while a thread already makes the next ones; what it raises is raised here.

    Args:
        items: they are asked for in one thread only, which has ended once this generator is closed.
        count: how many may wait to be taken.
    """
    made: queue.Queue[_Result[Item] | _End] = queue.Queue(count)
    stop = threading.Event()
    thread = threading.Thread(target=_make, args=(items, made, stop), name="read ahead", daemon=True)
    thread.start()
    try:
        while isinstance(item := made.get(), _Result):
            yield item.value
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()


def _make(items: Iterable[Item], made: queue.Queue[_Result[Item] | _End], stop: threading.Event) -> None:
    iterator = iter(items)
    end = _End()
    try:
        for item in iterator:
            if not _put(made, _Result(item), stop):
                break
    except BaseException as error:  # it is the caller's, whatever it is
        end = _End(error)
    finally:
        if isinstance(iterator, Generator):
            iterator.close()
    _put(made, end, stop)


def _put(made: queue.Queue[_Result[Item] | _End], item: _Result[Item] | _End, stop: threading.Event) -> bool:
    """Put an item in once there is room; return False if nobody wants it any more."""
    while not stop.is_set():
        try:
            made.put(item, timeout=_POLL_S)
            return True
        except queue.Full:
            continue
    return False


@contextmanager
def call_in_thread(function: Callable[Arguments, object], count: int) -> Iterator[Callable[Arguments, None]]:
    """Yield a function that makes calls to `function` in a thread, one after the other, without waiting for them.

    The block ends once all calls are made; those that wait are dropped where it ends by an exception. What a call
    raises is raised by the next one, or at the end of the block, and no further call is made.

    Args:
        function: what to call.
        count: how many calls may wait; the next waits until there is room.
    """
    caller = _Caller(function, count)
    try:
        yield caller.call
    except BaseException:
        caller.end(drop=True)
        raise
    caller.end()
    caller.raise_error()


class _Caller(Generic[Arguments]):
    """A thread that makes calls."""

    def __init__(self, function: Callable[Arguments, object], count: int) -> None:
        self._function = function
        self._calls: queue.Queue[Callable[[], object] | None] = queue.Queue(count)
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._run, name="call in thread", daemon=True)
        self._thread.start()

    def call(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        self.raise_error()
        self._calls.put(lambda: self._function(*args, **kwargs))

    def end(self, drop: bool = False) -> None:
        self._dropping = drop
        self._calls.put(None)
        self._thread.join()

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        # After an error calls are still taken, since somebody may wait for room.
        while (call := self._calls.get()) is not None:
            if self._error is not None or self._dropping:
                continue
            try:
                call()
            except BaseException as error:  # it is the caller's, whatever it is
                self._error = error
