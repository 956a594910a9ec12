"""Checks that are a command, as processes: their world, output and time, and room for them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from initd.procfs import parse_stat

from . import kernel
from .cgroup import limited
from .client import wait_for
from .test_checks import PATIENT, awake, check, wait_probe


def readings(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


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
        why = "it did not end within 0.3 s"  # or, where the machine is busy, for a while another
        wait_for(lambda: check(made, "ready-exec")["why"] == why, "the reason")
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
