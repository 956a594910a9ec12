"""What the core knows and what it has decided: facts, timers and the outbox that its rooms share. Pure.

Law of this file: state and the plain questions about it. What changes it is in the rooms beside:
supervisor.py (main and web), children.py (whose child was that), forwarding.py (signals),
leaving.py (the end). ``now`` is monotonic seconds, ``wall`` seconds since 1970.
"""

from __future__ import annotations

from initd import wire
from initd.effects import Log, Send, Sweep
from initd.history import History
from initd.inputs import SpawnFailed
from initd.ledger import Ledger
from initd.lineage import Lineage
from initd.model import (
    ENDING,
    MAIN,
    RESTARTING,
    STARTING,
    STOPPED,
    STOPPING,
    WEB,
    ExitStatus,
    ProcessId,
    record,
)
from initd.operations import Operations
from initd.unit import Policy, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.cli import Config
    from initd.probes import Vital

# The way of the init itself; once it is GONE, nothing is done any more.
UP, WAITING, SWEEPING, CLOSING, GONE = "up", "waiting", "sweeping", "closing", "gone"
KILL_AGAIN = 1.0  # seconds; a group may have been forking when the signal came
_AT_ONCE = 2  # datagrams of events; the socket holds three of the longest
_OF_OTHERS = ("watchdog", "main.overdue", "sweep.kill")  # deadlines by which somebody else has to act
_GRACE = 1.0  # seconds to do so, for whoever was paused with us
_LAG = 0.2  # web has this long to make room before it is told that it missed something
_OOM_TAKES = 5.0  # seconds from the kernel's count to the end of a process that has to give much memory back
WEB_POLICY = Policy("always", None, 0.1, 2.0, 10.0, 0.0)  # back before kubelet's patience (3 x 10 s) ends


@record
class Init:
    """What we are: role is pid1, subreaper or passive."""

    pid: int
    uid: int
    role: str
    started: float  # wall
    listeners: tuple[dict[str, Any], ...]  # for web's hello
    present: frozenset[ProcessId] = frozenset()  # children that were there before us, where that matters
    oom_kills: int | None = None  # in our control group before main
    spare: int = 0  # the process that was parked before main, if any


class Told:
    """What the present main said by sd_notify."""

    def __init__(self) -> None:
        self.ready = self.reloading = self.stopping = False
        self.announced = False  # it was ready by everything that can say so
        self.starving = False  # its watchdog was not fed in time
        self.status = ""
        self.successor: ProcessId | None = None  # who is to be main as soon as it is our child


