"""A party as PID 1 of a namespace of its own, around one of our programs; and what the kernel says of it.

Law of this file: starting, finding and ending processes, and reading /proc; nothing is judged here. Times are
the programs' own (CLOCK_MONOTONIC, which is the same in every namespace), and come through one pipe.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

DEADLINE = 60.0  # seconds for anything that is waited for: a loaded machine is slow, a broken one is for ever
PROC = Path("/proc")


class Stage:
    """``command`` runs as PID 1; ``plain`` runs it in the namespaces that we are in."""

    def __init__(
        self,
        programs: Path,
        home: Path,
        command: list[str],
        environ: Mapping[str, str],
        *,
        plain: bool = False,
    ) -> None:
        self.home = home
        pipe = home / "pipe"
        if not pipe.exists():
            os.mkfifo(pipe)
        self._fd = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._heard = b""
        where = {"PATH": os.environ["PATH"], "BENCH_PIPE": str(pipe)}
        self._process = subprocess.Popen(
            [str(programs / "arena"), *command],
            env={**where, **environ, **({"BENCH_PLAIN": "1"} if plain else {})},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(home / "stderr").open("wb"),
            start_new_session=True,
        )

    def wait(self, what: str) -> int:
        """The number that comes with the next ``what``; nanoseconds, mostly. What comes before is dropped."""
        deadline = time.monotonic() + DEADLINE
        while True:
            line, newline, rest = self._heard.partition(b"\n")
            if newline:
                self._heard = rest
                name, number = line.decode().split()
                if name == what:
                    return int(number)
            elif select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self._heard += os.read(self._fd, 65_536)
            else:
                said = (self.home / "stderr").read_text(errors="replace")
                raise TimeoutError(f"no {what} of {self._process.args!r}; it said {said[-500:]!r}")

    @property
    def socket(self) -> Path:
        """Where initd answers, if it is initd."""
        return self.home / "initd.sock"

    @property
    def init(self) -> int:
        """The host's pid of PID 1."""
        return children(self._process.pid)[0]

    def main(self, program: str) -> int:
        """The host's pid of the program, at whatever depth below PID 1 a supervisor has put it."""
        return next(pid for pid in below(self.init) if program_of(pid) == program)

    def settle(self) -> None:
        """Wait until PID 1 has nothing more to do, but a look now and then."""
        deadline = time.monotonic() + DEADLINE
        before = -1
        while (now := cpu(self.init)) - before > 500_000 and time.monotonic() < deadline:
            before = now
            time.sleep(0.1)

    def end(self) -> None:
        """Whatever state it is in: a namespace dies with its PID 1."""
        for pid in children(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(DEADLINE)
        os.close(self._fd)


def children(pid: int) -> list[int]:
    """The children of its first thread; none when it is gone."""
    try:
        return [int(word) for word in (PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def below(pid: int) -> Iterable[int]:
    """Everyone below it, parents first."""
    for child in children(pid):
        yield child
        yield from below(child)


def program_of(pid: int) -> str:
    """The file name of the program that it runs."""
    try:
        return (PROC / f"{pid}/exe").readlink().name
    except (FileNotFoundError, ProcessLookupError):
        return ""


def zombies(pid: int) -> int:
    """How many of its children have ended and are not reaped."""
    found = 0
    for child in children(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += b") Z " in (PROC / f"{child}/stat").read_bytes()
    return found


def cpu(*pids: int) -> int:
    """Nanoseconds on a core, of all their threads; /proc/PID/stat would say it in hundredths of a second."""
    files = [file for pid in pids for file in (PROC / f"{pid}/task").glob("*/schedstat")]
    return sum(int(file.read_text().split()[0]) for file in files)


def switches(pid: int) -> int:
    """How often its threads were given a core."""
    texts = [file.read_text() for file in (PROC / f"{pid}/task").glob("*/status")]
    lines = (line for text in texts for line in text.splitlines())
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)


def resident(group: Iterable[int]) -> dict[int, int]:
    """Bytes of each process, where a page that it shares is divided by those of ``group`` that map its file.

    The kernel's own PSS divides by everybody on the machine, so that it is small where many pythons run: in
    a container they do not.
    """
    maps = {pid: _maps(pid) for pid in group}
    return {
        pid: sum(
            private + shared // sum(file in other for other in maps.values())
            for file, (private, shared) in mine.items()
        )
        for pid, mine in maps.items()
    }


def _maps(pid: int) -> dict[str, tuple[int, int]]:
    """Private and shared bytes by file; what has none is under a name that nobody else has."""
    found: dict[str, tuple[int, int]] = {}
    file = ""
    for line in (PROC / f"{pid}/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and ":" not in words[0]:
            path = words[5] if len(words) > 5 else ""
            file = path if path.startswith("/") else f"{pid} {path}"
        elif words[0].startswith(("Private_", "Shared_")) and words[-1] == "kB":
            private, shared = found.get(file, (0, 0))
            size = int(words[1]) * 1024
            mine = words[0].startswith("Private_") and words[0] != "Private_Hugetlb:"
            found[file] = (private + size, shared) if mine else (private, shared + size)
    return found
