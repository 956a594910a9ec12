"""The brain: an input and the time go in, effects come out. Pure.

Law of this file: it decides, and does nothing. Whose child it was is decided before anything is
said about its exit. Time is an argument: ``now`` is monotonic seconds, ``wall`` seconds since 1970.
What main and web are is in unit.py; what was counted, in ledger.py; what web asks, in desk.py.
"""

from __future__ import annotations

from initd import __version__, signals, unit, wire
from initd.history import History
from initd.ledger import Ledger
from initd.model import (
    BACKOFF,
    MAIN,
    RESTARTING,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    WEB,
    BatchReaped,
    ChildEnded,
    ChildrenListed,
    Dropped,
    ExitStatus,
    Exit,
    LetterboxClosed,
    Log,
    Look,
    ProcessId,
    Send,
    Signal,
    SignalReceived,
    Spawn,
    Spawned,
    SpawnFailed,
    Surveyed,
    Sweep,
    Ticked,
    record,
)
from initd.operations import Operations
from initd.unit import Policy, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.cli import Config

KILL, TERM = signals.NUMBERS["KILL"], signals.NUMBERS["TERM"]
_ENDS = (signals.NUMBERS["INT"], TERM, signals.NUMBERS["QUIT"])  # these also begin a stop
_LOOK_EVERY = 1.0  # the slow tick that finds adopted children; as fine as an adoption's time is
_LOOK_APART = 0.05  # after a batch: a storm must not list thousands of children for each exit
_BEAT_EVERY, _BEAT_PATIENCE = 5.0, 10.0  # a hung web is replaced well inside kubelet's 3 x 10 s
_WEB_GRACE = 30.0  # to import and attach, on a machine that is busy
_WEB_STOP = 0.5  # to end its streams; not the engine's ten seconds
_WEB_POLICY = Policy("always", None, 0.1, 2.0, 10.0, 0.0)
_SWEEP_LOOK = 0.02  # not everything that is swept is our child, and tells us of its end
_SWEEP_GIVE_UP = 1.0  # after KILL; what is left then is in disk sleep, and the kernel's

UP, SWEEPING, CLOSING = "up", "sweeping", "closing"  # the way of the init itself


@record
class Init:
    """What we are: role is pid1, subreaper or passive."""

    pid: int
    uid: int
    role: str
    started: float  # wall
    listeners: tuple[dict[str, Any], ...]  # for web's hello


