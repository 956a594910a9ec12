"""What main and web are started with: the world that each is given between fork and exec.

Law of this file: plans only, no fork. Main gets back the world found at entry, and what its
options ask for; web gets a world of its own, with nothing of main's in it.
"""

from __future__ import annotations

import binascii
import errno
import posix as os
import sys

from initd import descriptors, spawning, syscalls
from initd.cli import Refusal
from initd.spawning import Plan, SpawnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable, Iterable

    from initd.cli import Config

    Step = tuple[str, Callable[[], None]]
else:
    import _signal

_HIDDEN = b"INITD_HIDDEN_"  # before names that a bundle keeps from our own loader, such as LD_PRELOAD
LETTERBOX = 3  # where web finds its end of the letterbox
_CURES = {  # what a refused step lacks; capabilities(7)
    "user": "; give the container CAP_SETUID and CAP_SETGID, or leave --user out",
    "rlimit": "; stay under the hard limit, or give the container CAP_SYS_RESOURCE",
    "nice": "; give the container CAP_SYS_NICE, or a value that is not below the present one",
    "oom-score-adj": "; give the container CAP_SYS_RESOURCE, or a value that is not below the present one",
}
_WEB_ENVIRON = {b"PATH": b"/usr/bin:/bin", b"LANG": b"C.UTF-8"}
_MAINS_OWN = ("session", "terminal", "group", "LISTEN_PID")  # steps that no other command takes
# Python ignores PIPE and XFSZ at start, so what they were at entry cannot be known; an inherited
# "ignore" on CHLD would make main's own waits fail with ECHILD.
_RESET = (_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGCHLD)


def entry_environment() -> dict[bytes, bytes]:
    """The environment as it was before the script's shell and our interpreter could change it.

    A shell drops names like ``discovery.type`` and adds PWD, so the script hands the original on in
    INITD_ENVIRON. In the C locale CPython sets LC_CTYPE for itself and all its children (PEP 538),
    so os.environ is not what we were given either; /proc/self/environ is.
    """
    encoded = os.environ.get(b"INITD_ENVIRON")
    if encoded is not None and "initd" in sys._xoptions:
        return _pairs(binascii.a2b_base64(encoded))
    try:
        with open("/proc/self/environ", "rb", buffering=0) as file:
            return _pairs(file.readall() or b"")
    except OSError:
        return {name.removeprefix(_HIDDEN): value for name, value in os.environ.items()}


def _pairs(raw: bytes) -> dict[bytes, bytes]:
    """What Python can give to execve(2): what has a name and an =; of two the first, as getenv(3) does."""
    found: dict[bytes, bytes] = {}
    for entry in raw.split(b"\0"):
        name, _, value = entry.removeprefix(_HIDDEN).partition(b"=")
        if name and b"=" in entry:
            found.setdefault(name, value)
    return found


def main_plan(config: Config, mask: frozenset[int], environ: dict[bytes, bytes], *, terminal: bool) -> Plan:
    """The user's command in the world found at entry. Raises Refusal when --user cannot be looked up."""
    steps = _place(config, terminal=terminal)
    if config.oom_score_adj is not None:
        steps.append(("oom-score-adj", _oom_score(config.oom_score_adj)))
    steps.extend((f"rlimit {limit[0]}", _rlimit(limit)) for limit in config.rlimit)
    if config.nice is not None:
        steps.append(("nice", _nice(config.nice)))
    if config.user is not None:
        steps.append(("user", _become(*_look_up(*config.user))))
    if config.workdir is not None:
        steps.append(("workdir", _chdir(config.workdir)))
    if config.umask is not None:
        steps.append(("umask", _umask(config.umask)))
    steps.append(("signals", _all_default if config.default_signals else _restore_signals(mask)))
    ours = {name: value for name, value in environ.items() if not name.startswith(b"INITD_")}
    if config.listen_pid and ours.get(b"LISTEN_PID") == b"%d" % os.getpid():
        steps.append(("LISTEN_PID", lambda: ours.update({b"LISTEN_PID": b"%d" % os.getpid()})))
    return Plan(tuple(map(syscalls.encode, config.argv)), ours, tuple(steps))


