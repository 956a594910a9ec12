"""A fake kernel for the core: it performs effects as the loop would, in time that only tests move.

Law of this file: what a real kernel and a real web could do, and nothing of what the core should
do about it. It checks what no caller may break: one main at a time, no datagram over the limit.
"""

from __future__ import annotations

import errno
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings

from initd import cli, probes, signals, wire
from initd.books import Init
from initd.core import Core
from initd.desk import Desk
from initd.effects import Deliver, Dismiss, Exit, Inspect, Log, Look, Park, Send, Signal, Spawn, Sweep
from initd.inputs import (
    Asked,
    BatchReaped,
    Child,
    ChildEnded,
    ChildrenListed,
    Delivered,
    Dropped,
    FilesChanged,
    LetterboxClosed,
    Parked,
    SignalReceived,
    Spawned,
    SpawnFailed,
    Surveyed,
    Ticked,
)
from initd.model import MAIN, WEB, ExitStatus, ProcessId

QUICK = settings(deadline=None, max_examples=60)
KILL, TERM, HUP = (signals.NUMBERS[name] for name in ("KILL", "TERM", "HUP"))
SPARE = "spare"
BY = {"role": "control", "peer": "unix"}


@dataclass
class Process:
    """One process of the fake kernel; ``unit`` is MAIN, WEB, a helper's option, or empty for a stranger."""

    id: ProcessId
    name: str
    unit: str = ""
    zombie: bool = False
    born: float = 0.0
    environ: dict[str, str] = field(default_factory=dict)  # what it was given beyond main's