class Core:
    """All that PID 1 knows. ``handle`` is its only way in, and ``deadline`` says when to come back."""

    def __init__(self, config: Config, init: Init, dice: Callable[[], float]) -> None:
        policy, limit = config.restart
        self.config, self.init = config, init
        self.main = Unit(MAIN, Policy(policy, limit, 0.5, 30.0, 10.0, 0.2), dice)
        self.web = Unit(WEB, _WEB_POLICY, dice)
        self.main.state = STARTING  # the bootstrap has asked for it already
        self.history, self.ledger, self.operations = History(config.history), Ledger(), Operations()
        self.phase = UP
        self.retiring = False  # a stop has been asked for by signal: no more restarts
        self.held = False  # main was stopped by the API: the init stays
        self.draining = False
        self.ever_started = False
        self.attached = False  # web reads events
        self.now = self.wall = 0.0
        self.main_started_at = self.main_exit_at = 0.0
        self.reason = "exit"  # why the next start of main happens
        self.timers: dict[str, float] = {}
        self._effects: list[Any] = []
        self._rewrite = dict(config.rewrite)
        self.open_fds: int | None = None
        self._web_heard = 0.0
        self._looked = -1.0
        self._held_signal = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            Spawned: self._spawned,
            SpawnFailed: self._spawn_failed,
            ChildEnded: self._child_ended,
            BatchReaped: self._batch_reaped,
            ChildrenListed: self._children_listed,
            SignalReceived: self._signal_received,
            Surveyed: self._surveyed,
            Dropped: self._dropped,
            LetterboxClosed: self._letterbox_closed,
            Ticked: self._ticked,
        }

    # --- the way in and out ------------------------------------------------------------------------

    def handle(self, happened: object, now: float, wall: float) -> list[Any]:
        """Take one input in; the effects to perform, in order."""
        self.now, self.wall = now, wall
        self._handlers[type(happened)](happened)
        return self.take_effects()

    def take_effects(self) -> list[Any]:
        taken, self._effects = self._effects, []
        return taken

    def begin(self, now: float) -> None:
        """Once, before the first turn: web is to be started, and the tick to tick."""
        self.now = now
        if not self.config.no_http:
            self.timers["look"] = now
            self._do(self.web, self.web.ask(unit.START))

    def settle(self) -> list[Any]:
        """At the end of a turn: everything that web has not been told yet."""
        self.flush()
        return self.take_effects()

    def flush(self) -> None:
        """Tell web what happened so far: events first, so that whoever reads a reply finds them."""
        for datagram, count in wire.join_events(self.history.take_pending()):
            self.emit(Send(datagram, count))
        for operation in self.operations.changed:
            if self.attached:
                self.emit(Send(wire.encode({"t": "operation", "operation": operation})))
        self.operations.changed.clear()

    def deadline(self) -> float | None:
        """When the next Ticked is due, in monotonic seconds."""
        return min(self.timers.values(), default=None)

    def emit(self, effect: object) -> None:
        self._effects.append(effect)

    def record(self, kind: str, **fields: object) -> None:
        """One event into the history."""
        self.history.add(kind, self.wall, fields, pending=self.attached)

    def log(self, level: str, text: str) -> None:
        self.emit(Log(level, text))

    # --- what others ask of main -------------------------------------------------------------------

    def run_main(self, action: str) -> dict[str, Any]:
        """``restart`` or ``start`` asked for by a person: undoes a stop that a signal began."""
        operation = self.operations.begin(action, self.wall)
        self.held = self.retiring = self.draining = False
        self.timers.pop("drain", None)
        self.reason = "api"
        running = self.main.state == RUNNING and action == "start"
        self._do(self.main, self.main.ask(unit.START if action == "start" else unit.RESTART))
        if running:
            self.operations.finish("done", self.wall, "main is running", action)
        return operation

    def stop_main(self, action: str) -> dict[str, Any]:
        """``stop``: main ends and the init stays. ``shutdown``: the init ends with it."""
        operation = self.operations.begin(action, self.wall)
        self.held = action == "stop"
        self.retiring = self.retiring or not self.held
        self._do(self.main, self.main.ask(unit.STOP))
        if self.main.state == STOPPED:
            self.operations.finish("done", self.wall, "main is stopped", action)
            self._end_unless_held()
        return operation

    def drain(self) -> None:
        """Readiness off; main goes on."""
        if not self.draining:
            self.draining = True
            self.record("drain", hold_seconds=self.config.drain)

    # --- what is true now --------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        return not any(why for _, why in self._readiness())

    def checks(self) -> list[dict[str, Any]]:
        """The named parts of /readyz and /startupz; docs/letterbox.md, ``ping``."""
        found = [{"name": name, "ok": not why, "why": why, "for": ["ready"]} for name, why in self._readiness()]
        why = None if self.ever_started else "main has not been started yet"
        return [*found, {"name": "started", "ok": not why, "why": why, "for": ["startup"]}]

    def _readiness(self) -> tuple[tuple[str, str | None], ...]:
        leaving = self.retiring or self.phase != UP
        return (
            ("main", None if self.main.state == RUNNING else f"main is {self.public_state}"),
            ("stopping", "a stop has begun" if leaving else None),
            ("drain", "draining" if self.draining else None),
        )

    @property
    def public_state(self) -> str:
        """Main's state as JSON and metrics spell it."""
        return STOPPING if self.main.state == RESTARTING else self.main.state

    def main_group(self) -> bool:
        """Do forwarded signals go to main's whole group?"""
        return self.config.group or self.config.session

    def judged(self, status: ExitStatus) -> int:
        """The exit code that counts: a code named by --expect-exit is 0."""
        return 0 if status.shell_code in self.config.expect_exit else status.shell_code

    # --- main and web ------------------------------------------------------------------------------

    def _do(self, which: Unit, actions: tuple[str, ...]) -> None:
        """Turn a unit's actions into effects and timers."""
        for action in actions:
            if action == unit.SPAWN:
                self.timers.pop(f"{which.name}.due", None)
                self.emit(Spawn(which.name))
            elif action == unit.ASK:
                self._ask_to_stop(which)
            elif action == unit.KILL:
                self._kill(which)
            elif action == unit.WAIT:
                self.timers[f"{which.name}.due"] = self.now + which.delay
                if which is self.main:
                    self.record("main.backoff", delay_seconds=round(which.delay, 3), failures=which.failures)
            elif action == unit.SETTLE:
                self._settled(which)

    def _ask_to_stop(self, which: Unit) -> None:
        assert which.process is not None
        if which is self.web:
            self.flush()
            self.emit(Send(wire.encode({"t": "bye"})))
            self.emit(Signal(which.process.pid, TERM))
            self.timers["web.overdue"] = self.now + _WEB_STOP
            return
        number = self.config.stop_signal
        self.ledger.count_signal(number, "stop")
        self.emit(Signal(which.process.pid, number, self.main_group()))
        self.timers["main.overdue"] = self.now + self.config.stop_timeout

    def _kill(self, which: Unit) -> None:
        assert which.process is not None
        if which is self.main:
            self.ledger.count_signal(KILL, "stop")
            self.log("warning", f"main did not stop within {self.config.stop_timeout:g} s and is killed")
        self.emit(Signal(which.process.pid, KILL, group=True))
        self.timers[f"{which.name}.overdue"] = self.now + 1.0  # again, should it have been forking

    def _settled(self, which: Unit) -> None:
        for name in ("due", "overdue"):
            self.timers.pop(f"{which.name}.{name}", None)
        if which is self.web:
            if self.phase == CLOSING:
                self.emit(Exit(self._exit_code()))
            return
        self.record("main.stopped", held=self.held)
        self.operations.finish("done", self.wall, "main is stopped", "stop", "shutdown")
        self.operations.finish("failed", self.wall, "main could not be started", "start", "restart")
        self._end_unless_held()

    def _spawned(self, up: Spawned) -> None:
        which = self.main if up.unit == MAIN else self.web
        self._do(which, which.up(up.process, self.now))
        if which is self.web:
            self.attached = False
            self._web_heard = self.now + _WEB_GRACE - _BEAT_PATIENCE
            self.timers["web.beat"] = self.now + _BEAT_EVERY
            self.record("web.started", process=self.describe(up.process, "web"))
            self.emit(Send(wire.encode(self._hello())))
            return
        if self.ever_started:
            self.ledger.main_restarts[self.reason] += 1
        self.ever_started, self.reason = True, "exit"
        self.main_started_at = self.wall
        restarts = sum(self.ledger.main_restarts.values())
        self.record("main.started", process=self.describe(up.process, self.main_name), restarts=restarts)
        self.operations.finish("done", self.wall, f"main is running as pid {up.process.pid}", "start", "restart")

    def _spawn_failed(self, failure: SpawnFailed) -> None:
        which = self.main if failure.unit == MAIN else self.web
        code = 127 if failure.missing else 126
        if failure.forking:
            self.record("fork.failed", unit=which.name, why=failure.why, room=failure.room)
        self.log("error", f"cannot start {which.name}: {failure.why}{failure.room}")
        # Too few pids or too little memory may pass; what cannot be executed at the first try never could.
        back = True if failure.forking else None if self.ever_started or which is self.web else False
        if self.phase != UP or (self.retiring and which is self.main):
            back = False
        self._do(which, which.down(ExitStatus(code, None), self.now, failed=True, back=back))

    @property
    def main_name(self) -> str:
        return self.config.argv[0].rpartition("/")[2][:15]

    def describe(self, process: ProcessId, name: str | None) -> dict[str, Any]:
        """A process in an event."""
        return {"id": str(process), "pid": process.pid, "name": name}

    # --- children ----------------------------------------------------------------------------------

    def _child_ended(self, end: ChildEnded) -> None:
        owner = self._owner(end.process.pid)
        origin = owner.name if owner is not None else "adopted"
        process = self.describe(end.process, end.name)
        if owner is None:
            if self.ledger.met_dead(end.process):
                self.record("adopted", process=process, former_parent=None, seen="dead")
            if end.lifetime_seconds is not None:
                self.ledger.adopted_lifetime.observe(end.lifetime_seconds)
            if self.config.warn_on_reap:
                self.log("warning", f"reaped orphan {end.name} (pid {end.process.pid}): {_in_words(end.status)}")
        self.ledger.count_reap(origin, end.status.outcome)
        self.record(
            "reaped",
            process=process,
            origin=origin,
            **_ending(end.status),
            lifetime_seconds=end.lifetime_seconds,
            cpu_seconds=end.cpu_seconds,
            max_resident_bytes=end.max_resident_bytes,
        )
        if owner is self.main:
            self._main_ended(end, process)
        elif owner is self.web:
            self._web_ended(end, process)

    def _owner(self, pid: int) -> Unit | None:
        """Ownership first: a child is main or web only while that unit has this very pid."""
        for which in (self.main, self.web):
            if which.process is not None and which.process.pid == pid:
                return which
        return None

    def _main_ended(self, end: ChildEnded, process: dict[str, Any]) -> None:
        self.main_exit_at = self.wall
        self.timers.pop("main.overdue", None)
        self.record("main.exited", process=process, **_ending(end.status), core_dumped=end.status.dumped)
        self.log("info", f"main (pid {end.process.pid}) ended: {_in_words(end.status)}")
        back = False if self.retiring or self.phase != UP else None
        self._do(self.main, self.main.down(end.status, self.now, failed=self.judged(end.status) != 0, back=back))

    def _web_ended(self, end: ChildEnded, process: dict[str, Any]) -> None:
        self.attached = False
        for name in ("web.beat", "web.overdue", "lag"):
            self.timers.pop(name, None)
        self.record("web.exited", process=process, **_ending(end.status))
        if self.phase == UP:
            self.ledger.web_restarts += 1
            self.log("warning", f"web (pid {end.process.pid}) ended: {_in_words(end.status)}; it is started again")
        back = None if self.phase == UP else False
        self._do(self.web, self.web.down(end.status, self.now, failed=True, back=back))

    def _batch_reaped(self, batch: BatchReaped) -> None:
        self.ledger.reap_batch.observe(batch.seconds)
        if self.phase == SWEEPING:
            self.emit(Sweep(0))
        elif "look" in self.timers and self.now - self._looked >= _LOOK_APART:
            self.emit(Look())

    def _children_listed(self, listing: ChildrenListed) -> None:
        self._looked = self.now
        self.open_fds = listing.open_fds
        for child in listing.children:
            if child.zombie or self._owner(child.process.pid) is not None:
                continue
            if self.ledger.met_alive(child.process):
                process = self.describe(child.process, child.name)
                self.record("adopted", process=process, former_parent=None, seen="alive")

    # --- signals -----------------------------------------------------------------------------------

    def _signal_received(self, received: SignalReceived) -> None:
        target = self._rewrite.get(received.number, received.number)
        if target == 0:
            self.log("debug", f"dropped {signals.name_of(received.number)}, as --rewrite says")
            return
        ends = received.number in _ENDS
        if self.phase == SWEEPING and ends:
            self._sweep_hard()
        if self.phase != UP:
            return
        if ends and self._drain_first(target):
            return
        self._forward(target, received)
        if ends:
            self._retire()

    def _drain_first(self, target: int) -> bool:
        """Hold a first stop signal back for --drain; a second one goes through at once."""
        if self.config.drain <= 0 or self.retiring or self.main.process is None:
            self.timers.pop("drain", None)
            return False
        self.retiring, self._held_signal = True, target
        self.drain()
        self.timers["drain"] = self.now + self.config.drain
        return True

    def _forward(self, number: int, received: SignalReceived | None = None) -> None:
        if self.main.process is None:
            return
        self.emit(Signal(self.main.process.pid, number, self.main_group()))
        self.ledger.count_signal(number, "forwarded")
        sender = {"pid": received.sender_pid, "uid": received.sender_uid} if received else None
        process = self.describe(self.main.process, self.main_name)
        self.record("signal.forwarded", signal=signals.name_of(number), process=process, sender=sender)

    def _retire(self) -> None:
        """No more restarts; and where there is no main to wait for, the end."""
        self.retiring, self.held = True, False
        if self.main.state in (BACKOFF, RESTARTING):
            self._do(self.main, self.main.ask(unit.STOP))
        if self.main.state == STOPPED:
            self._end_unless_held()

    # --- the end -----------------------------------------------------------------------------------

    def _exit_code(self) -> int:
        return self.judged(self.main.last_exit) if self.main.last_exit is not None else 0

    def _end_unless_held(self) -> None:
        """Main is at rest and will not come back: sweep, close web, exit."""
        if self.held or self.phase != UP:
            return
        self.record("shutdown", code=self._exit_code())
        self.timers.pop("look", None)
        if self.config.sweep_timeout <= 0:
            self._close()
            return
        self.phase = SWEEPING
        self.timers["sweep.kill"] = self.now + self.config.sweep_timeout
        self.emit(Sweep(TERM))

    def _surveyed(self, survey: Surveyed) -> None:
        if self.phase != SWEEPING:
            return
        if survey.sent:
            self.ledger.count_signal(KILL if "sweep.give_up" in self.timers else TERM, "sweep", survey.sent)
        if survey.left == 0:
            self._close()
        else:
            self.timers["sweep.look"] = self.now + _SWEEP_LOOK

    def _sweep_hard(self) -> None:
        self.timers.pop("sweep.kill", None)
        self.timers.setdefault("sweep.give_up", self.now + _SWEEP_GIVE_UP)
        self.emit(Sweep(KILL))

    def _close(self) -> None:
        self.phase = CLOSING
        for name in ("sweep.kill", "sweep.look", "sweep.give_up"):
            self.timers.pop(name, None)
        if self.web.state == STOPPED:
            self.emit(Exit(self._exit_code()))
        else:
            self._do(self.web, self.web.ask(unit.STOP))

    # --- time, and the letterbox ---------------------------------------------------------------------

    def _ticked(self, _: Ticked) -> None:
        for name in [name for name, at in self.timers.items() if at <= self.now]:
            if self.timers.pop(name, None) is not None:
                self._due(name)

    def _due(self, name: str) -> None:
        if name == "look":
            self.timers["look"] = self.now + _LOOK_EVERY
            self.emit(Look())
        elif name in ("main.due", "web.due"):
            which = self.main if name == "main.due" else self.web
            self._do(which, which.ask(unit.DUE))
        elif name == "main.overdue":
            self._do(self.main, self.main.ask(unit.OVERDUE))
        elif name == "web.overdue":
            if self.web.process is not None:
                self._kill(self.web)
        elif name == "web.beat":
            self._beat()
        elif name == "drain":
            self._forward(self._held_signal)
            self._retire()
        elif name == "lag":
            self.emit(Send(wire.encode({"t": "lag", "seq": self.history.last})))
        elif name == "sweep.look":
            self.emit(Sweep(KILL if "sweep.give_up" in self.timers else 0))
        elif name == "sweep.kill":
            self._sweep_hard()
        elif name == "sweep.give_up":
            self._close()

    def heard(self) -> None:
        """web said something: it is alive."""
        self._web_heard = max(self._web_heard, self.now)

    def _beat(self) -> None:
        if self.now - self._web_heard > _BEAT_PATIENCE:
            self.log("warning", f"web (pid {self.web.process and self.web.process.pid}) is silent and is replaced")
            self._kill(self.web)
            return
        self.timers["web.beat"] = self.now + _BEAT_EVERY
        self.emit(Send(wire.encode({"t": "beat"})))

    def _dropped(self, dropped: Dropped) -> None:
        self.ledger.events_dropped += dropped.events
        if self.attached:
            self.timers.setdefault("lag", self.now + 0.2)

    def _letterbox_closed(self, _: LetterboxClosed) -> None:
        self.attached = False
        if self.web.process is not None:
            self.timers["web.overdue"] = self.now + 1.0  # it exits by itself; if not, it is made to

    def _hello(self) -> dict[str, Any]:
        config = self.config
        return {
            "t": "hello",
            "v": wire.VERSION,
            "version": __version__,
            "config": {
                "history": config.history,
                "anonymous": config.anonymous,
                "tokens": config.tokens,
                "allow_hosts": config.allow_host,
                "http_user": None if config.http_user == "root" else config.http_user,
            },
            "listen": self.init.listeners,
            "init": {"pid": self.init.pid, "uid": self.init.uid, "role": self.init.role},
        }


def _ending(status: ExitStatus) -> dict[str, Any]:
    """Exit code or signal name, as JSON says it; the other one is null."""
    return {"code": status.code, "signal": None if status.signal is None else signals.name_of(status.signal)}


def _in_words(status: ExitStatus) -> str:
    if status.signal is not None:
        return f"killed by {signals.name_of(status.signal)}" + (" (core dumped)" if status.dumped else "")
    return f"exit code {status.code}"
