"""The world main is born into: signals, group, session, terminal, environment, descriptors, arguments."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from initd.procfs import parse_status, signals_in
from tests.kernel.harness import ENVIRONMENT, Scene, first, program

from .parties import CATATONIT, DUMB_INIT, NATIVE, TINI, Stage
from .rows import Row, who_can

BLOCKED: set[int] = {signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMIN + 3}
IGNORED: set[int] = {signal.SIGHUP, signal.SIGQUIT, signal.SIGTTOU, signal.SIGUSR2, signal.SIGRTMAX}
UNKNOWABLE: set[int] = {signal.SIGPIPE, signal.SIGXFSZ}  # Python changes these two before we can look
JOBS: set[int] = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


def strange(ignored: set[int]) -> Callable[[], None]:
    """Block some and ignore others, as a careless parent does."""

    def enter() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, BLOCKED)

    return enter


def signal_sets(ignored: set[int], stage: Stage) -> dict[str, set[int]]:
    """Main's blocked and ignored signals; cat changes none of them."""
    out = stage.run("cat", "/proc/self/status", entry=strange(ignored))[1]
    status = parse_status(out.encode())
    # 32 and 33 are the C library's own: its posix_spawn (make's, for one) leaves them ignored.
    return {name: set(signals_in(status[name])) - {32, 33} for name in ("SigBlk", "SigIgn")}


def sets(blocked: set[int], ignored: set[int]) -> dict[str, set[int]]:
    return {"SigBlk": set(map(int, blocked)), "SigIgn": set(map(int, ignored))}


def world(stage: Stage, *words: str, **rest: Any) -> dict[str, Any]:
    """What world.py says as main."""
    seen: dict[str, Any] = json.loads(stage.run(*program("world.py", *words), **rest)[1])
    return seen


def place(wish: str, stage: Stage) -> tuple[bool, bool, int]:
    """Does main lead a group, a session; and whose child is it?"""
    seen = world(stage, wish=wish)
    return seen["pgrp"] == seen["pid"], seen["sid"] == seen["pid"], seen["ppid"]


GIVEN = {"discovery.type": "one", "TINI_X": "1", "DUMB_INIT_X": "1", "E": "", "L": "a\nb", "LISTEN_FDS": "1"}
OURS = {"INITD_QUIET": "1", "INITD_GROUP": "0"}


def environment(stage: Stage) -> dict[str, str]:
    """What main has beyond the usual; INITD_ variables are ours."""
    env = {**GIVEN, **OURS}
    return dict(world(stage, env=env)["env"].items() - ENVIRONMENT.items())


def listen_pid(stage: Stage) -> str:
    """LISTEN_PID names the init: whom does it name in main?"""
    seen = world(stage, env={"LISTEN_PID": "1"})
    return "main" if seen["env"]["LISTEN_PID"] == str(seen["pid"]) else str(seen["env"]["LISTEN_PID"])


def descriptors(stage: Stage) -> set[str]:
    """Main's, where 5 and 9 were open too."""
    opened = first("exec 5</dev/null 9</dev/null")
    return set(world(stage, before=opened)["fds"])


WORDS = ["", " ", "a b", "--", "-e", "-g", "-V", "--version", "*", "\n", "ünï", "\udcff"]


def surroundings(stage: Stage) -> tuple[list[str], str, int, int]:
    """Arguments, directory, umask and nice value."""
    before = ("nice", "-n", "5", *first("cd /usr; umask 0137"))
    seen = world(stage, *WORDS, before=before)
    return seen["argv"], seen["cwd"], seen["umask"], seen["nice"]


def behind(stage: Stage, env: dict[str, str] | None = None) -> str:
    """Options that stand behind the command, with no ``--``: which does the command get?"""
    with stage.bare(*stage.command(end=False), "echo", "-g", "a", "-g", env=env) as made:
        made.wait()
        return made.out()


# --- a terminal ---------------------------------------------------------------------------------------

