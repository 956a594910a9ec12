"""Sieges, and kubelet who comes all the while: how hostile clients are made and what is measured meanwhile.

Law of this file: it makes, probes and measures; it asserts only what kubelet does: no three probes in a row
fail.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kernel.client import DEADLINE, wait_for
from tests.kernel.harness import PYTHON, Scene, first, program, scene

SIEGE = str(Path(__file__).with_name("programs") / "siege.py")
PATIENCE = 1.0  # kubelet's timeoutSeconds, unless told otherwise
FAILURES = 3  # and its failureThreshold
PROBE = (
    b"GET /livez HTTP/1.1\r\nHost: 10.0.0.7:9911\r\nUser-Agent: kube-probe/1.37\r\n"
    b"Accept: */*\r\nConnection: close\r\n\r\n"
)


@contextmanager
def fortress(*options: str) -> Iterator[Fortress]:
    """An initd that listens on loopback and a unix socket, with as many descriptors as is usual."""
    few = first("ulimit -n 1024")
    with scene(*program("catcher.py"), options=options, listen="127.0.0.1:0", before=few) as made:
        made.ready()
        yield Fortress(made, made.web, made.port)


@dataclass
class Fortress:
    """An initd, its web and the port."""

    made: Scene
    web: int
    port: int

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.web}/fd"))

    @property
    def memory(self) -> float:
        """Resident, in MB."""
        lines = Path(f"/proc/{self.web}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    def probe(self) -> float | None:
        """Seconds until a fresh connection has its answer in full; None where kubelet would fail it."""
        begun = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock:
                sock.sendall(PROBE)
                answer = b""
                while piece := sock.recv(4_096):
                    answer += piece
                    sock.settimeout(max(0.001, begun + PATIENCE - time.monotonic()))
        except OSError:
            return None
        return time.monotonic() - begun if answer.startswith(b"HTTP/1.1 200 ") else None

    def probes(self, count: int) -> list[float]:
        """So many; never do three in a row fail."""
        took: list[float] = []
        failed = 0
        for _ in range(count):
            seconds = self.probe()
            failed = 0 if seconds is not None else failed + 1
            assert failed < FAILURES, f"kubelet would have killed this container after {len(took)} probes"
            took += [seconds] if seconds is not None else []
            time.sleep(0.01)
        return took

    @contextmanager
    def besieged(self, how: str, count: int, pace: float, unix: bool = False) -> Iterator[Counter[str]]:
        """By ``count`` connections, once all have been opened; what came of them is told at the end."""
        outcome: Counter[str] = Counter()
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100
        armies = -(-count // most)
        where = str(self.made.socket if unix else self.port)
        with ExitStack() as camp:
            each = [str(count // armies), str(pace / armies), how]
            besiegers = [camp.enter_context(_besieger(where, *each)) for _ in range(armies)]
            for besieger in besiegers:
                assert besieger.stdout is not None
                assert besieger.stdout.readline() == b"ready\n"
            yield outcome
            for besieger in besiegers:
                told: dict[str, Any] = json.loads(besieger.communicate(timeout=DEADLINE)[0])
                outcome.update(told.pop("statuses"))
                outcome.update(told)

    def peace(self, before: int) -> None:
        """Wait until web holds no more descriptors than ``before``, but for one that is at work."""
        wait_for(lambda: self.descriptors <= before + 2, f"web to hold {before} descriptors, as before")


@contextmanager
def _besieger(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    process = subprocess.Popen((*PYTHON, SIEGE, *words), stdin=pipe, stdout=pipe, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def milliseconds(took: list[float]) -> str:
    """As a figure: p50, p99 and the worst."""
    ordered = sorted(took)
    worst, middle, high = ordered[-1], ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"p50 {middle * 1000:.1f}, p99 {high * 1000:.1f}, max {worst * 1000:.1f} ms"
