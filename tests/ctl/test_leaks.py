"""Zombies, nudges and lineage against canned answers, and what status says of checks and of room."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.ctl.fake_api import Serve, of, problem
from tests.ctl.test_verbs import GIT, STATUS, run
from web.ctl.errors import OK, REFUSED

WORKER = GIT | {"id": "40-1", "pid": 40, "name": "worker"}
UNKNOWN = {"orphans": 0, "alive": 0, "dead": 0, "median_lifetime_seconds": None}


def test_zombies_names_the_parent_that_does_not_wait(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    culprit = {"process": WORKER, "count": 9237, "oldest_at": None, "names": ["git", "sh"]}
    serve({"GET /api/v1/zombies": of({"total": 9237, "culprits": [culprit]})})
    code, out, _ = run(capsys, "zombies")
    assert code == OK
    assert out.splitlines()[1].split() == ["9237", "-", "-", "worker", "40", "git,", "sh"]
    assert len(out.splitlines()) == 2


def test_zombies_says_how_fast_they_grow_and_why_nobody_waits(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    why = {"code": "chld_ignored", "detail": "worker(40) blocks SIGCHLD"}
    known = {"process": WORKER, "count": 2, "names": ["git"], "growth_per_minute": 3.25, "why": why}
    hidden = {"process": None, "count": 1, "names": ["sh"], "growth_per_minute": None, "why": None}
    serve({"GET /api/v1/zombies": of({"total": 3, "culprits": [known, hidden]})})
    _, out, _ = run(capsys, "zombies")
    _, first, second, sentence = out.splitlines()
    assert first.split() == ["2", "-", "+3.2/min", "worker", "40", "git"]
    assert second.split() == ["1", "-", "-", "-", "-", "sh"]
    assert sentence == "worker(40) blocks SIGCHLD"


def test_zombies_says_so_when_there_are_none(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve({"GET /api/v1/zombies": of({"total": 0, "culprits": []})})
    assert run(capsys, "zombies")[:2] == (OK, "no zombies\n")


@pytest.mark.parametrize(
    ("after", "helped", "said"), [(0, True, "it helped"), (40, False, "it did not help")]
)
def test_a_nudge_says_whether_it_helped(
    serve: Serve, capsys: pytest.CaptureFixture[str], after: int, helped: bool, said: str
) -> None:
    done = {"process": WORKER, "signal": "CHLD", "before": 40, "after": after, "helped": helped}
    serve({"POST /api/v1/zombies/42-18372/nudge": of(done)})
    code, out, _ = run(capsys, "nudge", "42-18372")
    assert (code, out) == (OK, f"sent CHLD to worker(40): {said}, 40 zombies before, {after} after\n")


def test_a_nudge_where_there_is_no_zombie_is_refused(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve({"POST /api/v1/zombies/42/nudge": problem(409, "wrong_state", "Wrong state", "cannot nudge 42")})
    code, _, err = run(capsys, "nudge", "42")
    assert (code, err) == (REFUSED, "initctl: cannot nudge 42 (Wrong state, 409 wrong_state)\n")


def test_lineage_is_by_former_parent_and_says_how_much_is_not_known(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = {
        "name": "worker",
        "cmdline": "worker -x",
        "last": {"id": "40-1", "pid": 40},
        "parents": 3,
        "orphans": 12,
        "alive": 2,
        "dead": 10,
        "median_lifetime_seconds": 61.5,
        "how": {"seen": 9, "inferred": 3},
    }
    unknown = UNKNOWN | {"orphans": 5, "dead": 5}
    subreapers = [{"id": "9-1", "pid": 9, "name": "tini"}]
    serve(
        {
            "GET /api/v1/lineage": of(
                {"former_parents": [worker], "unknown": unknown, "subreapers": subreapers}
            )
        }
    )
    code, out, _ = run(capsys, "lineage")
    assert code == OK
    _, known, rest, nearer = out.splitlines()
    assert known.split() == ["12", "2", "10", "1m1s", "9", "3", "worker(40)", "worker", "-x"]
    assert rest.split() == ["5", "0", "5", "-", "-", "-", "(not", "known)"]
    assert nearer == "subreapers nearer than initd: tini(9)"


def test_lineage_says_so_when_there_are_no_orphans(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve({"GET /api/v1/lineage": of({"former_parents": [], "unknown": UNKNOWN, "subreapers": []})})
    assert run(capsys, "lineage")[:2] == (OK, "no orphans\n")


def status_lines(serve: Serve, capsys: pytest.CaptureFixture[str], **more: Any) -> list[str]:
    status = copy.deepcopy(STATUS)
    for key, value in more.items():
        status[key] |= value
    serve({"GET /api/v1/status": of(status)})
    code, out, _ = run(capsys, "status")
    assert code == OK
    return out.splitlines()


def test_status_shows_checks_the_hook_that_runs_and_what_main_says(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [
        {"name": "ready-tcp", "passing": True, "failures": 0, "why": None, "checked_at": None},
        {"name": "health-exec", "passing": False, "failures": 3, "why": "exit code 1", "checked_at": None},
        {"name": "ready-http", "passing": None, "failures": 0, "why": None, "checked_at": None},
    ]
    lines = status_lines(
        serve, capsys, main={"checks": checks, "hook": "pre-start", "reloading": True, "status_text": "warm"}
    )
    assert "says       warm" in lines
    assert "check      ready-tcp passing" in lines
    assert "check      health-exec failing, 3 times: exit code 1" in lines
    assert "check      ready-http not known yet" in lines
    assert lines[1].startswith("main       running, its pre-start runs, reloading, pid 7")


def test_status_says_that_main_was_killed_for_memory(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    last = {"code": None, "signal": "KILL", "at": None, "oom": True}
    lines = status_lines(serve, capsys, main={"last_exit": last})
    assert "last exit: signal KILL (killed for memory)" in lines[1]


def test_status_says_when_the_house_will_be_full(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    pids = {"current": 812, "max": 1024, "growth_per_minute": 2.5, "minutes_until_full": 84.8}
    assert "pids       812 of 1024, +2.5/min, full in 1h24m at this rate" in status_lines(
        serve, capsys, pids=pids
    )


def test_status_of_an_observer_has_no_main(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    nobody: dict[str, Any] = {"state": "stopped", "pid": None, "argv": [], "last_exit": None}
    lines = status_lines(serve, capsys, init={"role": "observer"}, main=nobody)
    assert lines[1] == "main       none: initd only observes"
    assert not [line for line in lines if line.startswith("command")]
