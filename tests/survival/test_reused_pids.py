"""Pids that are used again: nobody is taken for whoever had the number before.

The kernel gives out numbers in turn, and /proc/sys/kernel/ns_last_pid says which comes next.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import PYTHON, Scene, first, scene
from tests.kernel.test_lineage import look

PUPPET = (*PYTHON, str(Path(__file__).with_name("programs") / "puppet.py"))


class Stage:
    """A scene whose main makes what it is told to."""

    def __init__(self, made: Scene, orders: int) -> None:
        self.made, self._orders = made, orders

    def say(self, words: str) -> None:
        """Have it made."""
        os.write(self._orders, f"{words}\n".encode())

    def order(self, words: str, *names: str) -> list[dict[str, Any]]:
        """The same; and the processes of these names, by the API."""
        self.say(words)
        return [self.named(name) for name in names]

    def named(self, name: str) -> dict[str, Any]:
        """The one process of this name, once it is there."""
        path = f"/api/v1/processes?name={name}"
        (one,) = wait_for(lambda: self.made.get(path)["processes"], f"a process called {name}")
        self.made.wait_out(f"{name} {one['pid']}\n")
        found: dict[str, Any] = one
        return found

    def end(self, *ended: dict[str, Any]) -> None:
        """KILL, by id, and wait until each pid is free."""
        for one in ended:
            self.signal(one["id"], "KILL", 200)
        for one in ended:
            path = f"/api/v1/processes/{one['pid']}"
            wait_for(lambda: self.made.ask("GET", path).status == 404, f"{one['id']} to be gone")  # noqa: B023

    def signal(self, name: object, word: str, expect: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.made.post(
            f"/api/v1/processes/{name}/signal", {"signal": word}, expect=expect
        )
        return answer

    def hits(self) -> list[str]:
        """The signals that were got: number and pid."""
        return [line[4:] for line in self.made.out().splitlines() if line.startswith("hit ")]


@contextmanager
def stage(options: Sequence[str] = (), before: Sequence[str] = ()) -> Iterator[Stage]:
    reader, writer = os.pipe()
    try:
        with scene(*PUPPET, options=options, before=before, stdin=reader) as made:
            made.ready()
            yield Stage(made, writer)
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.survives("a stranger has the pid of whom somebody means", "an id never reaches it, a pid does")
def test_a_signal_by_id_never_reaches_whoever_has_the_pid_now() -> None:
    with stage() as play:
        (meant,) = play.order("orphan meant", "meant")
        play.end(meant)
        (stranger,) = play.order(f"orphan stranger {meant['pid']}", "stranger")
        assert (stranger["pid"], stranger["adopted"]) == (meant["pid"], True)
        assert stranger["id"] != meant["id"]
        assert play.signal(meant["id"], "TERM", 409)["code"] == "reused_pid"
        nudge = play.made.post(f"/api/v1/zombies/{meant['id']}/nudge", expect=409)
        assert nudge["code"] == "reused_pid"
        for path in (f"processes/{meant['id']}", f"tree?root={meant['id']}"):
            assert play.made.ask("GET", f"/api/v1/{path}").json()["code"] == "reused_pid"
        play.signal(stranger["id"], "USR1", 200)
        play.signal(stranger["pid"], "USR2", 200)  # without a start time: whoever has the number
        play.made.wait_out(f"hit 12 {stranger['pid']}\n")
        assert play.hits() == [f"10 {stranger['pid']}", f"12 {stranger['pid']}"]
        *_, refused, _, _ = play.made.events("signal.sent")
        assert (refused["outcome"], refused["process"]["id"]) == ("reused_pid", meant["id"])
        assert refused["process"]["name"] != "stranger"


@pytest.mark.survives(
    "an orphan has the pid that a former web had", "it is an orphan, and no sweep spares it"
)
def test_an_orphan_with_a_former_webs_pid_is_an_orphan_to_the_end() -> None:
    with stage() as play:
        made = play.made
        for restarts in range(1, 6):  # the next one is then started two seconds later
            web, host = made.status()["web"]["pid"], made.web
            os.kill(host, signal.SIGKILL)
            if restarts < 5:
                wait_for(lambda: made.status()["web"]["restarts"] == restarts, "another web")  # noqa: B023
        wait_for(lambda: not kernel.state(host), "web to be reaped")
        play.say(f"orphan heir {web}")
        made.wait_out(f"heir {web}\n")
        assert made.stop() == 143
        assert play.hits() == [f"15 {web}"]


@pytest.mark.survives("an orphan with the pid that a former web had ends", "it was no web")
def test_the_end_of_an_orphan_with_a_former_webs_pid_is_not_webs() -> None:
    with stage() as play:
        made = play.made
        old = made.status()["web"]["pid"]
        os.kill(made.web, signal.SIGKILL)
        wait_for(lambda: made.status()["web"]["restarts"] == 1, "another web")
        web = made.status()["web"]
        (heir,) = play.order(f"orphan heir {old}", "heir")
        assert (heir["pid"], heir["adopted"]) == (old, True)
        play.end(heir)
        ends = [event for event in made.events("reaped") if event["process"]["pid"] == old]
        assert [event["origin"] for event in ends] == ["web", "adopted"]
        assert made.status()["web"] == web
        assert made.status()["adopted"] == {"total": 1, "alive": 0}


@pytest.mark.survives("a daemon's parent had the pid of an earlier parent", "it is not taken for that one")
def test_a_former_parent_is_not_an_earlier_process_with_its_pid() -> None:
    with stage() as play:
        made = play.made
        parent, kid = play.order("parent earlier", "earlier", "kid")
        look(made)
        play.end(parent)
        play.end(kid)
        play.order(f"daemon late {parent['pid']}", "late")
        (event,) = wait_for(
            lambda: [one for one in made.events("adopted") if one["process"]["name"] == "late"],
            "the daemon to be adopted",
        )
        assert event["former_parent"] in (
            None,
            {"id": None, "pid": parent["pid"], "name": None, "cmdline": None},
        )


@pytest.mark.survives("an orphan of main has the pid of a child that was there before initd", "it is main's")
def test_an_orphan_with_the_pid_of_a_child_that_was_there_before_us_is_mains() -> None:
    before = first("sh -c 'while [ ! -e go ]; do sleep 0.02; done' & echo $! >present")
    with stage(["--kill-orphans"], before) as play:
        made = play.made
        present = int((made.home / "present").read_text())
        wait_for(lambda: made.status()["adopted"] == {"total": 1, "alive": 1}, "the shell to be met")
        (made.home / "go").touch()
        wait_for(lambda: made.status()["adopted"]["alive"] == 0, "the shell to be gone")
        play.order(f"orphan late {present}", "late")
        sent = made.wait_event("signal.sent")
        assert (sent["source"], sent["process"]["pid"]) == ("orphan", present)
