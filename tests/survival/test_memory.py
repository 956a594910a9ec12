"""Memory ends.

In a control group with a limit: the kernel kills (web first), or makes room for whoever asks, without an end.
"""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.cgroup import Limited, limited
from tests.kernel.client import DEADLINE, ask, wait_for
from tests.kernel.harness import PYTHON, Scene, scene

from .soak import soak

GLUTTON = (*PYTHON, str(Path(__file__).with_name("programs") / "glutton.py"))
MEGABYTE = 1 << 20
LIMIT = 160 * MEGABYTE
EATEN = 100 * MEGABYTE  # of it, at the edge: what is left is enough for web, but not for the page cache
SECONDS = soak(60, least=3)


@dataclass
class Table:
    """An initd with a main that takes memory, and their control group."""

    made: Scene
    group: Limited
    main: int  # the host's pid, for when web cannot tell it

    def say(self) -> None:
        """It goes on to what comes next."""
        os.kill(self.main, signal.SIGUSR1)

    @property
    def oom_kills(self) -> int:
        return _counted(self.group, {"memory.events": "oom_kill", "memory.oom_control": "oom_kill"})

    @property
    def short(self) -> int:
        """How often somebody asked for memory when the limit was reached."""
        return _counted(self.group, {"memory.events": "max", "memory.failcnt": ""})


def _counted(group: Limited, files: dict[str, str]) -> int:
    """A counter, in the file of cgroup v2 or of v1."""
    for name, key in files.items():
        if (group.path / name).exists():
            words = (group.path / name).read_text().split()
            return int(words[words.index(key) + 1 if key else 0])
    raise FileNotFoundError(group.path)


@contextmanager
def table(what: str, *options: str) -> Iterator[Table]:
    with limited("memory") as group:
        group.limit(LIMIT)
        counter = next(p for n in ("memory.events", "memory.oom_control") if (p := group.path / n).exists())
        main = (*GLUTTON, str(counter), what, str(EATEN))
        with scene(*main, entry=group.enter, options=options, listen="127.0.0.1:0") as made:
            made.ready()
            yield Table(made, group, made.main)


@pytest.mark.survives(
    "a child of main takes all memory, and the kernel kills",
    "web goes, also one that only starts; main, history and counts stay; web is back when there is room",
)
def test_web_goes_first_and_takes_nothing_with_it(figures: dict[str, object]) -> None:
    with table("child") as found:
        made, web = found.made, found.made.web
        before, history = made.status()["main"], made.events()
        found.say()
        made.wait_out("full")
        wait_for(
            lambda: made.err().count("initd: warning: web (pid") >= 3, "those that start to be killed too"
        )
        begun = time.monotonic()
        found.say()
        made.wait_out("empty")
        status = made.status()
        figures["web back after"] = f"{time.monotonic() - begun:.1f} s"
        assert status["main"] == before
        assert made.web != web
        assert made.events()[: len(history)] == history
        ended = made.events("web.exited")
        assert {event["signal"] for event in ended} == {"KILL"}
        assert len(ended) == status["web"]["restarts"] >= 3
        assert made.metric("initd_cgroup_memory_oom_kills_total") == found.oom_kills
        figures["killed"] = f"{found.oom_kills} processes, {len(ended)} of them web"


@pytest.mark.survives(
    "main takes memory until it is killed itself",
    "its end is told as one for want of memory, it is started again, web is back and has the whole history",
)
def test_a_main_that_was_killed_is_told_apart_and_started_again() -> None:
    with table("on", "--restart", "always") as found:
        made = found.made
        before, history = made.status(), made.events()
        found.say()
        wait_for(lambda: "ended: killed by KILL (out of memory)" in made.err(), "main's end")
        ended = made.wait_event("main.exited")
        assert (ended["signal"], ended["oom"], ended["process"]["id"]) == ("KILL", True, before["main"]["id"])
        wait_for(lambda: made.status()["main"]["state"] == "running", "main to be back")
        status = made.status()
        assert status["main"]["last_exit"]["oom"] is True
        assert status["main"]["restarts"] == 1
        assert status["init"] == before["init"]
        assert made.events()[: len(history)] == history


@pytest.mark.survives(
    "memory is at its limit all the time, the kernel always making room",
    "probes are answered, main goes on",
)
def test_at_the_edge_probes_go_on_being_answered(figures: dict[str, object]) -> None:
    with table("edge") as found:
        made = found.made
        before, port, short = made.status(), made.port, found.short
        found.say()
        made.wait_out("full")
        took = []
        end = time.monotonic() + SECONDS
        while (begun := time.monotonic()) < end:
            assert ask(http.client.HTTPConnection("127.0.0.1", port, DEADLINE), "GET", "/livez").status == 200
            took.append(time.monotonic() - begun)
            time.sleep(0.02)
        assert found.short > short
        status = made.status()
        assert status["main"] == before["main"]
        assert status["init"] == before["init"]
        took.sort()
        figures["for"] = f"{SECONDS} s"
        figures["/livez p99"] = f"{took[len(took) * 99 // 100] * 1000:.0f} ms"
        figures["slowest"] = f"{took[-1] * 1000:.0f} ms"
        figures["web restarts"] = status["web"]["restarts"]
