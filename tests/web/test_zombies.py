"""/api/v1/zombies over real zombies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.web.fake_core import CONTROL, READ, FakeCore
from tests.web.fake_house import fake_house, get, own_state
from tests.web.rows import row
from tests.web.scene import scene
from tests.web.served import Web, served, wait_for
from web.api import zombies

PATH = "/api/v1/zombies"


def test_zombies_stand_under_the_parent_that_does_not_wait() -> None:
    code = """
dead = [zombie(text) for text in (b"git", b"git", b"ssh agent)")]
ready(dead=dead)
stay()
"""
    with scene(code) as child:
        body = get(fake_house(own_state(main=child["pid"])), zombies.show, PATH).json()
    (culprit,) = [c for c in body["culprits"] if c["process"] and c["process"]["pid"] == child["pid"]]
    assert culprit["count"] == 3
    assert culprit["names"] == ["git", "ssh agent)"]
    assert culprit["relation"] == "main"
    assert culprit["oldest_at"] >= culprit["process"]["started_at"]
    assert [zombie["pid"] for zombie in culprit["zombies"]] == child["dead"]
    assert culprit["why"]["code"] == "no_wait_seen"
    assert culprit["growth_per_minute"] is None
    assert body["total"] == sum(c["count"] for c in body["culprits"])
    assert body["taken_at"] >= culprit["oldest_at"]


def test_where_nobody_is_dead_nobody_is_blamed(tmp_path: Path) -> None:
    body = get(fake_house(own_state(), str(tmp_path)), zombies.show, PATH).json()
    assert (body["total"], body["culprits"]) == (0, [])


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)", "chld_ignored"),
        ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])", "chld_blocked"),
        ("import signal; signal.signal(signal.SIGCHLD, lambda *_: None)", "no_wait_seen"),
    ],
)
def test_why_a_real_parent_does_not_wait_is_read_from_its_masks(code: str, why: str) -> None:
    with scene(f"dead = zombie(b'git'); {code}; ready(); stay()") as child:
        found = _culprit(child["pid"])
    assert found["why"]["code"] == why


def test_a_parent_that_is_stopped_is_called_stopped() -> None:
    with scene("zombie(b'git'); ready(); stay()") as child:
        os.kill(child["pid"], signal.SIGSTOP)
        try:
            wait_for(lambda: _culprit(child["pid"])["why"]["code"] == "stopped", "the stop")
        finally:
            os.kill(child["pid"], signal.SIGCONT)


def _culprit(pid: int) -> dict[str, Any]:
    body = get(fake_house(own_state()), zombies.show, PATH).json()
    found: dict[str, Any]
    (found,) = [c for c in body["culprits"] if c["process"] and c["process"]["pid"] == pid]
    return found


# --- a nudge ----------------------------------------------------------------------------------------

LISTENS = """
import signal
dead = [zombie(b"git") for _ in range(3)]
def reap(*_):
    while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG): pass
signal.signal(signal.SIGCHLD, reap)
ready(dead=dead)
stay()
"""
DEAF = "dead = [zombie(b'git') for _ in range(2)]; ready(dead=dead); stay()"


class Signaller(FakeCore):
    """A core that really sends the signal it is asked for."""

    def on_signal(self, message: dict[str, Any]) -> dict[str, Any]:
        assert message["signal"] == "CHLD"
        os.kill(message["pid"], signal.SIGCHLD)
        return super().on_signal(message)


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as running:
        running.core.__class__ = Signaller
        yield running


def nudge(web: Web, pid: object, token: str = CONTROL) -> Any:
    return web.ask(f"{PATH}/{pid}/nudge", "POST", token=token)


def test_a_nudge_by_the_parent_s_id_or_a_zombie_s_makes_a_parent_wait_that_listens(web: Web) -> None:
    for by_zombie in (False, True):
        with scene(LISTENS) as child:
            answer = nudge(web, child["dead"][1] if by_zombie else child["pid"])
            body = answer.json()
            assert answer.status == 200
            assert body["process"]["pid"] == child["pid"]
            assert (body["before"], body["after"], body["helped"], body["signal"]) == (3, 0, True, "CHLD")
    sent = [event for event in web.core.events if event["kind"] == "signal.sent"]
    assert [event["by"]["role"] for event in sent] == ["control", "control"], "it is audited as any signal"


def test_a_nudge_that_does_not_help_says_so_after_a_second(web: Web) -> None:
    with scene(DEAF) as child:
        begin = time.monotonic()
        body = nudge(web, child["pid"]).json()
        assert time.monotonic() - begin >= sum(zombies.LOOKS)
    assert (body["before"], body["after"], body["helped"]) == (2, 2, False)


def test_once_all_are_gone_there_is_nothing_to_wait_for() -> None:
    looks = []

    async def snapshot() -> Any:
        looks.append(1)
        return SimpleNamespace(processes={20: row(20, 7, "git", "Z", starttime=99)})

    house: Any = SimpleNamespace(sampler=SimpleNamespace(snapshot=snapshot))
    dead = [row(20, 7, "git", "Z"), row(21, 7, "git", "Z")]
    assert asyncio.run(zombies._left(house, dead)) == 0  # noqa: SLF001  over HTTP it is only a matter of time
    assert len(looks) == 1


def test_who_has_no_zombies_is_not_nudged(web: Web) -> None:
    with scene("ready(); stay()") as child:
        answer = nudge(web, child["pid"])
        assert (answer.status, answer.json()["code"]) == (409, "wrong_state")
        assert nudge(web, f"{child['pid']}-1").json()["code"] == "reused_pid"
    assert nudge(web, child["pid"]).status == 404
    assert nudge(web, "x").status == 400
    assert all(question["what"] != "signal" for question in web.core.asked)


def test_a_nudge_takes_control(web: Web) -> None:
    assert nudge(web, os.getpid(), READ).status == 403
