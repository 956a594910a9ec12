"""The story of the start: signals first, then read, bind, spawn main; the rest is imported while it runs.

Law of this file: a short fixed bootstrap. What is imported above the spawn is paid for by every
container's start, so it is measured; what is imported below it costs main nothing.
"""

from __future__ import annotations

import errno
import posix as os
import sys

from initd import cli, descriptors, plans, sockets, spawning, syscalls
from initd.cli import Config, Refusal
from initd.record import record
from initd.say import Speaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from initd.model import ProcessId
    from initd.notifybox import NotifyBox
    from initd.sockets import Listener
    from initd.spare import Spare
    from initd.spawning import Plan

_NO_FORK = (errno.EAGAIN, errno.ENOMEM)
_OTHERS = ("tini", "docker-init", "dumb-init", "catatonit")  # called by another init's name we are that init


@record
class World:
    """What the bootstrap made, handed over to the loop."""

    config: Config
    speaker: Speaker
    role: str
    proc: bool  # /proc is there, and of our own PID namespace
    plan: Plan
    base: Plan  # the same without what main alone is given: for hooks and checks
    box: NotifyBox | None
    listeners: tuple[Listener, ...]
    present: frozenset[ProcessId]  # our children before main
    main_pid: int | None  # None: it could not be forked, and is to be tried again; or a hook comes first
    failure: spawning.SpawnError | None
    spare: Spare | None  # where pids are limited: parked before main, who may take them all
    started: float


def main(argv: list[str]) -> NoReturn:
    """Become the init. Leaves by os._exit: an interpreter's farewell costs 10 ms and can hang."""
    mask = syscalls.block_signals()
    syscalls.undo_python_signals()
    descriptors.open_stdio()
    descriptors.reserve(plans.LETTERBOX)
    descriptors.open_log()
    try:
        world = _bootstrap(argv, mask)
    except Refusal as refusal:
        os._exit(_say_refusal(refusal))
    except Exception as error:  # noqa: BLE001  because a traceback is no line, and 1 no code of ours
        os._exit(
            _say_refusal(Refusal(f"cannot start: {error!r}; this is a mistake of ours: please report it"))
        )
    from initd.loop import run  # main is running: from here on an import costs it nothing

    os._exit(run(world))


def _say_refusal(refusal: Refusal) -> int:
    """The one line, or the help, which is long and waits for its reader; the code to leave with."""
    line = f"{refusal}\n".encode("utf-8", "backslashreplace")
    if refusal.code:
        descriptors.write_line(refusal.fd, line)
        return refusal.code
    try:
        os.write(refusal.fd, line)
    except OSError:  # a full disk, or a reader that has gone
        return cli.REFUSED
    return 0


def _bootstrap(argv: list[str], mask: frozenset[int]) -> World:
    started = syscalls.wall_clock()
    environ = plans.entry_environment()
    text = {syscalls.decode(name): syscalls.decode(value) for name, value in environ.items()}
    config = _configure(argv, text)
    try:
        return _start(config, mask, environ, started)
    except Refusal as refusal:
        if config.persona is None or refusal.code != cli.REFUSED:
            raise
        raise config.persona.refusal(str(refusal)) from None


def _configure(argv: list[str], environ: dict[str, str]) -> Config:
    """As whom we were called: the script hands the name on, and a bundle finds it in argv."""
    called = str(sys._xoptions.get("initd") or sys.argv[0].rpartition("/")[2])
    if called not in _OTHERS:
        return cli.parse(argv, environ)
    from initd import personas

    if called == "dumb-init":
        from initd.persona_dumb_init import PROGRAM
    elif called == "catatonit":
        from initd.persona_catatonit import PROGRAM
    else:
        from initd.persona_tini import PROGRAM
    return personas.parse(PROGRAM, called, argv, environ)


