"""What the core may want done: one value for each effect.

Law of this file: values only; hands.py has the table of how each is done.
"""

from __future__ import annotations

from initd.record import record


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
