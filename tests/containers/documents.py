"""The commands of docs/containers.md, run to the letter: `docker` is this room's podman.

Law of this file: what differs from a reader's machine is said here: whose docker it is, and where wheels are.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from tests.containers.engine import Engine
from tests.containers.wheels import wheelhouse
from tests.house.imports import ROOT

PAGE = ROOT / "docs/containers.md"
DOCKER = """#!/bin/sh
verb=$1
shift
[ "$verb" = build ] && set -- {build} "$@"
exec {podman} "$verb" "$@"
"""


def blocks(language: str) -> list[str]:
    """The page's blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def build_options() -> list[str]:
    """Wheels from a directory and no network at all. OCI's own format has no HEALTHCHECK."""
    pip = ["--build-arg", "PIP_NO_INDEX=1", "--build-arg", "PIP_FIND_LINKS=/wheels"]
    return ["--format", "docker", "--network", "none", "--volume", f"{wheelhouse()}:/wheels:ro", *pip]


def shell(engine: Engine, block: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a block of the page; the first of its lines that fails ends it."""
    place = engine.home / "bin"
    place.mkdir(exist_ok=True)
    docker = place / "docker"
    docker.write_text(DOCKER.format(build=shlex.join(build_options()), podman=shlex.join(engine.podman)))
    docker.chmod(0o755)
    environ = {**engine.environ, "PATH": f"{place}:{engine.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-ec", block], env=environ, cwd=cwd, capture_output=True, check=False, text=True, timeout=300
    )
