"""The only place that blocks: wait, take in, let the core decide, perform, wait again.

Law of this file: no decisions. Inputs are made from what the kernel says; the results of effects
are fed back at once, before any other input. An exception is said once and the loop goes on:
PID 1 does not die of a mistake.
"""

from __future__ import annotations

import os
import select
import time

from initd import notify, proctable, room, signals, syscalls
from initd.books import Init
from initd.core import Core
from initd.desk import Desk
from initd.earshot import Earshot
from initd.hands import Hands, spawn_failure
from initd.letterbox import Letterbox
from initd.model import MAIN, BatchReaped, ChildEnded, Notified, SignalReceived, Spawned, Ticked
from initd.sockets import remove_socket_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.boot import World
    from initd.model import Elder
    from initd.notifybox import NotifyBox
    from initd.procfs import Stat

_CHLD = signals.NUMBERS["CHLD"]
# What the kernel says to us about a write of ours. It is blocked like all others, and is not meant for main.
_OUR_OWN = (signals.NUMBERS["PIPE"], signals.NUMBERS["XFSZ"])
_SHARE = 0.01  # seconds of reaping in one turn; web's probes have half a second
_STORM = 0.002  # batches that follow each other this closely are gathered into one
_POLL = 0.05  # without a signalfd we look for signals this often; and a turn that fails waits so long


def run(world: World) -> int:
    """Run the init until it has an exit code."""
    loop = Loop(world)
    loop.guarded(loop.begin)
    while loop.hands.code is None:
        loop.guarded(loop.turn)
    remove_socket_file(world.listeners)
    return loop.hands.code


