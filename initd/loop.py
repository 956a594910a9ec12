"""The only place that blocks: wait, take in, let the core decide, perform, wait again.

Law of this file: no decisions. Inputs are made from what the kernel says; the results of effects
are fed back at once, before any other input. An exception is guard.py's, and the
loop goes on: PID 1 does not die of a mistake.
"""

from __future__ import annotations

import posix as os
import resource  # noqa: F401  wait4(2) looks for it at its first call, and without a descriptor would lose an end
import select
import time

from initd import notify, proctable, room, signals, syscalls
from initd.books import Init
from initd.core import Core
from initd.desk import Desk
from initd.earshot import Earshot
from initd.effects import Exit
from initd.guard import Guard
from initd.hands import Hands, spawn_failure
from initd.inputs import Notified, SignalReceived, Spawned, Ticked
from initd.letterbox import Letterbox
from initd.model import MAIN
from initd.reaping import SHARE, Reaper
from initd.sockets import remove_socket_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.boot import World

_CHLD = signals.NUMBERS["CHLD"]
# What the kernel says to us about a write of ours. It is blocked like all others, and is not meant for main.
_OUR_OWN = (signals.NUMBERS["PIPE"], signals.NUMBERS["XFSZ"])
_LONGEST = 86_400.0  # at once: poll(2) cannot be told more than 24 days
_LEAP = 0.5  # so much later than asked for: we were stopped or frozen, or the machine is very busy
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
            world.spare.pid if world.spare is not None else 0,
        )
        self.world = world
        self.core = Core(world.config, init, lambda: os.urandom(1)[0] / 256)
        self.desk = Desk(self.core)
        self._poll = select.poll()  # not epoll: for so few it is as quick, and it needs no descriptor
        self._missed = 0.0  # seconds that this turn's wait took too long
        self._signalfd = self._open_signals()
        self._letterbox = Letterbox(self._poll)
        self._earshot = Earshot(self._poll)
        self.hands = Hands(world, self._letterbox, self._earshot, self.core.books.knows)
        if world.box is not None:
            self._poll.register(world.box.fd, select.POLLIN)
        self.guard = Guard(self.core.books, world.speaker)
        self._reaper = Reaper(world, self.core.books, self._earshot, self._letterbox, self.guard, self.feed)
        self._steps: tuple[Callable[[list[int]], None], ...] = (
            self._take_signals,
            self._read_letterbox,  # a question costs less than a batch of orphans
            self._earshot.read,
            self._reaper.drain,
            self._read_notes,
            self._keep_time,
            self._settle,
        )

    def _open_signals(self) -> int | None:
        try:
            fd = syscalls.open_signalfd()
        except (ImportError, OSError, AttributeError, TypeError) as error:  # the last two: another _ctypes
            text = f"cannot open a signalfd: {error}; signals take up to 50 ms; allow it, or install ctypes"
            self.world.speaker.say("warning", text)
            return None
        self._poll.register(fd, select.POLLIN)
        return fd

    def begin(self) -> None:
        """The first input: main was started by the bootstrap, or could not be. Then web is started."""
        if self.world.main_pid is not None:
            self.feed(Spawned(MAIN, proctable.identify(self.world.main_pid)))
        elif self.world.failure is not None:
            self.feed(spawn_failure(MAIN, self.world.failure, self.world.config))
        self._perform(self.core.begin(time.monotonic(), time.time()))
        self._reaper.drain([])  # one that was dead before we blocked signals sends no more

    def turn(self) -> None:
        """Wait for anything, take it all in, settle. What fails in one step is no reason to leave another."""
        ready = self._ready()
        for step in self._steps:
            if self.hands.code is None:
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
        missed, self._missed = self._missed, 0.0
        if missed or (deadline is not None and deadline <= time.monotonic()):
            self.feed(Ticked(missed))

    def _settle(self, _: list[int]) -> None:
        self._perform(self.core.settle())

    def _ready(self) -> list[int]:
        """What there is to read. If even that cannot be found out, signals are read and children reaped."""
        try:
            return self._wait()
        except Exception as error:  # noqa: BLE001  because a turn without its steps would be deaf
            self.guard.survived(error)
            time.sleep(_POLL)
            return [] if self._signalfd is None else [self._signalfd]

    def _wait(self) -> list[int]:
        deadline = self.core.books.deadline()
        seconds = -1.0 if deadline is None else min(_LONGEST, max(0.0, deadline - time.monotonic()))
        if self._reaper.more:
            seconds = 0.0
        elif self._signalfd is None and not 0.0 <= seconds < _POLL:
            seconds = _POLL
        began = time.monotonic()
        ready = self._poll.poll(seconds * 1000)
        late = time.monotonic() - began - seconds
        if seconds >= 0.0 and late > _LEAP:
            self._missed = late
        return [fd for fd, _ in ready]

    def _signals(self, ready: list[int]) -> list[tuple[int, int, int]]:
        if self._signalfd is None:
            return syscalls.take_signals()
        return syscalls.read_signals(self._signalfd) if self._signalfd in ready else []

    def _read_notes(self, ready: list[int]) -> None:
        """Main's words by sd_notify, for our share of time: poll(2) tells of the rest again."""
        box = self.world.box
        if box is None or box.fd not in ready:
            return
        until = time.monotonic() + SHARE
        for data, pid, uid in box.read():
            self._heed(data, pid, uid)
            if time.monotonic() > until:
                return

    def _heed(self, data: bytes, pid: int, uid: int) -> None:
        """Whoever is not main or below it is not heard."""
        books = self.core.books
        main = books.main.process.pid if books.main.process is not None else None
        adopted = books.ledger.adopted
        if not proctable.speaks_for_main(pid, uid, main, adopted):
            self.world.speaker.say("debug", f"pid {pid} of uid {uid} is not main's and may not notify")
            return
        words = notify.parse(data)
        named = int(words.get("MAINPID", 0))
        valid = named != main and proctable.root_of(named, main, adopted) is not None
        self.feed(Notified(words, proctable.identify(named) if valid else None))
