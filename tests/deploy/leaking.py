"""A container that leaks, as far as the kernel is concerned, and a Prometheus that watches it by our files.

Law of this file: it starts and ends things, and asks Prometheus; it asserts nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.deploy.files import PROMETHEUS, RULES, Json, document
from tests.kernel.cgroup import V2, Limited, limited
from tests.kernel.client import ask, free_port, wait_for
from tests.kernel.harness import PYTHON, Scene, scene

LEAKER = Path(__file__).with_name("programs") / "leaker.py"
MEMORY_V1 = V2 / "memory"
PIDS, MEMORY = 2000, 1 << 30  # far more than the scene needs: it is to show limits, not to meet them


@dataclass(frozen=True)
class Prometheus:
    """A running one, on loopback."""

    port: int
    pid: int

    def api(self, path: str, **parameters: str) -> Any:
        """``data`` of the answer; None while there is no answer, or another."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with suppress(OSError):
            answer = ask(connection, "GET", f"/api/v1/{path}?{urlencode(parameters)}")
            return answer.json()["data"] if answer.status == 200 else None
        return None

    def query(self, expression: str) -> list[Any]:
        """The samples of an instant query."""
        data = self.api("query", query=expression)
        return list(data["result"]) if data else []


@contextmanager
def prometheus(home: Path, target: str) -> Iterator[Prometheus]:
    """Configured by deploy/prometheus/prometheus.yml, but for ``target``, and looking every second."""
    configuration = document(PROMETHEUS)
    configuration["rule_files"] = [str(RULES)]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    with watching(home, configuration) as made:
        yield made


@contextmanager
def watching(home: Path, configuration: Json) -> Iterator[Prometheus]:
    """A Prometheus with this configuration, but that it looks every second."""
    configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    (home / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML
    port = free_port()
    words = [
        "prometheus",
        f"--config.file={home}/prometheus.yml",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (home / "prometheus.log").open("w") as log, subprocess.Popen(words, stderr=log) as process:
        try:
            yield Prometheus(port, process.pid)
        finally:
            process.terminate()


@contextmanager
def memory_limited(group: Limited) -> Iterator[Path]:
    """The same group's place in the memory controller, with a limit: on v2 it is the group itself."""
    if MEMORY_V1.is_dir():
        path, limit = MEMORY_V1 / group.path.name, "memory.limit_in_bytes"
        path.mkdir()
    else:
        (V2 / "cgroup.subtree_control").write_text("+memory")
        path, limit = group.path, "memory.max"
    (path / limit).write_text(str(MEMORY))
    try:
        yield path
    finally:
        if path != group.path:
            wait_for(lambda: not (path / "cgroup.procs").read_text(), "the memory group to be empty")
            path.rmdir()


@contextmanager
def leaking(listen: str = "127.0.0.1:0") -> Iterator[Scene]:
    """initd as PID 1 around leaker.py, in a control group with limits, with a check of main's health."""
    options = ["--restart", "always", "--health-exec", "true"]
    with limited() as group, memory_limited(group) as memory:

        def enter() -> None:
            group.enter()
            (memory / "cgroup.procs").write_text(str(os.getpid()))

        group.limit(PIDS)
        with scene(*PYTHON, str(LEAKER), options=options, listen=listen, entry=enter) as made:
            made.ready()
            os.kill(made.main, signal.SIGKILL)
            made.wait_event("main.started", 2)
            yield made


def meddle(made: Scene) -> None:
    """What people do to a container, some of it in vain."""
    made.post("/api/v1/main/signal", {"signal": "WINCH"})
    made.ask("GET", "/api/v1/processes/999999")
