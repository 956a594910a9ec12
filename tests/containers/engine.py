"""podman and buildah with a storage, a network and a configuration of their own; containers that go away.

Law of this file: whatever makes or ends an image or a container for these tests is here, below one directory;
it asserts nothing about initd.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.kernel.client import DEADLINE, Answer, ask, free_port, wait_for

# The limits: podman asks for more than a machine may allow. runc: crun refuses hybrid control groups.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
# The base that the Dockerfile asks for is the one made here: no registry is ever asked.
REGISTRIES = """
unqualified-search-registries = []
[aliases]
"python" = "localhost/python"
"initd" = "localhost/initd"
"""
BASE = "localhost/python:3.11-slim-bookworm"
IMAGE = "localhost/initd:latest"


class Engine:
    """One private installation, below ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "containers.conf").write_text(CONFIGURATION)
        (home / "registries.conf").write_text(REGISTRIES)
        self.environ = {
            **os.environ,
            "CONTAINERS_CONF": str(home / "containers.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(home / "registries.conf"),
        }
        store = ["--root", str(home / "storage"), "--runroot", str(home / "run")]
        networks = ["--tmpdir", str(home / "tmp"), "--network-config-dir", str(home / "networks")]
        self.buildah = ["buildah", *store]
        self.podman = ["podman", *store, *networks]

    def command(self, *words: object) -> list[str]:
        """A command line of podman."""
        return [*self.podman, *map(str, words)]

    def run(self, *words: object, check: bool = True, timeout: float = 120) -> str:
        """What podman says to these words."""
        return self.perform(self.command(*words), check, timeout).stdout

    def perform(
        self, words: list[str], check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line of this engine to its end."""
        about: dict[str, Any] = {
            "env": self.environ,
            "cwd": self.home,
            "timeout": timeout,
        }  # conmon drops files there
        done = subprocess.run(words, capture_output=True, check=False, text=True, **about)
        assert done.returncode == 0 or not check, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def inspect(self, name: str) -> dict[str, Any]:
        """All that podman knows of an image or a container."""
        (known,) = json.loads(self.run("inspect", name))
        return dict(known)

    @contextmanager
    def container(self, *words: object, image: str = IMAGE, options: str = "") -> Iterator[Container]:
        """Start ``words`` in the background, in ``image``; its port 9911 is published on loopback."""
        port = free_port()
        about = ["--detach", "--publish", f"127.0.0.1:{port}:9911", *options.split()]
        made = Container(self, self.run("run", *about, image, *words).strip(), port)
        try:
            yield made
        except BaseException:
            print(f"its output:\n{made.logs()}")  # pytest shows it with the failure
            raise
        finally:
            self.run("rm", "--force", "--time", "0", made.name)

    def clear(self) -> None:
        """Remove every container, image and network, and unmount what they had mounted."""
        self.run("rm", "--all", "--force", "--time", "0", check=False)
        self.run("rmi", "--all", "--force", check=False)
        shutil.rmtree(self.home)


@dataclass(frozen=True)
class Container:
    """One running container, and what can be asked of it."""

    engine: Engine
    name: str
    port: int

    def exec(self, *words: object, check: bool = True) -> str:
        return self.engine.run("exec", self.name, *words, check=check)

    def logs(self) -> str:
        done = self.engine.perform(self.engine.command("logs", self.name), check=False)
        return done.stdout + done.stderr

    def state(self) -> dict[str, Any]:
        return dict(self.engine.inspect(self.name)["State"])

    @property
    def init(self) -> int:
        """The pid of its PID 1, as the host has it."""
        return int(self.state()["Pid"])

    def get(self, path: str) -> Answer:
        """An answer over the published port; raises OSError while nobody answers."""
        return ask(HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE), "GET", path)

    def ready(self) -> None:
        """Wait until main runs and HTTP says so."""
        wait_for(self._is_ready, lambda: f"a ready container; it said {self.logs()!r}")

    def _is_ready(self) -> bool:
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def api(self, path: str) -> Any:
        """JSON, asked inside by the socket that is for root."""
        return json.loads(self.exec("python3", "-c", ASK, path))

    def metric(self, name: str) -> float:
        """The first sample that is called so, labels and all."""
        lines = self.get("/metrics").text.splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))

    def stop(self, grace: int = 10) -> int:
        """Stop it as an orchestrator does, and give its exit code."""
        self.engine.run("stop", "--time", grace, self.name)
        return int(self.state()["ExitCode"])


ASK = """
import http.client, socket, sys
asked = http.client.HTTPConnection("localhost")
asked.sock = socket.socket(socket.AF_UNIX)
asked.sock.connect("/run/initd.sock")
asked.request("GET", sys.argv[1])
answer = asked.getresponse()
sys.stdout.write(answer.read().decode())
sys.exit(answer.status != 200)
"""