@dataclass
class World:
    """The desk, and everything that it acts upon."""

    desk: Desk
    now: float = 1000.0
    children: dict[int, Process] = field(default_factory=dict)
    others: set[int] = field(default_factory=set)  # grandchildren: a sweep meets them, a listing does not
    failing: dict[str, list[SpawnFailed]] = field(default_factory=lambda: defaultdict(list))
    spawned: list[Process] = field(default_factory=list)
    signals: list[tuple[int, int, bool]] = field(default_factory=list)
    sweeps: list[int] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    met: set[ProcessId] = field(default_factory=set)  # strangers that the core has been shown
    looks: int = 0
    full: bool = False
    limited: bool = False  # pids are
    room: bool = False  # for a spare process
    dismissed: bool = False  # the spare process was let go; a test ends it
    changed: FilesChanged | None = None  # what the next look at the files finds
    asked: int = 0
    last_pid: int = 1

    # --- what the core does to the world -------------------------------------------------------------

    def feed(self, happened: object) -> None:
        """As loop.feed: the effects of one input, and their results before any other input."""
        self.perform(self.desk.handle(happened, self.now, self.wall))

    def perform(self, effects: list[Any]) -> None:
        for effect in effects:
            result = self._perform(effect)
            if result is not None:
                self.feed(result)

    def _perform(self, effect: object) -> object | None:
        match effect:
            case Spawn(unit, environ):
                return self._spawn(unit, environ)
            case Signal(pid, number, group):
                assert self._may_signal(pid), "only an unreaped child's pid is still its own"
                self.signals.append((pid, number, group))
            case Deliver():
                return self._deliver(effect)
            case Sweep(number):
                self.sweeps.append(number)
                left = len(self.left_over())
                return Surveyed(left if number else 0, left)
            case Look():
                return self._look()
            case Send(datagram, events):
                return self._send(datagram, events)
            case Log(level, text):
                self.logs.append((level, text))
            case Exit(code):
                self.exits.append(code)
            case Park() | Dismiss() | Inspect():
                return self._keep(effect)
            case _:
                raise AssertionError(f"no such effect: {effect!r}")
        return None

    def _spawn(self, unit: str, environ: tuple[tuple[str, str], ...]) -> object:
        if self.failing[unit]:
            failure = self.failing[unit].pop(0)
            if unit != WEB or not failure.forking or not self.runs(SPARE):
                return failure
            spare = self.children[self.pid(SPARE)]
            spare.unit = WEB  # as the hands do where no process can be made
            return Spawned(WEB, spare.id)
        assert not any(child.unit == unit for child in self.children.values()), f"a second {unit}"
        process = self.add_child(unit, unit)
        process.environ = dict(environ)
        self.spawned.append(process)
        return Spawned(unit, process.id)

    def _keep(self, effect: object) -> Parked | FilesChanged | None:
        """The spare process, and the files of secrets."""
        if isinstance(effect, Park):
            room = self.limited and self.room
            return Parked(self.add_child("initd-spare", SPARE).id.pid if room else 0, self.limited)
        if isinstance(effect, Inspect):
            changed, self.changed = self.changed, None
            return changed
        self.dismissed = True
        return None

    def _deliver(self, order: Deliver) -> Delivered:
        child = self.children.get(order.pid)
        if child is None:
            return Delivered(order.ticket, ProcessId(order.pid, 0), None, errno.ESRCH, "No such process")
        reused = order.starttime not in (None, child.id.starttime)
        if not reused:
            self.signals.append((order.pid, order.number, False))
        return Delivered(order.ticket, child.id, child.name, reused=reused)

    def _may_signal(self, pid: int) -> bool:
        """A child, ourselves, or by its negative number the group that a child of ours led."""
        led = {-process.id.pid for process in self.spawned}
        return pid in self.children or pid == self.desk.books.init.pid or pid in led

    def _look(self) -> ChildrenListed:
        self.looks += 1
        listing = tuple(Child(child.id, child.name, child.zombie) for child in self.children.values())
        self.met |= {child.id for child in self.children.values() if not child.unit and not child.zombie}
        return ChildrenListed(listing, 9)

    def _send(self, datagram: bytes, events: int) -> object | None:
        assert len(datagram) <= wire.LIMIT
        if self.full:
            return Dropped(events)
        self.sent.append(json.loads(datagram))
        return None

    def left_over(self) -> list[int]:
        """What a sweep finds: the living, but web."""
        living = [p.id.pid for p in self.children.values() if not p.zombie and p.unit not in (WEB, SPARE)]
        return [*living, *self.others]

    # --- what the world does to the core -------------------------------------------------------------

    @property
    def wall(self) -> float:
        return self.now + 1_700_000_000.0

    def add_child(
        self, name: str, unit: str = "", pid: int | None = None, *, zombie: bool = False
    ) -> Process:
        """A new child of the init, of which the core is told nothing yet."""
        self.last_pid += 1
        number = self.last_pid if pid is None else pid
        process = Process(ProcessId(number, self.last_pid * 10), name, unit, zombie, self.now)
        self.children[number] = process
        return process

    def end(
        self,
        pid: int,
        code: int | None = 0,
        signal: int | None = None,
        *,
        dumped: bool = False,
        output: str | None = None,
    ) -> None:
        """A child ends and is reaped, in a turn of its own."""
        process = self.children.pop(pid)
        if not process.unit:
            self.met.add(process.id)
        status = ExitStatus(None if signal else code, signal, dumped)
        lived = self.now - process.born
        self.feed(ChildEnded(process.id, process.name, status, lived, 0.25, 4096, output))
        self.feed(BatchReaped(1, 0.001))
        self.settle()

    def signal(self, name: str, sender: int = 0) -> None:
        self.feed(SignalReceived(signals.parse(name), sender, 0))
        self.settle()

    def settle(self) -> None:
        """The end of a turn."""
        self.perform(self.desk.core.settle())

    def tick(self) -> None:
        """Turns of the loop until nothing is due any more."""
        while self.due_by(self.now) is not None:
            self.feed(Ticked())
            self.settle()

    def due_by(self, end: float) -> float | None:
        """The next deadline, if it is not after this, and anybody is left to keep it."""
        deadline = self.desk.books.deadline()
        return None if self.exits or deadline is None or deadline > end else deadline

    def leap(self, seconds: float) -> None:
        """Time passes at once, as in a frozen container: several timers may be due together."""
        self.now += seconds
        self.tick()

    def advance(self, seconds: float) -> None:
        """Time passes as it should: every deadline gets its turn."""
        end = self.now + seconds
        while (deadline := self.due_by(end)) is not None:
            self.now = max(self.now, deadline)
            self.tick()
        self.now = end

    # --- web's side of the letterbox -----------------------------------------------------------------

    def attach(self) -> None:
        self.feed(Asked({"t": "attach", "v": wire.VERSION}))

    def say(self, message: dict[str, Any]) -> None:
        self.feed(Asked(message))

    def close_letterbox(self) -> None:
        self.feed(LetterboxClosed())
        self.settle()

    def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        """One question, and its only reply."""
        self.asked += 1
        number, before = self.asked, len(self.sent)
        self.say({"t": "ask", "n": number, "what": what, "by": BY, **fields})
        replies = [m for m in self.sent[before:] if m["t"] == "reply" and m["n"] == number]
        assert len(replies) == 1, replies
        return replies[0]

    # --- what tests look at ----------------------------------------------------------------------------

    def pid(self, unit: str = MAIN) -> int:
        """The living one's."""
        return next(child.id.pid for child in self.children.values() if child.unit == unit)

    @property
    def state(self) -> str:
        return self.desk.books.main.state

    @property
    def ready(self) -> bool:
        return probes.ready(self.desk.books)

    def checks(self) -> list[dict[str, Any]]:
        return probes.checks(self.desk.books)

    def history(self, *kinds: str) -> list[dict[str, Any]]:
        events = [json.loads(event) for event in self.desk.books.history.after(0)]
        return [event for event in events if not kinds or event["kind"] in kinds]

    def runs(self, unit: str) -> bool:
        return any(child.unit == unit for child in self.children.values())

    def starts(self, unit: str = MAIN) -> int:
        return sum(process.unit == unit for process in self.spawned)

    def said(self, kind: str) -> list[dict[str, Any]]:
        """What web was sent of one kind of message."""
        return [message for message in self.sent if message["t"] == kind]


