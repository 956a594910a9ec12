"""web.worker: questions in their order, and one thing that is done again until something comes of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from tests.web.inside import eventually
from web.worker import Job, Pause, Worker

FOREVER = 600.0


@pytest.fixture(params=["with its thread", "without"])
def any_worker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Worker]:
    """As it should be, and as it is where no thread can be made."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    if request.param == "without":
        monkeypatch.setattr(threading.Thread, "start", refuse)
    return Worker


def working(test: Callable[[Worker], Awaitable[None]], made: Callable[[], Worker] = Worker) -> None:
    worker = made()
    worker.start()
    try:
        asyncio.run(asyncio.wait_for(test(worker), 20))
    finally:
        worker.stop()


def in_vain(times: list[float], results: list[object], wait: float = 0.0) -> Callable[[], object]:
    """Work that gives these one after the other; for None a pause of ``wait``."""

    def work() -> object:
        times.append(time.monotonic())
        result = results.pop(0)
        return Pause(times[-1], times[-1] + wait) if result is None else result

    return work


def test_what_is_done_again_and_again_ends_with_what_comes_of_it(any_worker: Callable[[], Worker]) -> None:
    async def test(worker: Worker) -> None:
        times: list[float] = []
        began = time.monotonic()
        work = in_vain(times, [None, None, "found", "never asked for"], 0.05)
        assert await worker.until(work, Pause(0.0, began + 0.1)) == "found"
        assert len(times) == 3
        assert times[0] - began >= 0.1
        assert min(later - one for one, later in pairwise(times)) >= 0.05

    working(test, any_worker)


def test_its_error_reaches_whoever_waits_and_the_thread_lives_on(any_worker: Callable[[], Worker]) -> None:
    async def test(worker: Worker) -> None:
        with pytest.raises(ZeroDivisionError):
            await worker.until(lambda: 1 // 0, Pause(0.0, 0.0))
        assert await worker.run(lambda: 7) == 7

    working(test, any_worker)


def test_the_event_loop_is_not_woken_until_there_is_something(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(worker: Worker) -> None:
        loop = asyncio.get_running_loop()
        woken: list[object] = []
        wake = loop.call_soon_threadsafe

        def counting(callback: Callable[..., object], *arguments: object) -> asyncio.Handle:
            woken.append(callback)
            return wake(callback, *arguments)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counting)
        assert await worker.until(in_vain([], [None] * 50 + [1], 0.001), Pause(0.0, 0.0)) == 1
        assert len(woken) == 1

    working(test)


def test_a_hurry_brings_it_forward_but_not_before_its_time(any_worker: Callable[[], Worker]) -> None:
    async def test(worker: Worker) -> None:
        times: list[float] = []
        began = time.monotonic()
        waiting = asyncio.create_task(worker.until(in_vain(times, [1]), Pause(began + 0.2, began + FOREVER)))
        await asyncio.sleep(0)
        worker.hurry()
        await waiting
        assert 0.2 <= times[0] - began < FOREVER

    working(test, any_worker)


@pytest.mark.parametrize("before", [False, True])
def test_a_hurry_where_nobody_waits_is_for_the_next_who_does_and_for_no_other(
    before: bool, any_worker: Callable[[], Worker]
) -> None:
    async def test(worker: Worker) -> None:
        if before:  # and nobody waits any more
            assert await worker.until(lambda: 0, Pause(0.0, 0.0)) == 0
        worker.hurry()
        assert await worker.until(lambda: 1, Pause(0.0, time.monotonic() + FOREVER)) == 1
        next_one = asyncio.create_task(worker.until(lambda: 2, Pause(0.0, time.monotonic() + FOREVER)))
        assert await worker.run(lambda: 3) == 3
        await worker.run(lambda: None)
        assert not next_one.done()
        next_one.cancel()

    working(test, any_worker)


def test_questions_are_answered_meanwhile_and_do_not_keep_it_from_its_turn() -> None:
    async def test(worker: Worker) -> None:
        times: list[float] = []
        waiting = asyncio.create_task(worker.until(in_vain(times, [None, None, 1], 0.02), Pause(0.0, 0.0)))
        answers = 0
        while not waiting.done():  # the queue is never empty
            await asyncio.gather(*(worker.run(lambda: time.sleep(0.001)) for _ in range(20)))
            answers += 20
        assert answers >= 20
        assert len(times) == 3

    working(test)


def test_a_hurry_is_not_for_one_who_waits_no_more() -> None:
    async def test(worker: Worker) -> None:
        leaving = asyncio.create_task(worker.until(lambda: 1, Pause(0.0, time.monotonic() + FOREVER)))
        await worker.run(lambda: None)
        leaving.cancel()
        await asyncio.wait([leaving])
        worker.hurry()
        assert await worker.until(lambda: 2, Pause(0.0, time.monotonic() + FOREVER)) == 2

    working(test)


def test_who_waits_no_more_is_not_worked_for() -> None:
    async def test(worker: Worker) -> None:
        times: list[float] = []
        waiting = asyncio.create_task(worker.until(in_vain(times, [None] * 10_000, 0.001), Pause(0.0, 0.0)))
        await eventually(lambda: len(times) > 2)
        waiting.cancel()
        await asyncio.wait([waiting])
        await worker.run(lambda: None)
        seen = len(times)
        await worker.run(lambda: time.sleep(0.05))  # time for fifty more
        assert len(times) <= seen + 1

    working(test)


def test_what_came_of_a_job_is_there_for_the_next_and_so_is_what_it_raised(
    any_worker: Callable[[], Worker],
) -> None:
    async def test(worker: Worker) -> None:
        good, bad = Job(lambda: 5), Job(lambda: 1 // 0)
        bad.answer.add_done_callback(lambda answer: answer.exception())
        worker.put(good)
        worker.put(bad)
        assert await worker.run(good.result) == 5
        with pytest.raises(ZeroDivisionError):
            await worker.run(bad.result)

    working(test, any_worker)


def test_a_stray_stop_iteration_is_an_error_and_no_endless_wait(any_worker: Callable[[], Worker]) -> None:
    async def test(worker: Worker) -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await worker.run(lambda: next(iter(())))

    working(test, any_worker)
