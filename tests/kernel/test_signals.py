"""Signals on their way in: forwarded, rewritten, dropped, to one or to the group, and never lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence

import pytest

from . import kernel
from .client import wait_for
from .harness import Scene, program, run, scene

FORWARDED = [
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM),
    *(signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP),
    *(signal.SIGIO, signal.SIGPWR, signal.SIGURG, signal.SIGXCPU),
    *(signal.SIGRTMIN, signal.SIGRTMIN + 3, signal.SIGRTMAX),
]
IGNORE_TERM = ("sh", "-c", 'trap "" TERM; echo ready; exec sleep 100000')


def received(made: Scene) -> list[int]:
    """What catcher.py has said so far."""
    return [int(line) for line in made.out().splitlines() if line.isdigit()]


@pytest.mark.parametrize("pid1", [True, False])
@pytest.mark.parametrize("http", [True, False])
def test_every_signal_that_can_be_forwarded_reaches_main_once(pid1: bool, http: bool) -> None:
    with scene(*program("catcher.py"), pid1=pid1, http=http) as made:
        made.ready()
        for count, number in enumerate(FORWARDED, 1):
            made.send(number)
            wait_for(lambda: len(received(made)) >= count, f"signal {number}")  # noqa: B023
        assert received(made) == FORWARDED


def test_a_forwarded_signal_is_an_event() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        made.send(signal.SIGHUP)
        event = made.wait_event("signal.forwarded")
        assert event["signal"] == "HUP"
        assert made.metric("initd_signals_total", signal="HUP", source="forwarded") == 1


def test_rewritten_signals_arrive_as_another_and_dropped_ones_do_not() -> None:
    options = ["-r", "TERM:USR1", "--rewrite", "HUP:0", "-r", "12:SIGQUIT"]
    with scene(*program("catcher.py"), options=options, http=False) as made:
        made.ready()
        made.send(signal.SIGHUP)
        for count, number in enumerate((signal.SIGTERM, signal.SIGUSR2, signal.SIGWINCH), 1):
            made.send(number)
            wait_for(lambda: len(received(made)) >= count, f"signal {number}")  # noqa: B023
        assert received(made) == [signal.SIGUSR1, signal.SIGQUIT, signal.SIGWINCH]


def test_a_rewritten_term_still_begins_a_stop() -> None:
    """TERM:QUIT is how nginx is stopped gracefully: it must not be started again afterwards."""
    options = ["-r", "TERM:QUIT", "--restart", "always"]
    with scene(*program("catcher.py", signal.SIGQUIT.value), options=options, http=False) as made:
        made.ready()
        assert made.stop(signal.SIGTERM) == 0


GROUP = """
trap 'echo main got it' USR1
sh -c 'trap "echo child got it" USR1; echo child is there; while :; do sleep 0.05; done' &
while :; do sleep 0.05; done
"""


@pytest.mark.parametrize("option", ["-g", "--session"])
def test_group_sends_to_the_whole_group_of_main(option: str) -> None:
    with scene("sh", "-c", GROUP, options=[option], http=False) as made:
        made.wait_out("child is there")
        made.send(signal.SIGUSR1)
        made.wait_out("main got it")
        made.wait_out("child got it")


def test_without_group_only_main_gets_it() -> None:
    with scene("sh", "-c", GROUP, http=False) as made:
        made.wait_out("child is there")
        for _ in range(3):
            made.send(signal.SIGUSR1)
            before = made.out().count("main got it")
            wait_for(lambda: made.out().count("main got it") > before, "main to get it")  # noqa: B023
        assert "child got it" not in made.out()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stopping_signal_ends_main_and_us_with_its_code(number: signal.Signals) -> None:
    with scene("sh", "-c", "echo ready; exec sleep 100000", http=False) as made:
        made.ready()
        wait_for(lambda: kernel.name(kernel.children(made.init)[0]) == "sleep", "main to be sleep")
        assert made.stop(number) == 128 + number


def hears_term(pid: int) -> bool:
    """initd's interpreter runs, and the kernel would keep a TERM for it: not so in what ran before."""
    return kernel.program(pid).startswith("python") and kernel.listens_to(pid, signal.SIGTERM)


