"""How main ends: by the API, by force, and what happens to what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import kernel
from .client import wait_for
from .harness import Scene, program, scene

MAIN = "/api/v1/main"


@contextmanager
def leaving_behind(file: str, *options: str, **rest: Any) -> Iterator[Scene]:
    """A main whose orphan treats TERM as stubborn.py says for ``file``."""
    with scene(*program("stubborn.py", file, "orphan"), options=options, **rest) as made:
        made.ready()
        made.wait_out("stubborn")
        yield made


def end_main(made: Scene) -> float:
    """Let main exit with 5; the moment."""
    (pid,) = re.findall(r"^main (\d+)$", made.out(), re.MULTILINE)
    os.kill(made.host(int(pid)), signal.SIGUSR1)
    return time.monotonic()


def test_what_main_leaves_gets_term_before_we_exit_with_mains_code(tmp_path: Path) -> None:
    with leaving_behind(str(tmp_path / "told"), http=False) as made:
        end_main(made)
        assert made.wait() == 5
        assert (tmp_path / "told").read_text() == "TERM"


def test_what_ignores_term_is_killed_after_the_sweep_timeout() -> None:
    for pid1 in (True, False):
        with leaving_behind("-", "--sweep-timeout", "1s", http=False, pid1=pid1) as made:
            begun = end_main(made)
            assert made.wait() == 5
            assert 1 <= time.monotonic() - begun < 9
            assert pid1 or (made.home / "left").read_text() == ""


def test_sweep_timeout_0_tells_nobody_and_does_not_wait(tmp_path: Path) -> None:
    with leaving_behind(str(tmp_path / "told"), "--sweep-timeout", "0", http=False) as made:
        begun = end_main(made)
        assert made.wait() == 5
        assert time.monotonic() - begun < 0.9
        assert not (tmp_path / "told").exists()


def test_a_second_term_ends_the_sweep() -> None:
    with leaving_behind("-", "--sweep-timeout", "10m") as made:
        made.send(signal.SIGTERM)
        made.wait_event("main.exited")
        assert made.ask("GET", "/readyz").status == 503
        begun = time.monotonic()
        assert made.stop() == 143
        assert time.monotonic() - begun < 5


def test_a_deep_tree_is_swept_to_its_last_leaf() -> None:
    """Killed parents hand over children: one pass over the list is not enough."""
    for pid1 in (True, False):
        options = ["--sweep-timeout", "300ms"]
        with scene(*program("deep.py", 30), options=options, http=False, pid1=pid1) as made:
            assert made.wait() == 3
            assert pid1 or (made.home / "left").read_text() == ""


def test_api_stop_ends_main_and_we_stay() -> None:
    with scene(*program("catcher.py", signal.SIGTERM.value), options=["--restart", "always"]) as made:
        made.ready()
        operation = made.post(f"{MAIN}/stop?wait=30")
        assert (operation["action"], operation["state"]) == ("stop", "done")
        main = made.status()["main"]
        assert (main["state"], main["pid"], main["last_exit"]["code"]) == ("stopped", None, 0)
        assert made.ask("GET", "/livez").status == 200
        assert made.ask("GET", "/readyz").status == 503
        assert made.metric("initd_main_up") == 0
        assert made.metric("initd_main_state", state="stopped") == 1
        assert made.events("main.stopped")


def test_api_stop_then_term_ends_us_with_mains_last_code() -> None:
    with scene(*program("catcher.py", signal.SIGTERM.value)) as made:
        made.ready()
        made.post(f"{MAIN}/stop?wait=30")
        assert made.stop() == 0


def test_api_start_after_stop_brings_main_and_readiness_back() -> None:
    with scene(*program("catcher.py", signal.SIGTERM.value)) as made:
        made.ready()
        before = made.status()["main"]["id"]
        made.post(f"{MAIN}/stop?wait=30")
        assert made.post(f"{MAIN}/start?wait=30")["state"] == "done"
        main = made.status()["main"]
        assert main["state"] == "running"
        assert main["id"] != before
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "readyz")


def test_api_restart_works_under_every_policy_and_is_counted_as_api() -> None:
    for policy in ("no", "on-failure:1", "always"):
        with scene(*program("catcher.py", signal.SIGTERM.value), options=["--restart", policy]) as made:
            made.ready()
            before = made.status()["main"]["id"]
            assert made.post(f"{MAIN}/restart?wait=30")["state"] == "done"
            main = made.status()["main"]
            assert (main["state"], main["restarts"]) == ("running", 1)
            assert main["id"] != before
            assert made.metric("initd_main_restarts_total", reason="api") == 1
            assert made.metric("initd_main_restarts_total", reason="exit") == 0


def test_stop_signal_is_what_the_api_sends() -> None:
    main = program("catcher.py", signal.SIGUSR2.value)
    with scene(*main, options=["--stop-signal", "USR2"]) as made:
        made.ready()
        made.post(f"{MAIN}/stop?wait=30")
        assert made.out().splitlines() == ["ready", str(int(signal.SIGUSR2))]
        assert made.metric("initd_signals_total", signal="USR2", source="stop") == 1


def test_a_main_that_ignores_the_stop_signal_is_killed_with_its_group() -> None:
    main = program("stubborn.py", "-", "child")
    with scene(*main, options=["--stop-timeout", "500ms"]) as made:
        wait_for(lambda: made.out().count("stubborn") == 2, "both of them")
        leader = made.main
        (child,) = kernel.children(leader)
        begun = time.monotonic()
        assert made.post(f"{MAIN}/stop?wait=30")["state"] == "done"
        assert 0.5 <= time.monotonic() - begun < 5
        assert made.status()["main"]["last_exit"]["signal"] == "KILL"
        wait_for(lambda: not kernel.state(child), "the child in main's group to be gone")


def test_a_restart_that_takes_longer_than_the_wait_answers_504_and_goes_on() -> None:
    with scene(*program("stubborn.py", "-"), options=["--stop-timeout", "3s"]) as made:
        made.ready()
        before = made.status()["main"]["id"]
        answer = made.ask("POST", f"{MAIN}/restart?wait=1")
        assert (answer.status, answer.json()["code"]) == (504, "outcome_unknown")
        operation = answer.json()["operation"]
        path = f"/api/v1/operations/{operation['id']}"
        wait_for(lambda: made.get(path)["state"] == "done", "the operation")
        assert made.status()["main"]["id"] != before


def test_shutdown_by_the_api_ends_main_and_us() -> None:
    with scene(*program("catcher.py", signal.SIGTERM.value), options=["--restart", "always"]) as made:
        made.ready()
        made.post("/api/v1/shutdown", expect=202)
        assert made.wait() == 0
        assert made.out().splitlines() == ["ready", "15"]


def test_drain_takes_readiness_away_and_nothing_else() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        assert made.ask("GET", "/readyz").status == 200
        assert made.ask("POST", "/api/v1/drain").status in (200, 202)
        assert made.ask("GET", "/readyz").status == 503
        assert made.ask("GET", "/livez").status == 200
        assert made.metric("initd_ready") == 0
        assert made.status()["main"]["state"] == "running"
        assert len(made.events("drain")) == 1


def test_with_drain_a_term_is_held_back_while_readiness_is_gone() -> None:
    with scene(*program("catcher.py", signal.SIGTERM.value), options=["--drain", "700ms"]) as made:
        made.ready()
        assert made.ask("GET", "/readyz").status == 200  # web is up: what follows is quick
        begun = time.monotonic()
        made.send(signal.SIGTERM)
        wait_for(lambda: made.ask("GET", "/readyz").status == 503, "readyz to say no")
        assert made.out() == "ready\n"
        assert made.wait() == 0
        assert time.monotonic() - begun >= 0.7
