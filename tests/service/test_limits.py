import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import ClientDisconnect, Request

from fer_core.errors import SettingsError
from fer_core.service.limits import Gate, Limits


def leaving() -> Request:
    """A request whose client has left."""

    async def receive():
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


def result_of(coroutine):
    """Run a coroutine in a thread of its own: browser tests leave an event loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_no_more_runs_at_once_than_there_are_threads():
    async def run():
        gate, lock, counts = Gate(Limits(threads=2)), threading.Lock(), [0, 0]

        def work(number):
            with lock:
                counts[0] += 1
                counts[1] = max(counts)
            threading.Event().wait(0.02)
            with lock:
                counts[0] -= 1
            return number

        answers = await asyncio.gather(*(gate.run(lambda number=number: work(number)) for number in range(6)))
        return answers, counts[1]

    assert result_of(run()) == ([0, 1, 2, 3, 4, 5], 2)


def test_work_is_given_up_when_its_client_leaves_while_it_waits():
    async def run():
        gate, release = Gate(Limits(threads=1)), threading.Event()
        running = asyncio.create_task(gate.run(release.wait))
        await asyncio.sleep(0.01)
        with pytest.raises(ClientDisconnect):
            await gate.run(lambda: pytest.fail("it ran"), leaving())
        release.set()
        assert await running
        return await gate.run(lambda: "free again", leaving())

    assert result_of(run()) == "free again"


def test_an_error_of_the_work_frees_its_thread():
    async def run():
        gate = Gate(Limits(threads=1))
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await gate.run(lambda: 1 // 0)

    result_of(run())


@pytest.mark.parametrize("values", [{"threads": 0}, {"max_waiting": -1}, {"body_timeout_s": 0.0}])
def test_limits_that_admit_nothing_are_refused(values):
    with pytest.raises(SettingsError, match=f"{next(iter(values))} must be"):
        Limits(**values)
