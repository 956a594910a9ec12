"""What every test of initctl needs: an environment without INITD_…, and a fake API on a unix socket."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ctl.fake_api import Answers, FakeApi, on_unix


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("INITD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], FakeApi]]:
    """Call it with answers: from then on initctl finds them, without a word, at INITD_SOCKET."""
    with ExitStack() as stack:

        def start(answers: Answers) -> FakeApi:
            path = tmp_path / "initd.sock"
            monkeypatch.setenv("INITD_SOCKET", str(path))
            return stack.enter_context(on_unix(path, answers))

        yield start