def _start(config: Config, mask: frozenset[int], environ: dict[bytes, bytes], started: float) -> World:
    speaker = Speaker.for_config(config)
    warnings = list(config.warnings)
    syscalls.name_self(b"initd")
    syscalls.unblock(config.own_signals)
    role = _take_role(config, warnings)
    proc = syscalls.find_proc()
    if not proc:
        warnings.append("/proc is missing, or another namespace's: orphans are met when they end; mount ours")
    if config.session:
        spawning.leave_terminal()
    plan = base = plans.main_plan(config, mask, environ, terminal=spawning.terminal_is_ours())
    _check_http_user(config)
    if config.tls_cert is not None and not config.no_http:
        from initd import certificates

        certificates.check(config)
    box = _open_box(config)
    if box is not None:
        plan = plans.notify_plan(plan, box.name, config.watchdog)
    present = syscalls.children() if config.kill_orphans else frozenset()
    listeners = sockets.bind_all(config, warnings)
    if config.persona is not None:
        _say(speaker, warnings)  # as that program does, before its command may say anything
    spare = _park(config, listeners)
    at_once = config.argv and config.pre_start is None
    pid, failure = _spawn_main(plan, config, listeners) if at_once else (None, None)
    _say(speaker, warnings)
    for listener in listeners:
        speaker.say("info", f"listening on {listener.address}")
    return World(
        config, speaker, role, proc, plan, base, box, listeners, present, pid, failure, spare, started
    )


def _check_http_user(config: Config) -> None:
    """A user that the table does not name is there, or web would find out too late. nobody may be missing."""
    user = config.http_user
    if config.no_http or os.getuid() != 0 or user in ("nobody", "root") or user.isdigit():
        return
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        raise Refusal(f"cannot run web as {user!r}: there is no such user; add it or say a number") from None


def _open_box(config: Config) -> NotifyBox | None:
    """Main's notify socket, where it was asked for; a watchdog is fed through the same."""
    if not (config.notify or config.watchdog):
        return None
    from initd.notifybox import NotifyBox

    try:
        return NotifyBox()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Refusal(f"cannot make a notify socket: {why}; leave --notify and --watchdog out") from None


def _take_role(config: Config, warnings: list[str]) -> str:
    """pid1, subreaper or passive; prctl(2). Only where it is needed: it costs the import of ctypes."""
    if config.parent_death_signal is not None:
        parent = os.getppid()
        try:
            syscalls.die_with_parent(config.parent_death_signal)
        except (OSError, ImportError) as error:
            raise Refusal(f"cannot use --parent-death-signal: {error}; leave it out") from None
        if os.getppid() != parent:  # it died before the kernel knew of our wish
            os.kill(os.getpid(), config.parent_death_signal)
    if os.getpid() == 1:
        if config.observe:
            warnings.append("nobody is here to observe: share the PID namespace of those you look for")
        return "pid1"
    if config.observe:
        return "observer"
    if not (config.adopts or config.subreaper):
        return _found_role(config, warnings)
    try:
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    except (OSError, ImportError) as error:
        warnings.append(f"cannot become a subreaper: {error}; orphans will pass us by: run initd as PID 1")
        return "passive"
    return "subreaper"


def _found_role(config: Config, warnings: list[str]) -> str:
    """Not asked to adopt: passive, unless whoever became us was a subreaper, since that survives exec."""
    if syscalls.is_subreaper():
        return "subreaper"
    if config.persona is not None and config.persona.passive:
        warnings.append(config.persona.passive)
    return "passive"


def _say(speaker: Speaker, warnings: list[str]) -> None:
    while warnings:
        speaker.say("warning", warnings.pop(0))


def _spawn_main(
    plan: Plan, config: Config, listeners: tuple[Listener, ...]
) -> tuple[int | None, spawning.SpawnError | None]:
    try:
        return spawning.spawn(plan), None
    except spawning.SpawnError as error:
        if error.forking and error.errno in _NO_FORK and config.persona is None:
            return None, error
        sockets.remove_socket_file(listeners)
        if error.stage == "exec" and config.persona is not None:
            code, text = config.persona.exec_failure(config.argv[0], error.errno)
            raise config.persona.refusal(text, code, error.pid) from None
        raise Refusal(f"cannot run {plans.explain(error, config)}", error.code) from None


def _park(config: Config, listeners: tuple[Listener, ...]) -> Spare | None:
    """A process for web while there is room: main may take all of it in its first millisecond."""
    if config.no_http:
        return None
    from initd import room

    if not room.limited():
        return None
    from initd.spare import Spare

    spare = Spare(listener.fd for listener in listeners)
    spare.park()
    return spare
