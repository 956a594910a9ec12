"""``-it`` and not: what a person types, and what comes back."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.containers.engine import IMAGE, Engine
from tests.kernel.client import DEADLINE, wait_for

CTRL_C, CTRL_Z = "\x03", "\x1a"
LISTENS = "trap 'echo got INT; exit 5' INT; tty; echo ready; while :; do sleep 0.1; done"


@dataclass
class Terminal:
    """The end of a terminal that a person is at, and the container at its other end."""

    process: subprocess.Popen[bytes]
    end: int
    seen: str = ""

    def type(self, keys: str) -> None:
        os.write(self.end, keys.encode())

    def read(self, text: str) -> str:
        """Read until this text; what was read, with it."""
        wait_for(lambda: self._read(text), lambda: f"{text!r} on the terminal, not {self.seen!r}")
        read, _, self.seen = self.seen.partition(text)
        return read

    def _read(self, text: str) -> bool:
        if text not in self.seen and select.select([self.end], [], [], 0.1)[0]:
            self.seen += os.read(self.end, 65536).decode()
        return text in self.seen


@contextmanager
def on_a_terminal(engine: Engine, *words: str) -> Iterator[Terminal]:
    person, theirs = os.openpty()
    command = engine.command("run", "--rm", "-it", IMAGE, *words)
    with subprocess.Popen(command, env=engine.environ, stdin=theirs, stdout=theirs) as process:
        try:
            yield Terminal(process, person)
        finally:
            process.kill()
            os.close(theirs)
            os.close(person)


def test_without_a_terminal_main_says_what_it_says_and_ends_as_it_ends(engine: Engine) -> None:
    words = engine.command("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; read line || exit 3")
    done = engine.perform(words, check=False)
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert "err\n" in done.stderr


def test_keys_reach_main_and_its_exit_code_comes_back(engine: Engine) -> None:
    with on_a_terminal(engine, "sh", "-c", LISTENS) as terminal:
        assert "/dev/pts/0" in terminal.read("ready")
        terminal.type(CTRL_C)
        terminal.read("got INT")
        assert terminal.process.wait(DEADLINE) == 5


def test_a_shell_has_job_control(engine: Engine) -> None:
    with on_a_terminal(engine, "bash", "--norc") as terminal:
        terminal.type("sh -c 'echo g\"\"o; exec sleep 1000'\n")
        terminal.read("\ngo")
        terminal.type(CTRL_Z)
        terminal.read("Stopped")
        terminal.type("fg\n")
        terminal.read("exec sleep 1000'")
        terminal.read("exec sleep 1000'")
        terminal.type(CTRL_C)
        terminal.type("exit 4\n")
        assert terminal.process.wait(DEADLINE) == 4