def notify_plan(plan: Plan, name: bytes, watchdog: float) -> Plan:
    """The same, where main finds its notify socket; sd_notify(3), sd_watchdog_enabled(3)."""
    environ = {**plan.environ, b"NOTIFY_SOCKET": name}
    environ.pop(b"WATCHDOG_PID", None)
    environ.pop(b"WATCHDOG_USEC", None)
    steps = plan.steps
    if watchdog:
        environ[b"WATCHDOG_USEC"] = b"%d" % round(watchdog * 1_000_000)
        steps = (("watchdog", lambda: environ.update({b"WATCHDOG_PID": b"%d" % os.getpid()})), *steps)
    return Plan(plan.argv, environ, steps)


def helper_plan(base: Plan, argv: tuple[str, ...], environ: tuple[tuple[str, str], ...], output: int) -> Plan:
    """A hook or a check: main's world, without its terminal, standard input and notify socket.

    ``output``: where it writes to instead of our own output; -1 is nowhere else.
    """

    steps = (step for step in base.steps if step[0] not in _MAINS_OWN)
    added = {syscalls.encode(name): syscalls.encode(value) for name, value in environ}
    own: tuple[Step, ...] = (("group", _new_group), ("descriptors", _speak_into(output)))
    return Plan(tuple(map(syscalls.encode, argv)), {**base.environ, **added}, (*own, *steps))


def _speak_into(output: int) -> Callable[[], None]:
    def arrange() -> None:
        os.dup2(descriptors.open_null(os.O_RDONLY), 0)
        if output >= 0:
            os.dup2(output, 1)
            os.dup2(output, 2)

    return arrange


def _place(config: Config, *, terminal: bool) -> list[Step]:
    """Main's session, group and terminal."""
    if config.session:
        return [("session", os.setsid), ("terminal", spawning.attach_terminal)]
    if not config.own_group:
        return []
    group: Step = ("group", _new_group)
    return [group, ("terminal", spawning.take_terminal)] if terminal else [group]


def web_plan(letterbox: int, keep: Iterable[int]) -> Plan:
    """The web process: an isolated interpreter, the letterbox at LETTERBOX, the listening sockets."""
    kept = frozenset(keep)

    def arrange() -> None:
        os.dup2(letterbox, LETTERBOX)
        for fd in open_descriptors():
            if fd > LETTERBOX and fd not in kept and _is_inheritable(fd):
                os.close(fd)
        for fd in kept:
            os.set_inheritable(fd, True)
        os.dup2(descriptors.open_null(os.O_RDONLY), 0)
        os.dup2(descriptors.open_log_of_web(), 2)
        os.dup2(2, 1)

    steps: tuple[Step, ...] = (
        ("oom-score-adj", first_to_go),
        ("group", _new_group),
        ("descriptors", arrange),
        ("workdir", _chdir("/")),
        ("signals", _all_default),
    )
    return Plan(_of_web(b"web"), _WEB_ENVIRON, steps)


def tls_plan(config: Config, output: int) -> Plan:
    """Whoever is to serve with the certificates says whether they are any good; PID 1 never reads a key."""
    files = (config.tls_cert, config.tls_key, config.tls_client_ca)
    names = tuple(syscalls.encode(name) for name in files if name is not None)
    steps: tuple[Step, ...] = (
        ("group", _new_group),
        ("descriptors", _speak_into(output)),
        ("signals", _all_default),
    )
    return Plan(_of_web(b"web.tls", *names), _WEB_ENVIRON, steps)


