"""What initd's own exit code says: main's code, 128 + N for signal N, 127, 126, 125."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from . import kernel
from .harness import program, run, scene

FATAL = sorted(
    int(number)
    for number in signal.valid_signals()
    - {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}  # ignored by default
    - {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}  # these stop
)


@pytest.mark.parametrize(
    "code", [0, 1, 2, 3, 41, 99, 100, 124, 125, 126, 127, 128, 129, 137, 143, 200, 254, 255]
)
def test_the_exit_code_of_main_is_ours(code: int) -> None:
    assert run("sh", "-c", f"exit {code}")[:2] == (code, "")


def test_the_exit_code_of_main_is_ours_without_being_pid_1() -> None:
    assert run("sh", "-c", "exit 41", pid1=False)[:2] == (41, "")


@pytest.mark.parametrize("number", FATAL)
def test_main_killed_by_a_signal_gives_128_and_its_number(number: int) -> None:
    assert run("sh", "-c", f"kill -{number} $$; echo alive")[:2] == (128 + number, "")


def test_main_killed_from_outside_by_kill_gives_137() -> None:
    with scene(*program("catcher.py"), http=False) as made:
        made.ready()
        os.kill(kernel.children(made.init)[0], signal.SIGKILL)
        assert made.wait() == 137


@pytest.mark.parametrize("code", ["9", "0", "255"])
def test_an_expected_code_becomes_0_and_others_stay(code: str) -> None:
    assert run("sh", "-c", f"exit {code}", options=["-e", "9", "--expect-exit=255"])[0] == 0
    assert run("sh", "-c", "exit 8", options=["-e", "9", "--expect-exit=255"])[0] == 8


def test_an_expected_143_makes_a_stop_by_term_a_success() -> None:
    with scene(*program("catcher.py"), http=False, options=["-e", "137"]) as made:
        made.ready()
        os.kill(kernel.children(made.init)[0], signal.SIGKILL)
        assert made.wait() == 0


def one_cannot(error: str) -> str:
    """The only line, which must begin so."""
    (line,) = error.splitlines()
    assert line.startswith("cannot "), error
    return line


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize("command", ["no-such-program-anywhere", "/nonexistent/program", "./missing", ""])
def test_a_command_that_is_not_found_gives_127_and_its_name(command: str, http: bool) -> None:
    code, _, error = run(command, http=http)
    assert code == 127
    assert command in one_cannot(error)


def test_a_script_whose_interpreter_is_missing_gives_127(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/nonexistent/interpreter\n")
    script.chmod(0o755)
    code, _, error = run(str(script))
    assert code == 127
    assert str(script) in one_cannot(error)


def test_a_file_that_may_not_be_executed_gives_126(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    code, _, error = run(str(script))
    assert code == 126
    assert str(script) in one_cannot(error)


def test_a_directory_gives_126(tmp_path: Path) -> None:
    code, _, error = run(str(tmp_path))
    assert code == 126
    assert str(tmp_path) in one_cannot(error)


def test_a_file_in_path_that_may_not_be_executed_gives_126(tmp_path: Path) -> None:
    (tmp_path / "a-tool").write_text("#!/bin/sh\n")
    code, _, error = run("a-tool", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert code == 126
    assert "a-tool" in one_cannot(error)
