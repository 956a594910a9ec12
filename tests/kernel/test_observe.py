"""initd --observe: beside somebody else's PID 1 it supervises nothing, and shows what it sees."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from . import kernel
from .client import wait_for
from .harness import INITD, Scene, program, scene
from .test_lineage import kill, look, named

# PID 1 becomes a sleep, which waits for nobody: what people run without an init.
STRANGER = f"""
{INITD} --observe --socket initd.sock --listen none &
"$@" &
exec sleep 3600
"""


@contextmanager
def observed(*beside: str) -> Iterator[Scene]:
    """A container that has no init of ours, with ``beside`` in it and an observer."""
    init = ("sh", "-c", STRANGER, "sh")
    with scene(*beside, init=init) as made:
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "the observer")
        yield made


def observer(made: Scene) -> int:
    """Its pid, as the host sees it."""
    return made.host(made.status()["init"]["pid"])


def test_it_is_ready_without_a_main_and_says_what_it_is() -> None:
    with observed("sleep", "3600") as made:
        assert made.ask("GET", "/livez").text == "ok"
        assert made.ask("GET", "/startupz").text == "ok"
        status = made.status()
        assert (status["init"]["role"], status["main"]["state"], status["main"]["pid"]) == (
            "observer",
            "stopped",
            None,
        )
        assert made.metric("initd_init_info", role="observer") == 1
        assert made.metric("initd_main_up") == 0


def test_it_shows_the_whole_namespace_with_its_own_init_at_the_top() -> None:
    with observed("sh", "-c", "sleep 3599 & wait") as made:
        roots = made.get("/api/v1/tree")["roots"]
        assert [(root["pid"], root["name"]) for root in roots] == [(1, "sleep")]
        names = {child["name"] for child in roots[0]["children"]}
        assert {"initd", "sh"} <= names
        assert named(made, "initd")["adopted"] is False


def test_zombies_that_a_foreign_init_does_not_wait_for_are_its_fault() -> None:
    with observed("sh", "-c", "(sh -c 'exit 3' & exec sh -c 'exit 0') ; exec sleep 3598") as made:
        culprits = wait_for(
            lambda: [c for c in made.get("/api/v1/zombies")["culprits"] if c["relation"] == "init"],
            "zombies of pid 1",
        )
        assert culprits[0]["process"]["pid"] == 1
        assert culprits[0]["why"]["code"] == "init"
        wait_for(lambda: made.metric("initd_zombies", parent="init") >= 1, "the metric")
        assert made.wait_event("zombie.found")["culprit"]["pid"] == 1


def test_an_orphan_that_the_foreign_init_takes_is_reparented_and_keeps_its_former_parent() -> None:
    with observed(*program("family.py", "worker")) as made:
        worker, kid = named(made, "worker"), named(made, "kid")
        look(made)
        kill(made, worker)
        event = made.wait_event("reparented")
        assert (event["process"]["id"], event["former_parent"]["id"], event["new_parent"]["pid"]) == (
            kid["id"],
            worker["id"],
            1,
        )
        after = named(made, "kid")
        assert (after["adopted"], after["former_parent"]["name"]) == (True, "worker")
        assert made.events("adopted") == []


@pytest.mark.parametrize("action", ["main/restart", "main/start", "main/stop", "main/signal", "drain"])
def test_what_is_about_main_is_refused_with_the_reason(action: str) -> None:
    with observed("sleep", "3600") as made:
        body = {"signal": "TERM"} if action == "main/signal" else None
        answer = made.ask("POST", f"/api/v1/{action}", body)
        assert (answer.status, answer.json()["code"]) == (409, "wrong_state")


def test_other_peoples_processes_are_not_signalled() -> None:
    with observed("sleep", "3597") as made:
        victim = next(p for p in made.get("/api/v1/processes?name=sleep")["processes"] if p["pid"] != 1)
        answer = made.ask("POST", f"/api/v1/processes/{victim['id']}/signal", {"signal": "TERM"})
        assert answer.status in (403, 409)
        assert kernel.state(made.host(victim["pid"])) == "S"


@pytest.mark.parametrize("how", ["signal", "shutdown"])
def test_its_end_touches_nobody(how: str) -> None:
    with observed("sleep", "3596") as made:
        others = {pid for pid in kernel.descendants(made.init) if kernel.name(pid) == "sleep"}
        watcher = observer(made)
        if how == "signal":
            os.kill(watcher, signal.SIGTERM)
        else:
            made.post("/api/v1/shutdown", expect=202)
        wait_for(lambda: kernel.state(watcher) in ("Z", ""), "its end")
        assert all(kernel.state(pid) == "S" for pid in others)


def test_as_pid_1_it_says_that_nobody_is_here() -> None:
    with scene(init=(INITD, "--observe", "--socket", "initd.sock", "--listen", "none")) as made:
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "the observer")
        assert made.status()["init"]["role"] == "observer"
        assert "nobody is here to observe" in made.err()
        assert made.stop() == 0
