"""Signals on their way to main: which arrive, as what, at whom, and what they never do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from initd.procfs import signals_in
from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, program

from .parties import CATATONIT, DUMB_INIT, NATIVE, TINI, Stage
from .rows import Row, who_can

FAULTS = [signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS]
FAULTS += [signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS]
JOBS = [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU]
NEVER = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
LAST = signal.SIGWINCH  # what comes after the others
ORDINARY = sorted({signal.Signals(n) for n in range(1, 32)} - NEVER - {LAST, *FAULTS, *JOBS})
REAL_TIME = [signal.SIGRTMIN, signal.SIGRTMIN + 3, signal.SIGRTMAX - 1, signal.SIGRTMAX]
SOON = 1.0  # seconds; an init that has lost its main does not come to itself later either


def heard(made: Scene) -> list[int]:
    """What catcher.py has said so far."""
    return [int(line) for line in made.out().splitlines() if line.isdigit()]


def main_of(made: Scene) -> int:
    return kernel.children(made.init)[0]


def arriving(numbers: Sequence[int], stage: Stage, wish: str = "", **rest: Any) -> list[int]:
    """Send each, and LAST after each, to see that no more is to come; what main has caught, in order."""
    with stage.scene(*program("catcher.py"), wish=wish, **rest) as made:
        made.ready()
        for count, number in enumerate([*numbers, LAST], 1):
            made.send(number)
            taken(made, number)
            made.send(LAST)
            wait_for(lambda: heard(made).count(LAST) >= count, f"what follows {number}")  # noqa: B023
        return [number for number in heard(made) if number != LAST]


def taken(made: Scene, number: int) -> None:
    """Two signals that wait together may change places, so until the init has taken this one in."""
    wait_for(lambda: not kernel.has_pending(made.init, number), f"{number} to be taken")


def forwarded(name: str, numbers: Sequence[int], differs: dict[str, Sequence[int]] | None = None) -> Row:
    return Row(f"forwarded, {name}", partial(arriving, numbers), list(map(int, numbers)), differs or {})


def not_pid_1(stage: Stage) -> int:
    """A fault sent to an init that is not PID 1: its exit code, or main's."""
    with stage.scene(*program("catcher.py", signal.SIGSEGV.value), pid1=False) as made:
        made.ready()
        made.send(signal.SIGSEGV)
        return made.wait()


GROUP = """
trap 'echo main' USR1
sh -c 'trap "echo child" USR1; echo there; while :; do sleep 0.01; done' &
while :; do sleep 0.01; done
"""


def to_group(wish: str, stage: Stage) -> set[str]:
    with stage.scene("sh", "-c", GROUP, wish=wish) as made:
        made.wait_out("there\n")
        made.send(signal.SIGUSR1)
        made.wait_out("main\n")
        expected = stage.party.family == DUMB_INIT if wish == "" else wish == "group"
        if expected:
            made.wait_out("child\n")
        for _ in range(2):  # a second and a third have come: the first one's copy would be there
            seen = made.out().count("main\n")
            made.send(signal.SIGUSR1)
            wait_for(lambda: made.out().count("main\n") > seen, "main to get it again")  # noqa: B023
        return set(made.out().split()) - {"there"}


def job_control(become: str, stage: Stage, wish: str = "", *, pid1: bool = False) -> str:
    """TSTP to an init: main and init become so, "T" is stopped; after a CONT to the init main runs."""
    with stage.scene("sleep", "100000", wish=wish, pid1=pid1) as made:
        main = wait_for(lambda: sleeping(made), "main to be sleep")
        made.send(signal.SIGTSTP)
        taken(made, signal.SIGTSTP)
        wait_for(lambda: kernel.state(main) + kernel.state(made.init) == become, become)
        made.send(signal.SIGCONT)
        wait_for(lambda: kernel.state(main) == "S", "main to go on")
        return become


def job_controls(become: str, *only: str, wish: str = "", pid1: bool = False) -> Row:
    name = f"TSTP and CONT, {wish or 'group'}{', as PID 1' if pid1 else ''}, {become}"
    return Row(name, partial(job_control, become, wish=wish, pid1=pid1), become, only=only)


def sleeping(made: Scene) -> int | None:
    return next((pid for pid in kernel.children(made.init) if kernel.name(pid) == "sleep"), None)


def is_running(pid: int) -> bool:
    """It sleeps or works: it is neither gone, stopped nor a zombie."""
    return kernel.state(pid) in ("S", "R", "D")


