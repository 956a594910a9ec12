"""What all tests stand on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# A shell that runs us in the background, and nohup, have us ignore these, and ignored is what children get:
# then main could not be stopped by them.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

_SURVIVED: list[dict[str, Any]] = []


@pytest.fixture
def figures() -> dict[str, object]:
    """What a test of survival measures, by name: ``figures["back after"] = "0.6 s"``.

    ``make reliability`` writes it into docs/reliability.md.
    """
    return {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep what was survived, and with which figures."""
    report = yield
    mark = item.get_closest_marker("survives")
    if mark is not None and call.when == "call" and call.excinfo is None:
        fault, kept = mark.args
        measured = getattr(item, "funcargs", {}).get("figures", {})
        _SURVIVED.append({"test": item.nodeid, "fault": fault, "kept": kept, "figures": measured})
    return report


def pytest_sessionfinish() -> None:
    if place := os.environ.get("INITD_TEST_FIGURES"):
        Path(place).write_text(json.dumps(_SURVIVED))
