"""Where initd is to be found under the other names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .parties import links_in


@pytest.fixture(scope="session")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with links_in(tmp_path_factory.mktemp("links")) as home:
        yield home
