"""One web process for all tests that only ask; whoever changes more than the history starts its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.authority import Authority
from tests.web.served import Web, served


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs certificates for the tests of a file."""
    return Authority(tmp_path_factory.mktemp("authority"))
