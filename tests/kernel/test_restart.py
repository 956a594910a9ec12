"""Restart policies: when main comes back, how soon, when we give up, and what the history says."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from . import kernel
from .client import wait_for
from .harness import first, program, run, scene


def runs(out: str) -> int:
    return out.count("run\n")


def test_without_a_policy_main_runs_once() -> None:
    code, out, _ = run("sh", "-c", "echo run; exit 9")
    assert (code, runs(out)) == (9, 1)


def test_on_failure_gives_up_after_n_restarts_with_the_last_code() -> None:
    begun = time.monotonic()
    code, out, _ = run("sh", "-c", "echo run; exit 9", options=["--restart", "on-failure:2"])
    assert (code, runs(out)) == (9, 3)
    assert time.monotonic() - begun > 1.5, "backoff of 0.5 s and then of 1 s"


def test_on_failure_leaves_a_success_alone() -> None:
    code, out, _ = run("sh", "-c", "echo run", options=["--restart", "on-failure"])
    assert (code, runs(out)) == (0, 1)


def test_on_failure_takes_death_by_signal_for_a_failure() -> None:
    code, out, _ = run("sh", "-c", "echo run; kill -9 $$", options=["--restart", "on-failure:1"])
    assert (code, runs(out)) == (137, 2)


def test_an_expected_code_is_no_failure() -> None:
    code, out, _ = run("sh", "-c", "echo run; exit 9", options=["--restart", "on-failure", "-e", "9"])
    assert (code, runs(out)) == (0, 1)


def test_always_starts_main_again_whatever_it_said() -> None:
    with scene("sh", "-c", "echo run; exit 0", options=["--restart", "always"], http=False) as made:
        wait_for(lambda: runs(made.out()) >= 2, "a second run")


def test_a_main_that_cannot_be_started_at_first_is_not_retried() -> None:
    """A typing error must show at once, not after a backoff."""
    assert run("/nonexistent/program", options=["--restart", "always"])[0] == 127


def test_a_main_that_vanishes_is_retried_and_comes_back(tmp_path: Path) -> None:
    script = tmp_path / "main"

    def install() -> None:
        script.write_text("#!/bin/sh\necho run\nmv $0 $0.away\n")
        script.chmod(0o755)

    install()
    with scene(str(script), options=["--restart", "always"]) as made:
        made.wait_event("main.backoff", 2)
        assert runs(made.out()) == 1
        install()
        wait_for(lambda: runs(made.out()) == 2, "the second run")


def test_backoff_doubles_and_every_step_is_in_the_history() -> None:
    with scene("sh", "-c", "exit 7", options=["--restart", "on-failure"]) as made:
        made.wait_event("main.backoff", 3)
        events = made.events("main.started", "main.exited", "main.backoff")[:9]
        assert [event["kind"] for event in events] == ["main.started", "main.exited", "main.backoff"] * 3
        delays = [event["delay_seconds"] for event in events if event["kind"] == "main.backoff"]
        assert 0.5 <= delays[0] < 1 <= delays[1] < 2 <= delays[2] < 4
        assert [event["code"] for event in events if event["kind"] == "main.exited"] == [7, 7, 7]
        main = made.status()["main"]
        assert main["state"] in ("backoff", "running")
        assert main["restarts"] >= 2
        assert main["last_exit"]["code"] == 7
        assert made.metric("initd_main_restarts_total", reason="exit") == main["restarts"]
        assert made.metric("initd_main_last_exit_code") == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stopping_signal_during_backoff_ends_us_with_mains_last_code(number: signal.Signals) -> None:
    with scene("sh", "-c", "exit 7", options=["--restart", "always"]) as made:
        made.wait_event("main.backoff", 3)  # two seconds: long enough to be hit
        begun = time.monotonic()
        assert made.stop(number) == 7
        assert time.monotonic() - begun < 1.5


def test_after_term_main_is_not_started_again_under_always() -> None:
    main = program("catcher.py", signal.SIGTERM.value)
    with scene(*main, options=["--restart", "always"], http=False) as made:
        made.ready()
        assert made.stop() == 0
        assert made.out().count("ready") == 1


def test_last_exit_keeps_the_true_code_where_it_is_expected() -> None:
    with scene("sh", "-c", "exit 9", options=["--restart", "always", "-e", "9"]) as made:
        made.wait_event("main.backoff")
        assert made.status()["main"]["last_exit"]["code"] == 9
        assert made.metric("initd_main_last_exit_code") == 9
        assert made.stop() == 0


def test_a_main_killed_by_a_signal_is_told_so_in_status_and_history() -> None:
    with scene(*program("catcher.py"), options=["--restart", "always"]) as made:
        made.ready()
        first = made.status()["main"]
        os.kill(made.host(first["pid"]), signal.SIGKILL)
        exited = made.wait_event("main.exited")
        assert (exited["process"]["id"], exited["code"], exited["signal"]) == (first["id"], None, "KILL")
        wait_for(lambda: made.status()["main"]["state"] == "running", "main to run again")
        main = made.status()["main"]
        assert main["id"] != first["id"]
        assert (main["restarts"], main["last_exit"]["code"], main["last_exit"]["signal"]) == (1, None, "KILL")
        assert made.metric("initd_reaped_total", origin="main", outcome="signaled") == 1


def test_a_set_up_of_ours_that_fails_at_a_restart_is_125_as_at_the_start(tmp_path: Path) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    options = ["--restart", "on-failure:1", "--workdir", str(place)]
    code, _, error = run("sh", "-c", f"rmdir {place}; exit 4", options=options)
    assert code == 125
    assert f"--workdir {place} failed: No such file or directory" in error


def test_a_user_with_too_many_processes_is_waited_for_and_named() -> None:
    crowd = "for i in 1 2 3 4; do setpriv --reuid 23458 --clear-groups sleep 1000 & done"
    options = ["--user", "23458", "--rlimit", "nproc=3"]
    with scene("sleep", "1000", options=options, before=first(crowd)) as made:
        failed = made.wait_event("fork.failed")
        assert (failed["limit"], failed["unit"]) == ("nproc", "main")
        assert "cannot run 'sleep': its user has too many processes" in made.err()
        for pid in kernel.children(made.init):
            if kernel.name(pid) == "sleep":
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: made.status()["main"]["state"] == "running", "main to run")