class Loop:
    """Descriptors on one side, the desk with the core behind it on the other."""

    def __init__(self, world: World) -> None:
        listeners = tuple(listener.as_dict() for listener in world.listeners)
        role = "observer" if world.config.observe else world.role
        init = Init(os.getpid(), os.getuid(), role, world.started, listeners, world.present, room.oom_kills())
        self.world = world
        self.core = Core(world.config, init, lambda: os.urandom(1)[0] / 256)
        self.desk = Desk(self.core)
        self._epoll = select.epoll()
        self._signalfd = self._open_signals()
        self._letterbox = Letterbox(self._epoll)
        self._earshot = Earshot(self._epoll)
        self.hands = Hands(world, self._letterbox, self._earshot, self.core.books.ledger.adopted)
        if world.box is not None:
            self._epoll.register(world.box.fd, select.EPOLLIN)
        self._said: set[str] = set()
        self._last_batch = -1.0
        self._batch, self._batch_seconds = 0, 0.0  # reaped since there was nothing to reap
        self._more = False  # the last batch used up its share, and there may be more to reap
        self._forensic = not world.config.no_http or world.config.warn_on_reap

    def _open_signals(self) -> int | None:
        try:
            fd = syscalls.open_signalfd()
        except (ImportError, OSError, AttributeError) as error:
            text = f"cannot open a signalfd: {error}; signals take up to 50 ms; allow it, or install ctypes"
            self.world.speaker.say("warning", text)
            return None
        self._epoll.register(fd, select.EPOLLIN)
        return fd

    def begin(self) -> None:
        """The first input: main was started by the bootstrap, or could not be. Then web is started."""
        if self.world.main_pid is not None:
            self.feed(Spawned(MAIN, proctable.identify(self.world.main_pid)))
        elif self.world.failure is not None:
            self.feed(spawn_failure(MAIN, self.world.failure, self.world.config))
        self._perform(self.core.begin(time.monotonic(), time.time()))
        self._drain_children()  # one that was dead before we blocked signals sends no more

    def turn(self) -> None:
        """Wait for anything, take it all in, settle."""
        ready = self._wait()
        for number, pid, uid in self._signals(ready):
            if number != _CHLD and not (number in _OUR_OWN and pid == os.getpid()):
                self.feed(SignalReceived(number, pid, uid, proctable.name_of(pid)))
        self._earshot.read(ready)
        self._drain_children()
        if self._letterbox.is_in(ready):
            for happened in self._letterbox.read():
                self.feed(happened)
        if self.world.box is not None and self.world.box.fd in ready:
            self._read_notes(self.world.box)
        deadline = self.core.books.deadline()
        if deadline is not None and deadline <= time.monotonic():
            self.feed(Ticked())
        self._perform(self.core.settle())

    def guarded(self, step: Callable[[], None]) -> None:
        """Take a step; an exception is said once, with its place, and the init goes on."""
        try:
            step()
        except Exception as error:  # noqa: BLE001  because this is PID 1's last guard: main must live
            place = _place_of(error)
            if place not in self._said:
                self._said.add(place)
                text = f"cannot go on as planned at {place}: {error!r}; please report this"
                self.world.speaker.say("error", text)
            time.sleep(_POLL)  # should every turn fail, then at least not in a hot loop

    def feed(self, happened: object) -> None:
        """One input; its effects are performed, and their results fed, before this returns."""
        self._perform(self.desk.handle(happened, time.monotonic(), time.time()))

    def _perform(self, effects: list[Any]) -> None:
        """All of them first, then what came of them: a result must not overtake the rest of its batch."""
        results = [self.hands.perform(effect) for effect in effects]
        for result in results:
            if result is not None:
                self.feed(result)

    def _wait(self) -> list[int]:
        deadline = self.core.books.deadline()
        seconds = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
        return [fd for fd, _ in self._epoll.poll(0.0 if self._more or self._signalfd is None else seconds)]

    def _signals(self, ready: list[int]) -> list[tuple[int, int, int]]:
        if self._signalfd is None:
            return syscalls.take_signals(0.0 if ready or self._more else _POLL)
        return syscalls.read_signals(self._signalfd) if self._signalfd in ready else []

    def _read_notes(self, box: NotifyBox) -> None:
        """Main's words by sd_notify. Whoever is not main or below it is not heard."""
        books = self.core.books
        for data, pid, _uid in box.read():
            main = books.main.process.pid if books.main.process is not None else None
            if proctable.speaks_for_main(pid, main, books.ledger.adopted):
                words = notify.parse(data)
                named = int(words.get("MAINPID", 0))
                valid = named != main and proctable.speaks_for_main(named, main, books.ledger.adopted)
                self.feed(Notified(words, proctable.identify(named) if valid else None))
            else:
                self.world.speaker.say("debug", f"pid {pid} is not main's and may not notify")

    def _drain_children(self) -> None:
        """Until there is no more: SIGCHLD coalesces, so its number says nothing.

        In a storm each exit would cost a turn of its own, so a short rest makes batches of them; and a
        batch ends after its share of time, so that signals and questions do not wait for the storm's end.
        """
        now = time.monotonic()
        if not self._more and now - self._last_batch < _STORM and syscalls.peek() is not None:
            time.sleep(_STORM)
        began, self._more = time.monotonic(), False
        while (end := self._next_end()) is not None:
            self._batch += 1
            self.feed(end)
            if time.monotonic() - began > _SHARE:
                self._more = True
                break
        if not self._batch:
            return
        self._batch_seconds += time.monotonic() - began
        if not self._more:
            batch = BatchReaped(self._batch, self._batch_seconds)
            self._batch, self._batch_seconds, self._last_batch = 0, 0.0, time.monotonic()
            self.feed(batch)

    def _next_end(self) -> ChildEnded | None:
        """Reap one. Where somebody may ask, name and age are read first: they go with the zombie."""
        if not self._forensic:
            reaped = syscalls.reap(-1)
            return None if reaped is None else self._describe(reaped, None)
        pid = syscalls.peek()
        if pid is None:
            return None
        stat = proctable.stat_of(pid)
        reaped = syscalls.reap(pid)
        return None if reaped is None else self._describe(reaped, stat)

    def _describe(self, reaped: syscalls.Reaped, stat: Stat | None) -> ChildEnded:
        """Elders are only looked for where they are asked for: of an orphan that was never met alive."""
        books = self.core.books
        elders: tuple[Elder, ...] = ()
        new = reaped.pid not in books.ledger.adopted and books.origin(reaped.pid) == "adopted"
        if stat is not None and new:
            main = books.main.process
            living = (books.init.pid, main.pid if main is not None else 0)
            elders = proctable.elders(stat, living, {})
        return proctable.describe_end(reaped, stat, self._earshot.finish(reaped.pid), elders)


def _place_of(error: BaseException) -> str:
    """File and line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
