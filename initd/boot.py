"""The story of the start: signals first, then read, bind, spawn main; the rest is imported while it runs.

Law of this file: a short fixed bootstrap. What is imported above the spawn is paid for by every
container's start, so it is measured; what is imported below it costs main nothing.
"""

from __future__ import annotations

import errno
import posix as os

from initd import cli, plans, sockets, spawning, syscalls
from initd.cli import Config, Refusal
from initd.model import record
from initd.say import Speaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from initd.sockets import Listener
    from initd.spawning import Plan

_NO_FORK = (errno.EAGAIN, errno.ENOMEM)


@record
class World:
    """What the bootstrap made, handed over to the loop."""

    config: Config
    speaker: Speaker
    role: str
    proc: bool  # /proc is there, and of our own PID namespace
    plan: Plan
    listeners: tuple[Listener, ...]
    main_pid: int | None  # None: it could not be forked, and is to be tried again
    failure: spawning.SpawnError | None
    started: float


def main(argv: list[str]) -> NoReturn:
    """Become the init. Leaves by os._exit: an interpreter's farewell costs 10 ms and can hang."""
    mask = syscalls.block_signals()
    syscalls.undo_python_signals()
    syscalls.open_stdio()
    syscalls.reserve(plans.LETTERBOX)
    try:
        world = _bootstrap(argv, mask)
    except Refusal as refusal:
        if refusal.code == 0:
            os.write(1, f"{refusal}\n".encode())
        else:
            syscalls.write_line(2, f"{refusal}\n".encode("utf-8", "backslashreplace"))
        os._exit(refusal.code)
    from initd.loop import run  # main is running: from here on an import costs it nothing

    os._exit(run(world))


def _bootstrap(argv: list[str], mask: frozenset[int]) -> World:
    started = syscalls.wall_clock()
    environ = plans.entry_environment()
    text = {syscalls.decode(name): syscalls.decode(value) for name, value in environ.items()}
    config = cli.parse(argv, text)
    speaker = Speaker.for_config(config)
    warnings = list(config.warnings)
    syscalls.name_self(b"initd")
    role = _take_role(config, warnings)
    proc = syscalls.find_proc()
    if not proc:
        warnings.append(
            "/proc is missing, or another namespace's: orphans are met when they end; mount ours"
        )
    plan = plans.main_plan(config, mask, environ, terminal=spawning.terminal_is_ours())
    listeners = sockets.bind_all(config, warnings)
    pid, failure = _spawn_main(plan, config, listeners)
    for warning in warnings:
        speaker.say("warning", warning)
    for listener in listeners:
        speaker.say("info", f"listening on {listener.address}")
    return World(config, speaker, role, proc, plan, listeners, pid, failure, started)


def _take_role(config: Config, warnings: list[str]) -> str:
    """pid1, subreaper or passive; prctl(2). Only where it is needed: it costs the import of ctypes."""
    if config.parent_death_signal is not None:
        parent = os.getppid()
        try:
            syscalls.prctl(syscalls.PR_SET_PDEATHSIG, config.parent_death_signal)
        except (OSError, ImportError) as error:
            raise Refusal(f"cannot use --parent-death-signal: {error}; leave it out") from None
        if os.getppid() != parent:  # it died before the kernel knew of our wish
            os.kill(os.getpid(), config.parent_death_signal)
    if os.getpid() == 1:
        return "pid1"
    try:
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    except (OSError, ImportError) as error:
        warnings.append(f"cannot become a subreaper: {error}; orphans will pass us by: run initd as PID 1")
        return "passive"
    return "subreaper"


def _spawn_main(
    plan: Plan, config: Config, listeners: tuple[Listener, ...]
) -> tuple[int | None, spawning.SpawnError | None]:
    try:
        return spawning.spawn(plan), None
    except spawning.SpawnError as error:
        if error.stage in ("fork", "pipe") and error.errno in _NO_FORK:
            return None, error
        sockets.remove_socket_file(listeners)
        missing = error.stage == "exec" and error.errno == errno.ENOENT
        code = 127 if missing else _refused(error)
        raise Refusal(f"cannot run {plans.explain(error, config)}", code) from None


def _refused(error: spawning.SpawnError) -> int:
    """126 when the command is not executable; 125 when it was our own set-up that failed."""
    return 126 if error.stage == "exec" else cli.REFUSED
