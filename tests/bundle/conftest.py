"""One bundle and one of each root for all tests of this room."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.bundle.__main__ import make
from scripts.bundle.layout import Layout
from tests.bundle import roots


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A directory with a short path, for the sake of unix sockets; gone at the end."""
    found = Path(tempfile.mkdtemp(prefix="initd-bundle-"))
    yield found
    shutil.rmtree(found)


@pytest.fixture(scope="session")
def bundle(place: Path) -> Layout:
    """The bundle, as `make bundle` makes it."""
    return make(place)


@pytest.fixture(scope="session", params=roots.ROOTS)
def root(request: pytest.FixtureRequest, place: Path, bundle: Layout) -> Path:
    """Each root file system in turn."""
    kind: str = request.param
    return roots.make(kind, place / kind, bundle)


@pytest.fixture(scope="session")
def empty(place: Path, bundle: Layout) -> Path:
    """The one with nothing in it, for what does not differ."""
    return roots.make("nothing", place / "empty", bundle)
