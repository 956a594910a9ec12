"""One web process for all tests that only ask; whoever changes more than the history starts its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.served import Web, served


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with served() as running:
        yield running