def missing(unit: str = MAIN) -> SpawnFailed:
    return SpawnFailed(unit, "'server': not found", forking=False, code=127)


def no_fork(unit: str = MAIN) -> SpawnFailed:
    return SpawnFailed(unit, "no process can be made", forking=True, room="pids 10 of 10")


def no_room(unit: str) -> SpawnFailed:
    return SpawnFailed(unit, "pids are short (9 of 10)", forking=True, spared=True)


def prepare(
    *options: str, argv: tuple[str, ...] = ("/bin/server", "-x"), dice: float = 0.0, role: str = "pid1"
) -> World:
    """A world in which nothing has been started yet."""
    config = cli.parse([*options, "--", *argv], {})
    listeners: tuple[dict[str, Any], ...] = ({"fd": 5, "kind": "tcp", "address": "[::]:9911"},)
    init = Init(1, 0, role, 1_700_000_000.0, listeners)
    return World(Desk(Core(config, init, lambda: dice)))


def begin(world: World) -> World:
    """As loop.begin: main was started by the bootstrap, unless something runs before it; then web."""
    config = world.desk.books.config
    if config.argv and config.pre_start is None:
        world.perform([Spawn(MAIN)])
    world.perform(world.desk.core.begin(world.now, world.wall))
    world.settle()
    return world


def running(*options: str, **more: Any) -> World:
    """Main runs, or what runs before it; web runs and is attached."""
    world = begin(prepare(*options, **more))
    if not world.desk.books.config.no_http:
        world.attach()
    return world


def failing(world: World, probe: str = "ready") -> list[str]:
    """The names of the parts for which this probe says 503."""
    checks: list[dict[str, Any]] = world.ask("ping")["checks"]
    return [check["name"] for check in checks if probe in check["for"] and not check["ok"]]
