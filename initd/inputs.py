"""What may happen to the core: one value for each input.

Law of this file: values only. loop.py, hands.py and reaping.py make them, and core.py has the table of who
takes them.
"""

from __future__ import annotations

from initd.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.model import ExitStatus, ProcessId

    Pairs = tuple[tuple[str, str], ...]  # role, and the token or the name
    Credentials = tuple[Pairs, Pairs]  # tokens, and names of client certificates


@record
class Spawned:
    """A command has been started: ``unit`` is MAIN, WEB, or the option that names a helper."""

    unit: str
    process: ProcessId


@record
class SpawnFailed:
    """Not started: no process could be made (``forking``), or ``code`` says what lacked; docker-run(1)."""

    unit: str
    why: str
    forking: bool
    code: int = 126
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
    """Time has passed; deadlines may be due. For ``missed`` seconds of it we did not run, nor did anybody."""

    missed: float = 0.0
