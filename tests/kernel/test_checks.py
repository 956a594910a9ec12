"""Checks of main by real connections, requests and commands: when it is ready, and what if it is sick."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from initd.procfs import parse_stat

from . import kernel
from .cgroup import limited
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


def readings(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


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
        assert "answered 503" in wait_probe(made, "/readyz", 503)
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
        assert failed["why"].endswith("did not answer within 2 s")
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
        assert (failed["check"], failed["why"]) == ("health-tcp", f"127.0.0.1:{port}: connection refused")
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


# --- commands -------------------------------------------------------------------------------------------


def test_the_event_of_a_failed_command_has_the_last_line_that_it_wrote() -> None:
    words = "sh -c 'echo one; echo no route to the database >&2; echo; exit 3'"
    with awake(["--ready-exec", words, *PATIENT]) as made:
        failed = made.wait_event("check.failed")
        assert (failed["check"], failed["why"]) == ("ready-exec", "exit code 3")
        assert failed["output"] == "no route to the database"
        assert "database" not in made.out() + made.err()


def test_a_command_finds_mains_world_without_its_input_and_sockets(tmp_path: Path) -> None:
    script = (
        "echo $(id -u) $(pwd) $(umask) $(readlink /proc/self/fd/0) [$NOTIFY_SOCKET$INITD_QUIET] $FOO; exit 1"
    )
    options = ["--user", "nobody", "--workdir", "/usr", "--umask", "077", "--notify", *PATIENT]
    env = {"INITD_READY_EXEC": f"sh -c '{script}'", "INITD_QUIET": "1", "FOO": "of main"}
    with (tmp_path / "input").open("wb+") as given, awake(options, env=env, stdin=given.fileno()) as made:
        assert made.wait_event("check.failed")["output"] == "65534 /usr 0077 /dev/null [] of main"


def test_a_command_has_no_descriptor_of_ours(tmp_path: Path) -> None:
    there = tmp_path / "fds"
    script = f"ls -l /proc/self/fd > {there}.new; mv {there}.new {there}"
    options = ["--ready-exec", f'sh -c "{script}"', *PATIENT]
    with awake(options, listen="127.0.0.1:0") as made:
        wait_for(there.exists, "the list")
        numbers = [line.split()[-3] for line in readings(there) if "->" in line]
        assert sorted(numbers) == ["0", "1", "2", "3"]  # 3 is the listing's own
        assert made.ask("GET", "/livez").status == 200


def test_commands_are_reaped_as_helpers_and_nobody_adopts_them() -> None:
    with awake(["--ready-exec", "true", "--health-exec", "false", *PATIENT]) as made:
        wait_for(lambda: made.metric("initd_reaped_total", origin="helper") >= 4, "some to be reaped")
        assert made.metric("initd_adoptions_total") == 0
        assert made.metric("initd_reaped_total", origin="adopted") == 0
        wait_for(lambda: not made.zombies(), "none to be left unreaped")


def test_a_command_that_takes_too_long_is_killed_with_all_it_started_and_never_runs_twice() -> None:
    started = "sh -c 'echo x >> starts; sleep 1000 & wait'"
    options = ["--ready-exec", started, "--ready-period", "20ms", "--ready-timeout", "300ms"]
    with awake(options) as made:

        def thrice() -> bool:
            sleeping = [pid for pid in kernel.descendants(made.init) if kernel.name(pid) == "sleep"]
            assert len(sleeping) <= 3, "main's, a check's, and that of one which was just killed"
            return len(readings(made.home / "starts")) >= 3

        wait_for(thrice, "three rounds")
        assert check(made, "ready-exec")["why"] == "it did not end within 0.3 s"
        assert len(made.events("check.failed")) == 1
        assert made.metric("initd_reaped_total", origin="helper", outcome="signaled") >= 2


@pytest.mark.parametrize("flood", ["yes", "sh -c 'yes >&2'", "cat /dev/zero"])
def test_a_command_that_prints_for_ever_costs_neither_memory_nor_time(flood: str) -> None:
    options = ["--ready-exec", flood, "--ready-period", "20ms", "--ready-timeout", "500ms"]
    with awake(options) as made:
        made.wait_event("check.failed")
        before = resident(made.init)
        wait_for(lambda: made.metric("initd_reaped_total", origin="helper") >= 4, "four floods")
        assert made.ask("GET", "/livez").text == "ok"
        assert resident(made.init) < before + 1024
        assert made.out() == "up\n"
        assert made.stop() == 128 + signal.SIGTERM


def test_a_command_that_prints_more_than_a_pipe_holds_is_not_held_up_by_that() -> None:
    with awake(["--ready-exec", "seq 100000", *PATIENT]) as made:
        wait_probe(made, "/readyz", 200)
        assert made.events("check.failed") == []


def test_a_command_that_closes_its_output_and_goes_on_costs_nothing() -> None:
    silent = "sh -c 'echo x >> starts; exec sleep 1000 >&- 2>&-'"
    options = ["--ready-exec", silent, "--ready-period", "20ms", "--ready-timeout", "500ms"]
    with awake(options) as made:
        wait_for(lambda: len(readings(made.home / "starts")) == 1, "the first round")
        before, began = busy(made.init), time.monotonic()
        wait_for(lambda: len(readings(made.home / "starts")) >= 5, "four more rounds")
        assert busy(made.init) - before < 0.2 * (time.monotonic() - began)


def busy(pid: int) -> float:
    """Seconds of processor time that it has used itself."""
    stat = parse_stat((kernel.PROC / str(pid) / "stat").read_bytes())
    return (stat.utime + stat.stime) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """In kB."""
    return int(kernel.status(pid)["VmRSS"].split()[0])


def test_a_daemon_that_a_command_leaves_behind_holds_nothing_up() -> None:
    leaving = "sh -c 'sleep 1000 & echo x >> starts'"  # it keeps the pipe open
    with awake(["--ready-exec", leaving, *PATIENT]) as made:
        wait_probe(made, "/readyz", 200)
        wait_for(lambda: len(readings(made.home / "starts")) >= 3, "three rounds")
        wait_for(lambda: made.metric("initd_adoptions_total") >= 3, "the daemons to be adopted")
        assert made.stop() == 128 + signal.SIGTERM


def test_while_pids_are_short_no_check_is_made_its_result_stands_and_that_is_said_once() -> None:
    options = ["--ready-exec", "sh -c 'echo x >> starts'", *PATIENT]
    with limited() as group, awake(options, entry=group.enter) as made:
        wait_probe(made, "/readyz", 200)
        group.limit(group.current + 1)  # a check that is being started is still borne
        wait_for(lambda: check(made, "ready-exec")["skipped"] >= 3, "rounds that are left out")
        before = len(readings(made.home / "starts"))
        skipped = check(made, "ready-exec")["skipped"]
        wait_for(lambda: check(made, "ready-exec")["skipped"] > skipped + 1, "more of them")
        assert len(readings(made.home / "starts")) == before
        assert check(made, "ready-exec")["passing"] is True
        assert made.ask("GET", "/readyz").status == 200
        assert made.events("fork.failed") == []
        assert made.err().count("cannot run --ready-exec: pids are short (") == 1
        group.limit("max")
        wait_for(lambda: len(readings(made.home / "starts")) > before, "checks to be made again")