def stopped_main(stage: Stage) -> tuple[bool, int]:
    """A main that is stopped and goes on has not ended: does the init run meanwhile, and the code."""
    with stage.scene("sh", "-c", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done") as made:
        made.ready()
        main = main_of(made)
        os.kill(main, signal.SIGSTOP)
        wait_for(lambda: kernel.state(main) == "T", "main to stop")
        made.send(signal.SIGUSR1)
        taken(made, signal.SIGUSR1)
        alive = is_running(made.init)
        os.kill(main, signal.SIGCONT)
        return alive, made.wait()


def deaf_main(stage: Stage) -> bool:
    """TERM to a main that ignores it: half a second later it is still there."""
    with stage.scene("sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.05; done') as made:
        made.ready()
        main = main_of(made)
        made.send(signal.SIGTERM)
        end = time.monotonic() + 0.5
        while time.monotonic() < end and is_running(main):
            time.sleep(0.02)
        return is_running(main)


def deaf_to_exits(stage: Stage) -> int | str:
    """SIGCHLD ignored at entry: main's code, or that the init hangs."""
    ignoring = ("env", "--ignore-signal=CHLD")  # not before unshare, which undoes it
    with stage.scene("sh", "-c", "echo ready; exit 23", before=ignoring) as made:
        made.ready()
        end = time.monotonic() + SOON
        while time.monotonic() < end and made.process.poll() is None:
            time.sleep(0.01)
        return "hangs" if made.process.returncode is None else made.process.returncode


def block_term() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def blocked_at_entry(stage: Stage) -> str:
    """TERM blocked at entry: does it reach main's handler, or wait there?"""
    with stage.scene(*program("catcher.py"), entry=block_term) as made:
        made.ready()
        made.send(signal.SIGTERM)
        main = main_of(made)

        def fate() -> str:
            blocked = signals_in(kernel.status(main)["SigBlk"])
            if signal.SIGTERM in blocked and kernel.has_pending(main, signal.SIGTERM):
                return "pending"
            return "caught" if heard(made) == [signal.SIGTERM] else ""

        return wait_for(fate, "TERM to arrive")


NO_KILL = ("setpriv", "--bounding-set=-kill", "--inh-caps=-kill")
NOBODY = ("setpriv", "--reuid=65534", "--clear-groups")


def not_permitted(stage: Stage) -> str:
    """A forward that the kernel refuses, since main has become somebody else."""
    with stage.scene(*NOBODY, *program("catcher.py"), before=NO_KILL) as made:
        made.ready()
        main, init = main_of(made), made.init
        made.send(signal.SIGHUP)
        end = time.monotonic() + SOON
        wait_for(lambda: not kernel.has_pending(init, signal.SIGHUP), "HUP to be taken")
        while time.monotonic() < end and made.process.poll() is None and not made.err():
            time.sleep(0.01)
        if stage.party.family == TINI and not stage.party.ours:
            return f"ends with {made.wait()}"
        return "goes on" if is_running(main) else f"ends with {made.wait()}"


def parents_death(stage: Stage) -> str:
    """-p TERM, and a parent that is killed: what main says."""
    main = ("sh", "-c", 'trap "echo told; exit" TERM; echo ready; while :; do sleep 0.01; done')
    parent = ("sh", "-c", """sh -c '"$@"; :' sh "$@"; exec sleep 100000""", "sh")
    with stage.scene(*main, wish="pdeath", before=parent) as made:
        made.ready()
        (parent_of_init,) = kernel.children(made.init)
        os.kill(parent_of_init, signal.SIGKILL)
        made.wait_out("told")
        return made.out()


CHLD_HANG = "it loses main's exit code, and hangs for ever"
ROWS = (
    forwarded("ordinary", ORDINARY),
    forwarded("real-time", REAL_TIME),
    forwarded("faults, as PID 1", FAULTS, {TINI: [], CATATONIT: []}),
    Row("a fault, not as PID 1", not_pid_1, 0, {TINI: 139, CATATONIT: 139}),
    Row(
        "forwarded, of job control",
        partial(arriving, JOBS, wish="single"),
        [int(number) for number in JOBS],
        {TINI: [int(signal.SIGTSTP)], CATATONIT: []},
    ),
    job_controls("TT", *who_can("session"), wish="session"),
    job_controls("TS", *who_can("session"), wish="session", pid1=True),  # nothing inside stops PID 1
    job_controls("TS", TINI, NATIVE),
    job_controls("SS", CATATONIT),
    Row(
        "rewritten and dropped",
        partial(arriving, [signal.SIGHUP, signal.SIGTERM, signal.SIGUSR2, signal.SIGUSR1], wish="rewrite"),
        [10, 3, 10],
        only=who_can("rewrite"),
    ),
    Row("to the group", partial(to_group, "group"), {"main", "child"}),
    Row("to main alone", partial(to_group, "single"), {"main"}),
    Row("by default to", partial(to_group, ""), {"main"}, {DUMB_INIT: {"main", "child"}}),
    Row("main stopped and continued", stopped_main, (True, 5)),
    Row("a deaf main", deaf_main, True),
    Row(
        "SIGCHLD ignored at entry",
        deaf_to_exits,
        23,
        {TINI: "hangs", CATATONIT: "hangs"},
        better={TINI: (23, CHLD_HANG), CATATONIT: (23, CHLD_HANG)},
    ),
    Row("TERM blocked at entry", blocked_at_entry, "pending", {DUMB_INIT: "caught"}),
    Row(
        "a forward that is not permitted",
        not_permitted,
        "goes on",
        {TINI: "ends with 1"},
        better={TINI: ("goes on", "the whole container would die of one refused signal")},
    ),
    Row("the parent's death", parents_death, "ready\ntold\n", only=who_can("pdeath")),
)
