"""Work in threads beside the caller's: FFmpeg and OpenCV let other threads run while they compute."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True, slots=True)
class _Result(Generic[Item]):
    value: Item


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


class _Room:
    """Lets so many items wait. Of all queues `SimpleQueue` alone stays whole where an interrupt comes while it is used;
    it has no bound of its own."""

    def __init__(self, count: int) -> None:
        self._places: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(count):
            self.free()

    def take(self) -> None:
        self._places.get()

    def free(self) -> None:
        self._places.put(None)


def read_ahead(items: Iterable[Item], count: int) -> Generator[Item, None, None]:
    """Give items in their order while a thread already makes the next ones; what it raises is raised here.

    Args:
        items: they are asked for in one thread only, which has ended once this generator is closed.
        count: how many may wait to be taken.
    """
    maker = _Maker(items, count)
    maker.start()
    try:
        while isinstance(item := maker.take(), _Result):
            yield item.value
        if item.error is not None:
            raise item.error
    finally:
        maker.end()


def map_ahead(function: Callable[[Item], Value], items: Iterable[Item], threads: int) -> Generator[Value, None, None]:
    """Give what a function returns for each item, in their order, while threads already work on the next ones.

    What a call raises is raised in its turn. Calls that have begun are waited for when this generator is closed.

    Args:
        function: is called in several threads at a time.
        items: what for.
        threads: how many; so many results may wait to be taken, and one more.
    """
    with ThreadPoolExecutor(threads, "map ahead") as pool:
        waiting: deque[Future[Value]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for call in waiting:
                call.cancel()


class _Maker(threading.Thread, Generic[Item]):
    """A thread that makes items."""

    def __init__(self, items: Iterable[Item], count: int) -> None:
        super().__init__(name="read ahead", daemon=True)
        self._items, self._room, self._is_wanted = items, _Room(count), True
        self._made: queue.SimpleQueue[_Result[Item] | _End] = queue.SimpleQueue()

    def take(self) -> _Result[Item] | _End:
        item = self._made.get()
        self._room.free()
        return item

    def end(self) -> None:
        self._is_wanted = False
        self._room.free()  # it may wait for some
        self.join()

    def run(self) -> None:
        iterator, end = iter(self._items), _End()
        try:
            for item in iterator:
                self._room.take()
                if not self._is_wanted:
                    break
                self._made.put(_Result(item))
        except BaseException as error:  # it is the caller's, whatever it is
            end = _End(error)
        finally:
            if isinstance(iterator, Generator):
                iterator.close()
        self._made.put(end)


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
        self._room = _Room(count)
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._run, name="call in thread", daemon=True)
        self._thread.start()

    def call(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        self.raise_error()
        self._room.take()
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
            self._room.free()
            if self._error is not None or self._dropping:
                continue
            try:
                call()
            except BaseException as error:  # it is the caller's, whatever it is
                self._error = error
