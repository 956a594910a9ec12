"""The vocabulary: process id, exit status, states, inputs, effects, event kinds.

Law of this file: values only. Nothing here acts, nothing here knows the time, and it imports
nothing of ours but what makes a record.
"""

from __future__ import annotations

from initd.record import record as record  # noqa: PLC0414  because everybody takes it from here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Pairs = tuple[tuple[str, str], ...]  # role, and the token or the name
    Credentials = tuple[Pairs, Pairs]  # tokens, and names of client certificates

# --- who ---------------------------------------------------------------------------------------

MAIN = "main"
WEB = "web"
PRE_START, POST_STOP = "pre-start", "post-stop"  # what runs before and after main
READY_EXEC, HEALTH_EXEC = "ready-exec", "health-exec"  # what looks whether it is well
TLS_CHECK = "tls-check"  # what looks whether new certificates are any good


@record
class ProcessId:
    """A process is (pid, start time): the pid alone is reused. Start time in clock ticks since boot."""

    pid: int
    starttime: int

    def __str__(self) -> str:
        return f"{self.pid}-{self.starttime}"


@record
class ExitStatus:
    """How a process ended. Exactly one of ``code`` and ``signal`` is set; wait(2), "status"."""

    code: int | None
    signal: int | None
    dumped: bool = False

    @property
    def shell_code(self) -> int:
        """What a shell would show: the exit code, or 128 + the signal's number."""
        return self.code if self.code is not None else 128 + (self.signal or 0)

    @property
    def outcome(self) -> str:
        return "signaled" if self.code is None else "exited"


# --- states of a supervised command (the words are also those of JSON and metrics) ---------------

STARTING = "starting"  # spawn asked for, result not yet known
RUNNING = "running"  # it has a pid
BACKOFF = "backoff"  # it ended or could not start, and is to be started again later
STOPPING = "stopping"  # told to stop, and to stay stopped
RESTARTING = "restarting"  # told to stop, and to be started again; outside this is "stopping"
ENDING = "ending"  # it has ended, and what runs after it has not; outside this is "stopping"
STOPPED = "stopped"  # no process, and none will be started unless someone asks
STATES = (STARTING, RUNNING, BACKOFF, STOPPING, RESTARTING, ENDING, STOPPED)
PUBLIC_STATES = (STARTING, RUNNING, BACKOFF, STOPPING, STOPPED)

# --- states of any process: the letter in /proc/PID/stat (proc_pid_stat(5)) to our word -----------

PROCESS_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "disk_sleep",
    "T": "stopped",
    "t": "tracing_stop",
    "Z": "zombie",
    "I": "idle",
    "X": "dead",
}

# --- events: one closed list, in the order of the page -------------------------------------------

EVENT_KINDS = (
    "main.started",
    "main.ready",
    "main.exited",
    "main.backoff",
    "main.stopped",
    "adopted",
    "reaped",
    "reparented",
    "zombie.found",
    "zombie.gone",
    "signal.sent",
    "signal.forwarded",
    "web.started",
    "web.exited",
    "pids.high",
    "pids.normal",
    "fork.failed",
    "check.passed",
    "check.failed",
    "status",
    "drain",
    "shutdown",
)

# --- closed sets of what is counted: the labels of the metrics ------------------------------------

ORIGINS = (MAIN, WEB, "adopted", "helper")
OUTCOMES = ("exited", "signaled")
RESTART_REASONS = ("exit", "api", "watchdog", "health")
SOURCES = ("forwarded", "api", "stop", "sweep", "orphan")
LIMITS = ("cgroup_pids", "nproc", "open_files", "kernel_pid_max", "kernel_threads_max", "memory", "unknown")
# The ten that a container sees in practice; others appear when first sent.
COMMON_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "WINCH")

# --- inputs: what happened ------------------------------------------------------------------------


@record
class Spawned:
    """A command has been started: ``unit`` is MAIN, WEB, or the option that names a helper."""

    unit: str
    process: ProcessId


@record
class SpawnFailed:
    """Not started: no process could be made (``forking``), or there is nothing to run (``missing``)."""

    unit: str
    why: str
    forking: bool
    missing: bool = False
    room: str = ""  # what the kernel says of its limits, for people
    limit: str = "unknown"  # which limit was hit: one of LIMITS
    spared: bool = False  # it was not even tried, because there is little room


