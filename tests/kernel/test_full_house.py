"""No process can be made any more: the one window that still opens is ours."""

from __future__ import annotations

import os
import signal

import pytest

from .cgroup import limited
from .client import wait_for
from .harness import INITD, PYTHON, first, program, scene

# A shell that waits without forking until the file "go" is there, and then becomes initd.
WAITING = ("sh", "-c", 'echo in place; until [ -e go ]; do :; done; exec "$@"', "sh")


def test_when_no_process_can_be_made_http_still_answers_and_signals_go_out() -> None:
    """The leak that people find with ps: main does not wait, and the limit is reached."""
    with (
        limited() as group,
        scene(*program("zombies.py", 40), entry=group.enter, listen="127.0.0.1:0") as made,
    ):
        made.ready()
        port = made.port
        group.limit(group.current)
        assert made.tcp("GET", "/livez").text == "ok"
        status = made.status()
        assert status["zombies"] == 40
        assert {name: status["pids"][name] for name in ("current", "max")} == {
            "current": group.current,
            "max": group.current,
        }
        (culprit,) = made.get("/api/v1/zombies")["culprits"]
        assert (culprit["process"]["id"], culprit["count"]) == (status["main"]["id"], 40)
        assert (
            made.metric("initd_cgroup_pids_current") == made.metric("initd_cgroup_pids_max") == group.current
        )
        assert made.ask("GET", "/api/v1/tree").status == made.ask("GET", "/readyz").status == 200
        made.post("/api/v1/main/signal", {"signal": "USR1"})
        made.wait_out("reaped")
        wait_for(lambda: made.status()["zombies"] == 0, "the leak to be gone")
        assert made.port == port


def test_a_main_that_cannot_be_forked_is_retried_until_there_is_room() -> None:
    with (
        limited() as group,
        scene(
            *program("catcher.py"),
            entry=group.enter,
            before=first(group.as_in_a_container),
            options=["--restart", "on-failure:1"],
        ) as made,
    ):
        made.ready()
        main = made.main
        group.limit(1)
        os.kill(main, signal.SIGKILL)
        failed = made.wait_event("fork.failed", 2)
        assert failed["unit"] == "main"
        assert " of 1" in failed["room"]
        assert failed["room"] in made.err()
        assert made.ask("GET", "/livez").status == 200
        assert made.ask("GET", "/readyz").status == 503
        group.limit("max")
        wait_for(lambda: made.status()["main"]["state"] == "running", "main to be back")


def test_a_web_that_cannot_be_forked_comes_back_when_there_is_room() -> None:
    with limited() as group, scene(*program("catcher.py"), entry=group.enter) as made:
        made.ready()
        web = made.web
        group.limit(1)
        os.kill(web, signal.SIGKILL)
        wait_for(lambda: "cannot start web" in made.err(), "a word about it")
        group.limit("max")
        assert made.status()["main"]["restarts"] == 0
        assert made.events("fork.failed")


@pytest.mark.parametrize("call", [(INITD,), (PYTHON[0], "-I", "-m", "initd")], ids=["script", "direct"])
def test_at_the_limit_from_the_start_main_is_tried_again(call: tuple[str, ...]) -> None:
    call = (*call, "--no-http", "--")
    with (
        limited() as group,
        scene("sh", "-c", "echo ready; exit 4", init=call, entry=group.enter, before=WAITING) as made,
    ):
        made.wait_out("in place")
        group.limit(1)
        (made.home / "go").touch()
        told = "cannot run 'sh': no process can be made: Resource temporarily unavailable (pids 2 of 1"
        wait_for(lambda: told in made.err(), "a word about it, with the numbers")
        group.limit("max")
        made.ready()
        assert made.wait() == 4


def test_free_pids_are_known_where_proc_hides_processes_from_web() -> None:
    hidden = first("mount -t proc -o remount,hidepid=2 proc /proc")
    options = ["--ready-free-pids", "20"]
    with (
        limited() as group,
        scene(*program("catcher.py"), options=options, entry=group.enter, before=hidden) as made,
    ):
        made.ready()
        group.limit(group.current + 100)
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "it to be ready")
        group.limit(group.current + 10)
        wait_for(lambda: made.ask("GET", "/readyz").status == 503, "it to be unready")
        assert "[-]pids failed: pids " in made.ask("GET", "/readyz").text
