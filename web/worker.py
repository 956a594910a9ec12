"""One thread that does what it is asked, one after the other; and one thing again and again, by itself.

Law of this file: the thread is started once, at boot: under pids.max a later one would fail. Where it could
not be started the work is done by whoever asks, and the server is held up by it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar, cast

from web.say import say

T = TypeVar("T")

_SWITCH_SECONDS = 0.0005  # see Worker.start


class Pause(NamedTuple):
    """Until when to leave it, in monotonic seconds; ``earliest`` is for those who are in a hurry."""

    earliest: float
    due: float


class Job(Generic[T]):
    """A question for the thread. ``begun`` is set by the thread before it looks at anything."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.begun = False
        self._outcome: tuple[T | None, Exception | None] | None = None
        self._answer: asyncio.Future[T] | None = None

    @property
    def answer(self) -> asyncio.Future[T]:
        """For who waits on the event loop; unless somebody does, that is not woken for it."""
        if self._answer is None:
            self._answer = self.loop.create_future()
            if self._outcome is not None:  # it was done before anybody wanted it
                self._settle()
        return self._answer

    def run(self) -> None:
        self.begun = True
        try:
            self._outcome = self.work(), None
        except StopIteration as stray:  # a future refuses it, and whoever awaits would wait for ever
            self._outcome = None, RuntimeError(f"the work raised {stray!r}")
        except Exception as problem:  # noqa: BLE001  it belongs to whoever awaits, as with any call
            self._outcome = None, problem
        self.take()

    def result(self) -> T:
        """What came of it, for work that was put after it: on the thread it is there already."""
        if self._outcome is None:
            raise RuntimeError("asked for the result of work that was not done yet")
        answer, error = self._outcome
        if error is not None:
            raise error
        return cast(T, answer)

    def take(self) -> None:
        """The outcome, on the thread. The loop asks first and looks then, so that one of the two sees it."""
        if self._answer is not None:
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody awaits any more
                self.loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        answer = self.answer
        if answer.done():  # cancelled by the only one who asked
            return
        try:
            answer.set_result(self.result())
        except Exception as error:  # noqa: BLE001  the work's own
            answer.set_exception(error)


class Chore(Job[Any]):
    """Work that the thread does again after each Pause, until something comes of it."""

    def __init__(self, work: Callable[[], Any], pause: Pause) -> None:
        super().__init__(work)
        self.pause: Pause | None = pause  # None: something came of it

    def take(self) -> None:
        answer = self._outcome[0] if self._outcome is not None else None
        self.pause = answer if isinstance(answer, Pause) else None
        if self.pause is None:
            super().take()

    def hurry(self) -> bool:
        """Once more, as soon as may be; False where something came of it already, or nobody waits for it."""
        if self.answer.cancelled():
            return False
        if self.pause is not None:
            self.pause = self.pause._replace(due=self.pause.earliest)
        return self.pause is not None


class Worker:
    """``start`` before the first request; everything else is awaited."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._chore: Chore | None = None  # of the thread alone
        self._hurried = False  # and this: nobody was waiting who could be in a hurry
        self._soon = asyncio.Event()  # the same where there is no thread
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, or say that there will be none and everything holds up the server.

        The event loop must get the interpreter back quickly: with Python's default of 5 ms a probe waits
        that long each time it has let go of it, beside the tree of 2,000 processes 10 ms at p99, not 5.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        thread = threading.Thread(target=self._work, name="sampler", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            say(
                f"cannot start the thread that reads /proc ({error}): probes will wait for each scan; "
                "raise the limit of processes"
            )
        else:
            self._thread = thread

    def stop(self) -> None:
        """End the thread after what it has already been asked."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    async def run(self, work: Callable[[], T]) -> T:
        """``work()`` on the thread."""
        job = Job(work)
        self.put(job)
        return await job.answer

    def put(self, job: Job[Any]) -> None:
        """To be run; whoever wants what comes of it awaits its ``answer``."""
        if self._thread is None:
            job.run()
        else:
            self._jobs.put(job.run)

    async def until(self, work: Callable[[], T | Pause], pause: Pause) -> T:
        """After ``pause``, and after each that ``work`` gives, what it gives instead of one.

        The event loop sleeps meanwhile: at rest, waking it costs as much as the work.
        """
        if self._thread is not None:
            chore = Chore(work, pause)
            answer: asyncio.Future[T] = chore.answer
            self._jobs.put(lambda: self._take(chore))
            return await answer
        while True:
            await self._rest(pause)
            outcome = work()
            if not isinstance(outcome, Pause):
                return outcome
            pause = outcome

    def hurry(self) -> None:
        """What is waited for by ``until``, now or next, is to be tried as soon as its pause allows."""
        if self._thread is not None:
            self._jobs.put(self._hurry)
        else:
            self._soon.set()

    async def _rest(self, pause: Pause) -> None:
        """A pause, which a hurry cuts short. asyncio's clock is the monotonic one."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(pause.due):
                await self._soon.wait()
        self._soon.clear()
        await asyncio.sleep(max(0.0, pause.earliest - time.monotonic()))

    # --- on the thread ----------------------------------------------------------------------------

    def _take(self, chore: Chore) -> None:
        self._chore = chore
        if self._hurried:
            self._hurry()

    def _hurry(self) -> None:
        self._hurried = self._chore is None or not self._chore.hurry()

    def _work(self) -> None:
        while (step := self._next()) is not None:
            step()

    def _next(self) -> Callable[[], None] | None:
        chore = self._chore
        if chore is None or chore.pause is None or chore.answer.cancelled():
            return self._jobs.get()
        seconds = chore.pause.due - time.monotonic()
        if seconds <= 0:  # whoever asks without end must not keep it from being done
            return chore.run
        try:
            return self._jobs.get(timeout=seconds)
        except Empty:
            return chore.run