@record
class Elder:
    """The leader of a child's process group or session, where it has ended: perhaps its former parent.

    Start time 0 and no name: it has been reaped, and only its number is left; credentials(7).
    """

    pid: int
    starttime: int = 0
    name: str | None = None


@record
class ChildEnded:
    """A child of ours was reaped. What is not known is None, never guessed."""

    process: ProcessId
    name: str | None
    status: ExitStatus
    lifetime_seconds: float | None
    cpu_seconds: float | None
    max_resident_bytes: int | None
    output: str | None = None  # the last line of a check of ours
    elders: tuple[Elder, ...] = ()
    oom_kills: int | None = None  # so far, in our control group; read when it was killed


@record
class OrphansReaped:
    """Children that are none of ours by birth were reaped, and not looked at; so many died of a signal."""

    pids: tuple[int, ...]
    signaled: int


@record
class BatchReaped:
    """The drain found no more: ``count`` children in ``seconds``."""

    count: int
    seconds: float


@record
class Child:
    """A living or dead child of ours, as /proc shows it."""

    process: ProcessId
    name: str
    zombie: bool
    elders: tuple[Elder, ...] = ()


@record
class ChildrenListed:
    """Our children at one moment, but those that are known already; and what else was to be looked at."""

    children: tuple[Child, ...]
    open_fds: int | None = None
    oom_kills: int | None = None  # so far, in our control group


@record
class SignalReceived:
    """A signal reached PID 1. ``sender_pid`` 0: the kernel, or someone outside our namespace."""

    number: int
    sender_pid: int = 0
    sender_uid: int = 0
    sender_name: str | None = None  # it may have gone by the time that we look


@record
class Delivered:
    """The result of a Deliver effect: ``errno`` 0 is success, ``reused`` says the pid is another's now."""

    ticket: int
    process: ProcessId
    name: str | None
    errno: int = 0
    why: str = ""
    reused: bool = False


@record
class Asked:
    """A datagram from web, decoded and checked for form."""

    message: dict[str, Any]


@record
class Garbled:
    """A datagram from web that is not a message; the text says why."""

    why: str


@record
class LetterboxClosed:
    """web closed its end of the letterbox."""


@record
class Notified:
    """A word of main's by sd_notify, parsed; its sender is main or below it."""

    words: dict[str, Any]
    successor: ProcessId | None = None  # whom MAINPID names, where it is below main


@record
class Parked:
    """A spare process waits to become web. ``pid`` 0: none; ``limited`` says whether there should be one."""

    pid: int
    limited: bool


@record
class FilesChanged:
    """A file of secrets is another one now. What was read anew, or why not; None: there is no such file."""

    credentials: Credentials | None
    why: str | None = None


@record
class Surveyed:
    """A sweep was made: how many got the signal, and how many are left."""

    sent: int
    left: int


@record
class Dropped:
    """A datagram with this many events did not fit into the letterbox."""

    events: int


@record
class Ticked:
    """Time has passed; deadlines may be due."""


# --- effects: what is to be done ------------------------------------------------------------------


@record
class Spawn:
    """Start ``unit``; answer with Spawned or SpawnFailed. ``environ`` is added to what it is given."""

    unit: str
    environ: tuple[tuple[str, str], ...] = ()


@record
class Signal:
    """Send to a child of ours, or to its group. It is unreaped, so its pid is still its own.

    A negative pid, as in kill(2), is what is left of the group that a child led.
    """

    pid: int
    number: int
    group: bool = False


@record
class Deliver:
    """Send to any process, guarded by its start time where one is given; answer with Delivered."""

    ticket: int
    pid: int
    starttime: int | None
    number: int


@record
class Sweep:
    """Signal whatever is left but the ``spared``; answer with Surveyed. ``number`` 0 only counts."""

    number: int
    spared: tuple[int, ...] = ()


@record
class Look:
    """List our children; answer with ChildrenListed. ``fds``: and count our own descriptors."""

    fds: bool = False


@record
class Park:
    """Make a spare process, where pids are limited; answer with Parked."""


@record
class Dismiss:
    """Let the spare process go."""


@record
class Inspect:
    """Look whether a file of secrets was changed; answer with FilesChanged where one was."""


@record
class Send:
    """One datagram to web, with this many events in it; answer with Dropped when there is no room."""

    datagram: bytes
    events: int = 0


@record
class Log:
    """One line for people. Levels: error, warning, info, debug, trace."""

    level: str
    text: str


@record
class Exit:
    """The last effect: leave with this code."""

    code: int
