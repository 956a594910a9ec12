"""One engine and one image for all tests of this room: made the way docs/containers.md makes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import base
from tests.containers.documents import blocks, shell
from tests.containers.engine import BASE, Engine


@pytest.fixture(scope="session")
def bare() -> Iterator[Engine]:
    """An engine that has the base image, and nothing else."""
    # podman warns of a path that is long, and pytest's are.
    engine = Engine(Path(tempfile.mkdtemp(prefix="initd-", dir="/tmp")))
    try:
        base.make(engine.home / "base.tar")
        engine.run("import", "--quiet", engine.home / "base.tar", BASE)
        yield engine
    finally:
        engine.clear()


@pytest.fixture(scope="session")
def engine(bare: Engine) -> Engine:
    """An engine that has the image too."""
    done = shell(bare, blocks("sh")[0])
    assert done.returncode == 0, done.stdout + done.stderr
    return bare
