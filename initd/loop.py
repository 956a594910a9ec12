"""The only place that blocks: wait, take in, let the core decide, perform, wait again.

Law of this file: no decisions. Inputs are made from what the kernel says; the results of effects
are fed back at once, before any other input. An exception is guard.py's, and the
loop goes on: PID 1 does not die of a mistake.
"""

from __future__ import annotations

import os
import resource  # noqa: F401  wait4(2) looks for it at its first call, and without a descriptor would lose an end
import select
import time

from initd import notify, proctable, room, signals, syscalls
from initd.books import Init
from initd.core import Core
from initd.desk import Desk
from initd.earshot import Earshot
from initd.guard import Guard
from initd.hands import Hands, spawn_failure
from initd.letterbox import Letterbox
from initd.model import MAIN, BatchReaped, ChildEnded, Exit, Notified, SignalReceived, Spawned, Ticked
from initd.sockets import remove_socket_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.boot import World
    from initd.model import Elder
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
        init = Init(
            os.getpid(),
            os.getuid(),
            role,
            world.started,
            listeners,
            world.present,
            room.oom_kills(),
            world.spare.pid,
        )
        self.world = world
        self.core = Core(world.config, init, lambda: os.urandom(1)[0] / 256)
        self.desk = Desk(self.core)
        self._poll = select.poll()  # not epoll: for so few it is as quick, and it needs no descriptor
        self._signalfd = self._open_signals()
        self._letterbox = Letterbox(self._poll)
        self._earshot = Earshot(self._poll)
        self.hands = Hands(world, self._letterbox, self._earshot, self.core.books.knows)
        if world.box is not None:
            self._poll.register(world.box.fd, select.POLLIN)
        self.guard = Guard(self.core.books, world.speaker)
        self._steps: tuple[Callable[[list[int]], None], ...] = (
            self._take_signals,
            self._earshot.read,
            self._drain_children,
            self._read_letterbox,
            self._read_notes,
            self._keep_time,
            self._settle,
        )
        self._last_batch = -1.0
        self._batch, self._batch_seconds = 0, 0.0  # reaped since there was nothing to reap
        self._more = False  # the last batch used up its share, and there may be more to reap
        self._peeks = self._may_peek()
        self._forensic = self._peeks and (not world.config.no_http or world.config.warn_on_reap)

    def _open_signals(self) -> int | None:
        try:
            fd = syscalls.open_signalfd()
        except (ImportError, OSError, AttributeError) as error:
            text = f"cannot open a signalfd: {error}; signals take up to 50 ms; allow it, or install ctypes"
            self.world.speaker.say("warning", text)
            return None
        self._poll.register(fd, select.POLLIN)
        return fd

    def _may_peek(self) -> bool:
        if syscalls.can_peek():
            return True
        text = "cannot look at the dead before they are reaped, and their names are unknown: allow waitid"
        self.world.speaker.say("warning", text)
        return False

    def begin(self) -> None:
        """The first input: main was started by the bootstrap, or could not be. Then web is started."""
        if self.world.main_pid is not None:
            self.feed(Spawned(MAIN, proctable.identify(self.world.main_pid)))
        elif self.world.failure is not None:
            self.feed(spawn_failure(MAIN, self.world.failure, self.world.config))
        self._perform(self.core.begin(time.monotonic(), time.time()))
        self._drain_children([])  # one that was dead before we blocked signals sends no more

    def turn(self) -> None:
        """Wait for anything, take it all in, settle. What fails in one step is no reason to leave another."""
        ready = self._wait()
        for step in self._steps:
            self.guarded(step, ready)

    def guarded(self, step: Callable[..., None], *arguments: object) -> None:
        """Take a step; an exception is survived."""
        try:
            step(*arguments)
        except Exception as error:  # noqa: BLE001  because this is PID 1's last guard: main must live
            self.guard.survived(error)
            time.sleep(_POLL)  # should every turn fail, then at least not in a hot loop

    def feed(self, happened: object) -> None:
        """One input; its effects are performed, and their results fed, before this returns."""
        try:
            effects = self.desk.handle(happened, time.monotonic(), time.time())
        except Exception as error:  # noqa: BLE001  because a signal, or main's end, must not be lost by it
            self.guard.survived(error)
            effects = self.guard.instead_of_handling(happened)
        self._perform(effects)

    def _perform(self, effects: list[Any]) -> None:
        """All of them first, then what came of them: a result must not overtake the rest of its batch."""
        results = [self._try(effect) for effect in effects]
        for result in results:
            if result is not None:
                self.feed(result)

    def _try(self, effect: object) -> object | None:
        try:
            return self.hands.perform(effect)
        except Exception as error:  # noqa: BLE001  because the effects after this one are to be performed too
            self.guard.survived(error)
            if isinstance(effect, Exit):
                self.hands.code = effect.code
            return self.guard.instead_of_performing(effect)

    # --- the steps of a turn -------------------------------------------------------------------------

    def _take_signals(self, ready: list[int]) -> None:
        for number, pid, uid in self._signals(ready):
            if number != _CHLD and not (number in _OUR_OWN and pid == os.getpid()):
                self.feed(SignalReceived(number, pid, uid, proctable.name_of(pid)))

    def _read_letterbox(self, ready: list[int]) -> None:
        if self._letterbox.is_in(ready):
            for happened in self._letterbox.read():
                self.feed(happened)

    def _keep_time(self, _: list[int]) -> None:
        deadline = self.core.books.deadline()
        if deadline is not None and deadline <= time.monotonic():
            self.feed(Ticked())

    def _settle(self, _: list[int]) -> None:
        self._perform(self.core.settle())

    def _wait(self) -> list[int]:
        deadline = self.core.books.deadline()
        seconds = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
        if self._more or self._signalfd is None:
            seconds = 0.0
        return [fd for fd, _ in self._poll.poll(seconds * 1000)]

    def _signals(self, ready: list[int]) -> list[tuple[int, int, int]]:
        if self._signalfd is None:
            return syscalls.take_signals(0.0 if ready or self._more else _POLL)
        return syscalls.read_signals(self._signalfd) if self._signalfd in ready else []

    def _read_notes(self, ready: list[int]) -> None:
        """Main's words by sd_notify. Whoever is not main or below it is not heard."""
        box = self.world.box
        if box is None or box.fd not in ready:
            return
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

    def _drain_children(self, _: list[int]) -> None:
        """Until there is no more: SIGCHLD coalesces, so its number says nothing.

        In a storm each exit would cost a turn of its own, so a short rest makes batches of them; and a
        batch ends after its share of time, so that signals and questions do not wait for the storm's end.
        """
        now = time.monotonic()
        if self._peeks and not self._more and now - self._last_batch < _STORM and syscalls.peek():
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
            return None if reaped is None else self._described(reaped, None)
        pid = syscalls.peek()
        if pid is None:
            return None
        stat = proctable.stat_of(pid)
        reaped = syscalls.reap(pid)
        return None if reaped is None else self._described(reaped, stat)

    def _described(self, reaped: syscalls.Reaped, stat: Stat | None) -> ChildEnded:
        """Whatever goes wrong in describing an end, it is an end: nobody else will ever hear of it."""
        try:
            return self._describe(reaped, stat)
        except Exception as error:  # noqa: BLE001  as above
            self.guard.survived(error)
            return proctable.bare_end(reaped)

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