class Books:
    """All that PID 1 knows."""

    def __init__(self, config: Config, init: Init, dice: Callable[[], float]) -> None:
        policy, limit = config.restart
        self.config, self.init = config, init
        self.main = Unit(MAIN, Policy(policy, limit, 0.5, 30.0, 10.0, 0.2), dice)
        self.web = Unit(WEB, WEB_POLICY, dice)
        self.main.state = STARTING if config.argv else STOPPED  # the bootstrap has asked for it already
        self.history = History(0 if config.no_http else config.history)  # there is nobody to read it
        self.ledger, self.lineage, self.operations = Ledger(), Lineage(), Operations()
        self.oom_kills, self._oom_at = (
            init.oom_kills,
            -_OOM_TAKES,
        )  # when we looked last; when there were more
        self.credentials = config.credentials
        self.spare = init.spare  # the pid of the process that waits to become web, or 0
        self.last_error = ""  # where the last exception that was survived came from
        self.census: dict[str, Any] = {}  # what web counted last, and said
        self.phase = UP
        self.retiring = False  # a stop has been asked for: no more restarts
        self.held = False  # main was stopped by the API: the init stays
        self.draining = False
        self.ever_started = self.ever_ready = False
        self.told = Told()
        self.vitals: dict[str, Vital] = {}
        self.helpers: dict[int, str] = {}  # pid -> the option whose command it is
        self.former_mains: set[int] = set()  # children that were main until they named another
        self.attached = False  # web reads events
        self.open_fds: int | None = None
        self.oom: bool | None = None  # main's last end was for want of memory
        self.main_started_at = self.main_exit_at = 0.0  # wall
        self.now = self.wall = 0.0
        self.timers: dict[str, float] = {}
        self._outbox: list[Any] = []
        self._voice = config.persona.voice if config.persona is not None else None

    # --- the outbox --------------------------------------------------------------------------------

    def emit(self, effect: object) -> None:
        """One effect, to be performed in this order."""
        self._outbox.append(effect)

    def take(self) -> list[Any]:
        """The effects decided so far; they are then the caller's."""
        taken, self._outbox = self._outbox, []
        return taken

    def record(self, kind: str, **fields: object) -> None:
        """One event into the history."""
        self.history.add(kind, self.wall, fields, pending=self.attached)
        if self.config.verbose:
            self._tell(kind, fields)
        if self._voice is not None:  # called as another init, we tell events in its words
            for level, text in self._voice(kind, fields):
                self.emit(Log(level, text))

    def fork_failed(self, failure: SpawnFailed) -> None:
        """No process could be made: which limit was hit is the first question of whoever reads it."""
        self.record("fork.failed", unit=failure.unit, why=failure.why, room=failure.room, limit=failure.limit)

    def _tell(self, kind: str, fields: dict[str, Any]) -> None:
        """-v says what happens to main, web and signals; -vv each orphan as well."""
        level = "trace" if kind in ("adopted", "reaped") else "debug"
        said = ", ".join(f"{name} {_brief(value)}" for name, value in fields.items() if value is not None)
        self.log(level, f"{kind}: {said}" if said else kind)

    def log(self, level: str, text: str) -> None:
        """Our own words; called as another init, only what is wrong."""
        if self._voice is None or level in ("error", "warning"):
            self.emit(Log(level, text))

    def flush(self) -> None:
        """Tell web what happened so far: events first, so that whoever reads a reply finds them.

        After a burst web fetches the rest from the history: a full letterbox has no room for a reply.
        """
        for number, (datagram, count) in enumerate(wire.join_events(self.history.take_pending())):
            if number < _AT_ONCE:
                self.emit(Send(datagram, count))
            else:
                self.dropped(count)
        for operation in self.operations.changed:
            if self.attached:
                self.emit(Send(wire.encode({"t": "operation", "operation": operation})))
        self.operations.changed.clear()

    def dropped(self, events: int) -> None:
        """So many were not sent: counted, and web is told as soon as there is room."""
        self.ledger.events_dropped += events
        if self.attached:
            self.timers.setdefault("lag", self.now + _LAG)

    def sweep(self, number: int) -> None:
        """Signal, or only count, what is left but ours: web and its spare, while they have their pids."""
        web = self.web.process
        self.emit(Sweep(number, (self.spare, web.pid if web is not None else 0)))

    # --- timers ------------------------------------------------------------------------------------

    def after(self, name: str, seconds: float) -> None:
        """Be called under this name after so long; a timer of that name is moved."""
        self.timers[name] = self.now + seconds

    def cancel(self, *names: str) -> None:
        for name in names:
            self.timers.pop(name, None)

    def count_oom(self, kills: int | None) -> None:
        """The control group's kills for memory, read now."""
        if kills is not None and kills != self.oom_kills:
            if self.oom_kills is not None:
                self._oom_at = self.now
            self.oom_kills = kills

    @property
    def short_of_memory(self) -> bool | None:
        """Did the kernel kill for memory a moment ago? None: no control group tells."""
        return None if self.oom_kills is None else self.now - self._oom_at < _OOM_TAKES

    def due(self) -> str | None:
        """The timer that ran out first, gone then. One at a time: what it does may take another back."""
        name = min(self.timers, key=self.timers.__getitem__, default=None)
        if name is None or self.timers[name] > self.now:
            return None
        self.cancel(name)
        return name

    def stood_still(self, seconds: float) -> None:
        """We did not run for so long, as in a paused container, and so main could not: its deadlines wait."""
        for name, at in self.timers.items():
            if name in _OF_OTHERS or name.endswith(".timeout"):
                self.timers[name] = max(at + seconds, self.now + _GRACE)

    def deadline(self) -> float | None:
        """When the next timer runs out, in monotonic seconds."""
        return min(self.timers.values(), default=None)

    # --- what is true now --------------------------------------------------------------------------

    def owner(self, pid: int) -> Unit | None:
        """Ownership first: a child is main or web only while that unit has this very pid."""
        for unit in (self.main, self.web):
            if unit.process is not None and unit.process.pid == pid:
                return unit
        return None

    def origin(self, pid: int) -> str:
        """Whose a child is: one of ORIGINS. Who is none of ours by birth was adopted."""
        owner = self.owner(pid)
        if owner is not None:
            return owner.name
        if pid in self.former_mains:
            return MAIN
        if pid == self.spare:
            return WEB
        return "helper" if pid in self.helpers else "adopted"

    def ours(self) -> set[int]:
        """All children that ``origin`` does not call adopted, while they are alive; asked in each turn."""
        pids = {self.spare, *self.former_mains, *self.helpers}
        for unit in (self.main, self.web):
            if unit.process is not None:
                pids.add(unit.process.pid)
        pids.discard(0)
        return pids

    def knows(self, pid: int) -> bool:
        """Has this child been met, so that it need not be looked at again?"""
        return pid in self.ledger.adopted or self.origin(pid) != "adopted"

    @property
    def serving(self) -> bool:
        """Is web to be there? Until what main left behind is swept."""
        return self.phase in (UP, WAITING)

    @property
    def main_name(self) -> str:
        """As the kernel will have it: 15 bytes of the file's name; proc_pid_comm(5)."""
        name = self.config.argv[0].rpartition("/")[2].encode("utf-8", "surrogateescape")
        return name[:15].decode("utf-8", "backslashreplace")

    @property
    def main_state(self) -> str:
        """Main's state as JSON and metrics spell it."""
        return STOPPING if self.main.state in (RESTARTING, ENDING) else self.main.state

    @property
    def main_group(self) -> bool:
        """Do signals go to main's whole group?"""
        return self.config.group or self.config.session

    @property
    def restarts(self) -> int:
        return sum(self.ledger.main_restarts.values())

    @property
    def exit_code(self) -> int:
        """What we would leave with: main's last code, where one named by --expect-exit is 0."""
        return self.judge(self.main.last_exit) if self.main.last_exit is not None else 0

    def judge(self, status: ExitStatus) -> int:
        """The code that counts: one named by --expect-exit is 0."""
        return 0 if status.shell_code in self.config.expect_exit else status.shell_code


def _brief(value: object) -> object:
    """A process as its name and pid, everything else as it is."""
    if isinstance(value, dict) and "pid" in value:
        return f"{value.get('name')} ({value['pid']})"
    return value


def describe(process: ProcessId, name: str | None) -> dict[str, Any]:
    """A process in an event."""
    return {"id": str(process), "pid": process.pid, "name": name}
