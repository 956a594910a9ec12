"""Starting the real initd, as PID 1 of a PID namespace of its own or under one, and ending it.

Law of this file: whatever starts, finds, signals or ends a process for these tests is here, and
it asserts nothing about initd. A scene owns a directory of its own and ends with all its processes.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from . import kernel
from .client import DEADLINE, Answer, UnixConnection, accepts, ask, wait_for

INITD = str(Path(sys.executable).with_name("initd"))
PROGRAMS = Path(__file__).with_name("programs")
PYTHON = (sys.executable, "-I", "-S")
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


def program(name: str, *arguments: object) -> tuple[str, ...]:
    """The command line of one of our programs: ``crowd.py`` or ``storm.sh``."""
    runner = PYTHON if name.endswith(".py") else ("sh",)
    return (*runner, str(PROGRAMS / name), *map(str, arguments))


def first(script: str) -> tuple[str, ...]:
    """A shell that runs ``script`` and then becomes what follows, with the same pid."""
    return ("sh", "-c", f'{script}\nexec "$@"', "sh")


@dataclass
class Scene:
    """One running initd. ``init`` is its pid as the host sees it."""

    process: subprocess.Popen[bytes]
    home: Path
    pid1: bool

    @property
    def socket(self) -> Path:
        return self.home / "initd.sock"

    @property
    def init(self) -> int:
        return wait_for(self._find, "initd to be started")

    def _find(self) -> int | None:
        found = kernel.children(self.process.pid)
        if found and not self.pid1:
            found = kernel.children(found[0])
        return found[0] if found else None

    # --- what it printed

    def out(self) -> str:
        return (self.home / "stdout").read_text(errors="replace")

    def err(self) -> str:
        return (self.home / "stderr").read_text(errors="replace")

    def wait_out(self, text: str) -> None:
        wait_for(
            lambda: text in self.out(), lambda: f"{text!r} on standard output, not {self.out()[-500:]!r}"
        )

    def ready(self) -> None:
        """Wait for main's own word."""
        wait_for(lambda: "ready\n" in self.out(), lambda: f"main's ready; it said {self.out()[-500:]!r}")

    # --- HTTP

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = DEADLINE,
    ) -> Answer:
        if not self.socket.exists():
            wait_for(lambda: accepts(self.socket), "the socket to be listened on")
        return ask(UnixConnection(self.socket, timeout), method, path, body, headers)

    def tcp(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return ask(http.client.HTTPConnection("127.0.0.1", self.port, DEADLINE), method, path, body, headers)

    def listens(self) -> list[str]:
        """The TCP addresses that were really bound."""
        return [each["address"] for each in self.status()["listen"] if each["kind"] == "tcp"]

    @property
    def port(self) -> int:
        """The port of the first of them."""
        return int(self.listens()[0].rpartition(":")[2])

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json()

    def post(self, path: str, body: object = None, expect: int = 200) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status == expect, answer
        return answer.json()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/api/v1/status")
        return found

    def events(self, *kinds: str, after: int = 0) -> list[dict[str, Any]]:
        query = f"?after={after}&limit=2000" + (f"&kind={','.join(kinds)}" if kinds else "")
        found: list[dict[str, Any]] = self.get(f"/api/v1/events{query}")["events"]
        return found

    def wait_event(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The ``count``-th event of ``kind``, once there is one."""
        enough = wait_for(
            lambda: found if len(found := self.events(kind)) >= count else None, f"{count} events {kind}"
        )
        return enough[count - 1]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples ``name`` that have these labels; there must be one."""
        text = self.ask("GET", "/metrics", headers={"Accept": "text/plain"}).text
        samples = (s for family in text_string_to_metric_families(text) for s in family.samples)
        found = [s.value for s in samples if s.name == name and labels.items() <= s.labels.items()]
        assert found, f"no sample {name} {labels}"
        return sum(found)

    # --- processes

    def host(self, inner: int) -> int:
        """The host's pid of the process that has pid ``inner`` in the scene."""
        everyone = (self.init, *kernel.descendants(self.init))
        return next(pid for pid in everyone if kernel.inner(pid) == inner)

    @property
    def main(self) -> int:
        """The host's pid of main, by the API."""
        return self.host(self.status()["main"]["pid"])

    @property
    def web(self) -> int:
        """The host's pid of web, by the API."""
        return self.host(self.status()["web"]["pid"])

    def zombies(self) -> list[int]:
        return [pid for pid in kernel.descendants(self.init) if kernel.state(pid) == "Z"]

    def send(self, number: int) -> None:
        """Send to initd from outside its namespace, as a container engine does."""
        os.kill(self.init, number)

    def wait(self, deadline: float = DEADLINE) -> int:
        """The exit code of initd, which must end by itself."""
        return self.process.wait(deadline)

    def stop(self, number: int = signal.SIGTERM, deadline: float = DEADLINE) -> int:
        self.send(number)
        return self.wait(deadline)

    def kill(self) -> None:
        """End everything, whatever state it is in: a namespace dies with its PID 1, and unshare after it."""
        inside = kernel.children(self.process.pid)
        for pid in inside or [self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(DEADLINE)


def command_line(
    home: Path, main: Sequence[str], options: Sequence[str], listen: str | None, http: bool
) -> list[str]:
    """initd's own command line; unless told otherwise it has a unix socket and no TCP listener."""
    where = ["--socket", str(home / "initd.sock")] if http else ["--no-http"]
    if http and listen is not None:
        where += ["--listen", listen]
    return [INITD, *where, *options, "--", *main]


@contextmanager
def scene(
    *main: str,
    options: Sequence[str] = (),
    before: Sequence[str] = (),
    unshare: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    listen: str | None = "none",
    http: bool = True,
    pid1: bool = True,
    entry: Callable[[], None] | None = None,
    fds: Sequence[int] = (),
    home: Path | None = None,
    init: Sequence[str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Scene]:
    """initd in a PID namespace, around ``main``; ``before`` runs there first, ``entry`` before all.

    ``init`` is another init to compare with, such as ``("tini", "--")``.
    """
    place = home or Path(tempfile.mkdtemp(prefix="initd-test-"))
    outer = () if pid1 else program("outer.py", place / "left")
    called = [*init, *main] if init else command_line(place, main, options, listen, http)
    words = [*NAMESPACE, *unshare, *outer, *before, *called]
    with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
        process = subprocess.Popen(
            words,
            stdin=stdin,
            stdout=out,
            stderr=err,
            env={**ENVIRONMENT, **(env or {})},
            cwd=place,
            preexec_fn=entry,  # noqa: PLW1509  the tests have no threads
            pass_fds=fds,
            start_new_session=True,
        )
    made = Scene(process, place, pid1)
    try:
        yield made
    except BaseException:
        sys.stderr.write(f"{words}\nits standard error:\n{made.err()}")  # pytest shows it with the failure
        raise
    finally:
        made.kill()
        if home is None:
            shutil.rmtree(place)


def run(*main: str, options: Sequence[str] = (), http: bool = False, **rest: Any) -> tuple[int, str, str]:
    """Run ``main`` to its end under initd: exit code, standard output, standard error."""
    with scene(*main, options=options, http=http, **rest) as made:
        return made.wait(), made.out(), made.err()
