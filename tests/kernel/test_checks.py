"""Checks of main by real connections, requests and commands: when it is ready, and what if it is sick."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from .client import free_port, wait_for
from .harness import Scene, program, run, scene

SOON = ("--ready-period", "50ms", "--health-period", "50ms")
# Of a busy machine a healthy main must not be called sick: only those that wait for a failure are impatient.
PATIENT = (*SOON, "--ready-timeout", "10s", "--health-timeout", "10s")
HOURS = ("sh", "-c", "echo up; exec sleep 1000")


@contextmanager
def awake(options: Sequence[str], **rest: Any) -> Iterator[Scene]:
    """A main that is up, and does nothing."""
    with scene(*HOURS, options=options, **rest) as made:
        made.wait_out("up")
        yield made


@contextmanager
def serving(port: int, *late: str, options: Sequence[str]) -> Iterator[Scene]:
    """A main that serves, or will; server.py."""
    with scene(*program("server.py", port, *late), options=options) as made:
        made.ready()
        yield made


def check(made: Scene, name: str) -> dict[str, Any]:
    """One of main's checks, as the status has it."""
    return next(each for each in made.status()["main"]["checks"] if each["name"] == name)


def wait_check(made: Scene, name: str, passing: bool | None) -> dict[str, Any]:
    wait_for(lambda: check(made, name)["passing"] is passing, f"{name} to be {passing}")
    return check(made, name)


def wait_probe(made: Scene, path: str, status: int) -> str:
    """The body of a probe, once it answers with this status."""
    wait_for(lambda: made.ask("GET", path).status == status, f"{path} to answer {status}")
    return made.ask("GET", path).text


# --- readiness ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["tcp", "http", "exec"])
def test_main_is_ready_once_it_passes_and_every_window_says_so(how: str) -> None:
    port, name = free_port(), f"ready-{how}"
    target = {"tcp": f"{port}", "http": f"{port}/health", "exec": "test -e go"}[how]
    why = "exit code 1" if how == "exec" else "connection refused"
    with serving(port, "late", options=[f"--{name}", target, *PATIENT]) as made:
        assert why in wait_check(made, name, False)["why"]
        assert f"[-]{name} failed: " in wait_probe(made, "/readyz?verbose", 503)
        assert "[-]started failed: main has not become ready yet" in wait_probe(made, "/startupz", 503)
        assert made.status()["ready"] is False
        assert made.metric("initd_health_check_passing", check=name) == 0
        assert made.events("main.ready") == []
        (made.home / "go").touch()
        assert f"[+]{name} ok" in wait_probe(made, "/readyz?verbose", 200)
        assert made.ask("GET", "/startupz").status == 200
        seen = check(made, name)
        assert (seen["passing"], seen["failures"], seen["why"]) == (True, 0, None)
        assert seen["checked_at"] > made.status()["main"]["started_at"]
        assert made.metric("initd_health_check_passing", check=name) == 1
        kinds = ("check.failed", "check.passed", "main.ready")
        assert [event["kind"] for event in made.events(*kinds)] == list(kinds)
        failed, passed = made.events("check.failed", "check.passed")
        assert (failed["check"], passed["check"]) == (name, name)
        assert why in failed["why"]
        assert made.status()["main"]["restarts"] == 0


def test_a_ready_main_that_answers_503_is_not_ready_until_it_recovers() -> None:
    port = free_port()
    options = ["--ready-http", f"http://127.0.0.1:{port}/health", *PATIENT]
    with serving(port, options=options) as made:
        wait_probe(made, "/readyz", 200)
        (made.home / "sick").touch()
        assert "status 503" in wait_probe(made, "/readyz", 503)
        assert check(made, "ready-http")["failures"] >= 3
        assert made.ask("GET", "/startupz").status == 200
        (made.home / "sick").unlink()
        wait_probe(made, "/readyz", 200)
        assert len(made.events("main.ready")) == 1
        assert made.status()["main"]["restarts"] == 0


def test_what_web_found_stands_while_another_web_is_started() -> None:
    port = free_port()
    with serving(port, options=["--ready-tcp", f"{port}", *PATIENT]) as made:
        wait_probe(made, "/readyz", 200)
        os.kill(made.web, signal.SIGKILL)
        wait_for(lambda: made.status()["web"]["restarts"] == 1, "another web")
        assert made.ask("GET", "/readyz").status == 200
        before = check(made, "ready-tcp")["checked_at"]
        wait_for(lambda: check(made, "ready-tcp")["checked_at"] > before, "a round by the new web")
        assert [event["kind"] for event in made.events("check.failed", "check.passed")].count(
            "check.passed"
        ) == 1