ON_TERMINAL = """
import os, signal, sys
def say(number, frame):
    print(signal.Signals(number).name, os.get_terminal_size(0).columns, flush=True)
for each in (signal.SIGINT, signal.SIGWINCH, signal.SIGHUP, signal.SIGCONT):
    signal.signal(each, say)
try:
    print("foreground", os.tcgetpgrp(0) == os.getpgrp(), flush=True)
except OSError:
    print("no terminal of ours", flush=True)
print("ready", flush=True)
sys.stdin.readline()
"""


@contextmanager
def at_a_terminal(stage: Stage, wish: str) -> Iterator[tuple[Scene, int]]:
    """The init leads a session whose terminal is on its standard input, as an engine gives it with -it."""
    person, terminal = os.openpty()
    leading = ("setsid", "--ctty")
    main = ("python3", "-I", "-S", "-c", ON_TERMINAL)
    try:
        with stage.scene(*main, wish=wish, before=leading, stdin=terminal) as made:
            yield made, person
    finally:
        os.close(person)
        os.close(terminal)


def keys(wish: str, stage: Stage) -> list[str]:
    """What main sees of the foreground, Ctrl-C, a new size, and a line; HUP and CONT are not for it."""
    with at_a_terminal(stage, wish) as (made, person):
        made.ready()
        os.write(person, b"\x03")
        made.wait_out("SIGINT")
        fcntl.ioctl(person, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
        made.wait_out("SIGWINCH")
        os.write(person, b"\n")
        made.wait()
        return made.out().splitlines()


OWN_GROUP, OWN_SESSION, NOTHING = (True, False, 1), (True, True, 1), (False, False, 1)
BUG = "catatonit leaves main deaf to Ctrl-Z"
RESET = "what they were before Python came cannot be known, and ignored CHLD breaks main's own waits"
SEEN = ["foreground True", "ready", "SIGINT 0", "SIGWINCH 132"]
ROWS = (
    Row(
        "signal mask and ignored signals",
        partial(signal_sets, IGNORED),
        sets(BLOCKED, IGNORED),
        {DUMB_INIT: sets(set(), {signal.SIGRTMAX}), CATATONIT: sets(BLOCKED | JOBS, IGNORED)},
        better={CATATONIT: (sets(BLOCKED, IGNORED), BUG)},
    ),
    Row(
        "ignored signals that we reset",
        partial(signal_sets, UNKNOWABLE),
        sets(BLOCKED, UNKNOWABLE),
        {
            DUMB_INIT: sets(set(), set()),
            CATATONIT: sets(BLOCKED | JOBS, UNKNOWABLE),
            NATIVE: sets(BLOCKED, set()),
        },
        better={TINI: (sets(BLOCKED, set()), RESET), CATATONIT: (sets(BLOCKED, set()), RESET)},
    ),
    Row("group, session and parent", partial(place, ""), OWN_GROUP, {DUMB_INIT: OWN_SESSION}),
    Row("group, session and parent, single", partial(place, "single"), OWN_GROUP, {DUMB_INIT: NOTHING}),
    Row("session", partial(place, "session"), OWN_SESSION, only=who_can("session")),
    Row("keys at a terminal", partial(keys, ""), SEEN),
    Row("keys at a terminal, session", partial(keys, "session"), SEEN, only=who_can("session")),
    Row(
        "environment",
        environment,
        {**GIVEN, **OURS},
        {NATIVE: GIVEN},
        better=dict.fromkeys((TINI, DUMB_INIT, CATATONIT), (GIVEN, "what is for initd alone")),
    ),
    Row("LISTEN_PID", listen_pid, "1", {CATATONIT: "main"}),
    Row("descriptors", descriptors, {"0", "1", "2", "5", "9"}),
    Row("arguments, directory, umask, nice", surroundings, (WORDS, "/usr", 0o137, 5)),
    Row("options behind the command", behind, "a\n", {DUMB_INIT: "-g a -g\n", NATIVE: "-g a -g\n"}),
    Row(
        "options behind the command, POSIXLY_CORRECT",
        partial(behind, env={"POSIXLY_CORRECT": "1"}),
        "-g a -g\n",
    ),
)