def _of_web(module: bytes, *arguments: bytes) -> tuple[bytes, ...]:
    return (syscalls.encode(sys.executable or "/usr/bin/python3"), b"-I", b"-m", module, *arguments)


def open_descriptors() -> list[int]:
    """Ours, as numbers."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:  # no /proc: what a shell or an engine hands down lies low
        return list(range(256))


def _is_inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:  # the listing's own descriptor is closed by now
        return False


def _new_group() -> None:
    os.setpgid(0, 0)


def _restore_signals(mask: frozenset[int]) -> Callable[[], None]:
    def restore() -> None:
        syscalls.default_signals(_RESET)
        syscalls.set_mask(mask)

    return restore


def _all_default() -> None:
    """Of the real-time ones an "ignore" stays: dumb-init does not know them, and web never meets one."""
    syscalls.default_signals(number for number in syscalls.ignored_signals() if number < _signal.SIGRTMIN)
    syscalls.set_mask(())


def _chdir(directory: str) -> Callable[[], None]:
    return lambda: os.chdir(directory)


def _umask(mask: int) -> Callable[[], None]:
    def set_mask() -> None:
        os.umask(mask)

    return set_mask


def _nice(value: int) -> Callable[[], None]:
    return lambda: os.setpriority(os.PRIO_PROCESS, 0, value)


def _oom_score(value: int) -> Callable[[], None]:
    def write() -> None:
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
            file.write(b"%d" % value)

    return write


def first_to_go() -> None:
    """From web's first page on, not only once it runs: what starts where memory is full must not cost main.

    Where this is refused web says so itself.
    """
    try:
        _oom_score(1000)()
    except OSError:
        return


def _rlimit(limit: tuple[int, int, int]) -> Callable[[], None]:
    def set_limit() -> None:
        import resource

        number, soft, hard = limit
        try:
            resource.setrlimit(number, (soft, hard))
        except ValueError:  # what Python makes of EINVAL and EPERM
            raise PermissionError(errno.EPERM, "above the hard limit") from None

    return set_limit


def _look_up(name: str, group: str | None) -> tuple[int, int, list[int]]:
    """uid, gid and supplementary groups as a login would give them; numbers need no entry in passwd."""
    import grp
    import pwd

    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        uid, gid, known = entry.pw_uid, entry.pw_gid, entry.pw_name
    except (KeyError, OverflowError):
        if not name.isdigit() or len(name) > 10:
            raise _stranger("user", name) from None
        uid, gid, known = int(name), 0, ""
    try:
        if group is not None:
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise _stranger("group", group) from None
    return uid, gid, os.getgrouplist(known, gid) if known else [gid]


def _stranger(kind: str, name: str | None) -> Refusal:
    return Refusal(f"cannot run main as {kind} {name!r}: there is no such {kind}; add it or say a number")


def _become(uid: int, gid: int, groups: list[int]) -> Callable[[], None]:
    def become() -> None:
        if (os.getuid(), os.getgid()) == (uid, gid) and uid != 0:
            return  # nothing to change, and nobody needs a capability for that
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)

    return become


def explain(error: SpawnError, config: Config, argv: tuple[str, ...] = ()) -> str:
    """Why main, or a helper, could not be started, and what helps; to be put after "cannot run"."""
    name, why = repr((argv or config.argv)[0]), os.strerror(error.errno)
    if error.missing:
        return f"{name}: not found; check its name, PATH, and the interpreter that it names"
    if error.crowded:
        return f"{name}: its user has too many processes: {why}"
    if error.stage == "exec":
        return f"{name}: {why}; give it a file that can be executed here"
    if error.forking:
        return f"{name}: no process can be made: {why}"
    step = error.stage.split()[0]
    shown = f"{step} {config.workdir}" if step == "workdir" else step
    cure = _CURES.get(step, "") if error.errno in (errno.EPERM, errno.EACCES) else ""
    return f"{name}: --{shown} failed: {why}{cure or '; correct it or leave it out'}"