# --- health ---------------------------------------------------------------------------------------------


def test_a_main_that_hangs_is_restarted_for_its_health() -> None:
    port = free_port()
    options = [
        *("--health-http", f"{port}/", "--health-period", "50ms", "--health-timeout", "2s"),
        *("--health-failures", "1", "--health-grace", "2s", "--stop-timeout", "200ms"),
    ]
    with serving(port, options=options) as made:
        wait_check(made, "health-http", True)
        first = made.status()["main"]["pid"]
        os.kill(made.main, signal.SIGSTOP)
        wait_for(lambda: made.status()["main"]["pid"] not in (None, first), "another main")
        assert made.metric("initd_main_restarts_total", reason="health") >= 1
        failed = made.wait_event("check.failed")
        assert (failed["check"], failed["output"]) == ("health-http", None)
        assert failed["why"].endswith("no answer within 2 s")
        assert made.status()["main"]["last_exit"]["signal"] == "KILL"  # a stopped one has no ears for TERM
        assert "main failed --health-http 1 times" in made.err()
        wait_check(made, "health-http", True)


def test_a_main_that_hangs_still_accepts_connections_and_so_a_tcp_check_passes() -> None:
    port = free_port()
    options = [
        *("--ready-tcp", f"{port}", "--ready-period", "50ms", "--ready-timeout", "10s"),
        *("--health-http", f"{port}/", "--health-period", "50ms", "--health-timeout", "1s"),
        *("--health-failures", "1", "--health-action", "none"),
    ]
    with serving(port, options=options) as made:
        wait_probe(made, "/readyz", 200)
        main = made.main
        os.kill(main, signal.SIGSTOP)
        assert "[-]health-http failed: " in wait_probe(made, "/readyz", 503)
        before = check(made, "ready-tcp")["checked_at"]
        wait_for(lambda: check(made, "ready-tcp")["checked_at"] > before, "another round")
        assert check(made, "ready-tcp")["passing"] is True
        assert made.metric("initd_health_check_passing", check="health-http") == 0
        assert made.metric("initd_health_check_passing", check="ready-tcp") == 1
        os.kill(main, signal.SIGCONT)
        wait_probe(made, "/readyz", 200)
        assert made.status()["main"]["restarts"] == 0


def test_a_main_that_listens_no_more_is_restarted() -> None:
    port = free_port()
    with serving(port, options=["--health-tcp", f"{port}", *PATIENT]) as made:
        wait_check(made, "health-tcp", True)
        (made.home / "deaf").touch()
        failed = made.wait_event("check.failed")
        (made.home / "deaf").unlink()
        assert (failed["check"], failed["why"]) == ("health-tcp", "connection refused")
        wait_for(lambda: made.metric("initd_main_restarts_total", reason="health") >= 1, "the restart")
        wait_check(made, "health-tcp", True)


def test_a_grace_longer_than_its_start_keeps_a_slow_main_alive() -> None:
    port = free_port()
    options = ["--health-tcp", f"{port}", *PATIENT, "--health-grace", "1h"]
    with serving(port, "late", options=options) as made:
        first = wait_for(lambda: check(made, "health-tcp")["checked_at"], "a round")
        wait_for(lambda: check(made, "health-tcp")["checked_at"] > first, "another one")
        seen = check(made, "health-tcp")
        assert (seen["passing"], seen["failures"]) == (None, 0)
        assert made.ask("GET", "/readyz").status == 200
        (made.home / "go").touch()
        wait_check(made, "health-tcp", True)
        assert made.status()["main"]["restarts"] == 0


def test_with_action_shutdown_a_sick_main_ends_the_init_with_its_code() -> None:
    options = ["--health-exec", "false", *PATIENT, "--health-action", "shutdown", "--restart", "always"]
    code, out, error = run(
        "sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done", options=options
    )
    assert (code, out) == (7, "up\n"), error
    assert "(exit code 1): shutting down" in error


def test_without_web_a_sick_main_is_restarted_as_well() -> None:
    options = ["--health-exec", "false", *PATIENT, "--ready-exec", "true"]
    with awake(options, http=False) as made:
        wait_for(lambda: made.out().count("up") >= 3, "two restarts")
        assert "main failed --health-exec 3 times (exit code 1) and is restarted" in made.err()
        assert made.stop() == 128 + signal.SIGTERM
