"""What a verb loads: a health check runs every few seconds, and only who wants a screen pays for one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.ctl.fake_api import Canned, Serve, of
from tests.ctl.test_verbs import STATUS
from tests.house.imports import ROOT

REPORT = "import sys; from web.ctl import main; main(); print(*sys.modules, file=sys.stderr)"
NEEDED = ("", ".check", ".client", ".errors", ".place", ".show", ".targets", ".verbs")
HEAVY = {"asyncio", "ctypes", "datetime", "email", "json", "shlex", "subprocess", "threading"}


def loaded(*words: str) -> set[str]:
    """The modules that are there when the verb is done; -S, so that they are no one else's."""
    command = [sys.executable, "-S", "-c", REPORT, *words]
    return set(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stderr.split())


def test_a_health_check_loads_no_more_than_it_needs(serve: Serve) -> None:
    serve({"GET /livez": Canned(body=b"ok", kind="text/plain")})
    found = loaded("check", "live")
    assert {name for name in found if name.startswith("web.")} == {f"web.ctl{name}" for name in NEEDED}
    assert {"initd", "initd.model"} <= found
    assert found & HEAVY == set()


@pytest.mark.parametrize("verb", ["status", "zombies"])
def test_no_other_verb_loads_what_top_and_the_labs_need(serve: Serve, verb: str) -> None:
    serve({"GET /api/v1/status": of(STATUS), "GET /api/v1/zombies": of({"total": 0, "culprits": []})})
    found = loaded(verb)
    assert "web.ctl.actions" in found
    late = ("textual", "rich", "asyncio", "ctypes", "threading", "web.ctl.top", "web.ctl.lab")
    assert {name for name in found if name.startswith(late)} == set()