def test_a_term_once_we_can_hear_it_is_never_lost() -> None:
    """The first moment at which the kernel would keep a TERM for us: before main, before anything."""
    for _ in range(25):
        with scene("sleep", "100000", http=False) as made:
            pid = made.init
            wait_for(lambda: hears_term(pid), "TERM to be blocked or handled")  # noqa: B023  asked at once
            os.kill(pid, signal.SIGTERM)
            assert made.wait() == 143


def test_a_term_in_the_first_milliseconds_ends_us_or_main_whatever_the_moment() -> None:
    """Not as PID 1: there a TERM before we listen ends us, as it ends any program."""
    for attempt in range(25):
        with scene("sleep", "100000", http=False, pid1=False) as made:
            pid = made.init
            time.sleep(attempt * 0.001)  # another moment each time
            os.kill(pid, signal.SIGTERM)
            assert made.wait() == 143
            assert (made.home / "left").read_text() == ""


def test_a_forwarded_term_never_escalates() -> None:
    with scene(*IGNORE_TERM, options=["--stop-timeout", "100ms"], http=False) as made:
        made.ready()
        main = kernel.children(made.init)[0]
        made.send(signal.SIGTERM)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert kernel.state(main) == "S"
            time.sleep(0.02)


# Not by the parent of unshare: unshare sets SIGCHLD to its default.
IGNORING = ("env", "--ignore-signal=CHLD")


@pytest.mark.parametrize("pid1", [True, False])
def test_sigchld_ignored_at_entry_loses_no_exit_code(pid1: bool) -> None:
    """tini hangs here: the kernel reaps by itself and waitpid never sees main."""
    assert run("sh", "-c", "( : & ); exit 23", before=IGNORING, pid1=pid1)[0] == 23


def test_sigchld_ignored_at_entry_still_reaps_orphans() -> None:
    with scene(*program("storm.sh", 50), before=IGNORING) as made:
        made.ready()
        wait_for(lambda: made.status()["adopted"]["total"] == 50, "50 adoptions")
        wait_for(lambda: made.zombies() == [], "no zombies")


def test_a_blocked_term_at_entry_is_forwarded_all_the_same() -> None:
    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    with scene(*program("catcher.py"), entry=block, http=False) as made:
        made.ready()
        made.send(signal.SIGTERM)
        main = kernel.children(made.init)[0]
        wait_for(lambda: kernel.has_pending(main, signal.SIGTERM), "TERM to be pending on main")


NO_KILL = ("setpriv", "--bounding-set", "-kill", "--inh-caps", "-kill")


@pytest.mark.parametrize("before", [(), NO_KILL], ids=["root", "no CAP_KILL"])
def test_when_our_parent_dies_the_chosen_signal_stops_us(before: Sequence[str]) -> None:
    """Also after we were main's user for a moment, to signal it: the kernel forgets the wish by that."""
    traps = 'trap "echo told; exit" TERM; trap "echo heard" HUP'
    main = ("sh", "-c", f"{traps}; echo ready; while :; do sleep 0.05; done")
    parent = ("sh", "-c", """sh -c '"$@"; :' sh "$@"; exec sleep 100000""", "sh")
    options = ["-p", "TERM", "-s", "--user", "nobody"]
    with scene(*main, options=options, before=(*parent, *before), http=False) as made:
        made.ready()
        (parent_of_initd,) = kernel.children(made.init)
        os.kill(kernel.children(parent_of_initd)[0], signal.SIGHUP)
        made.wait_out("heard")
        os.kill(parent_of_initd, signal.SIGKILL)
        made.wait_out("told")
