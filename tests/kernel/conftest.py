"""Scenes that several tests share because they change nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .harness import Scene, program, scene


@pytest.fixture(scope="module")
def caught() -> Iterator[Scene]:
    """An init around catcher.py."""
    with scene(*program("catcher.py")) as made:
        made.ready()
        yield made
