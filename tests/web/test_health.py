"""web.health: the probes, in the words that kubelet's users know."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.served import Web, served
from web.health import Check, render

FINE, BROKEN = Check("main", True, ""), Check("pids", False, "9 of 9 used")


@pytest.fixture
def own() -> Iterator[Web]:
    with served() as running:
        yield running


def check(name: str, ok: bool, why: str, *purposes: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "why": why, "for": list(purposes)}


@pytest.mark.parametrize(
    ("checks", "excluded", "verbose", "status", "text"),
    [
        ([FINE], [], False, 200, "ok"),
        ([FINE], [], True, 200, "[+]main ok\nreadyz check passed\n"),
        ([FINE, BROKEN], [], True, 503, "[+]main ok\n[-]pids failed: 9 of 9 used\nreadyz check failed\n"),
        ([FINE, BROKEN], [], False, 503, "[+]main ok\n[-]pids failed: 9 of 9 used\nreadyz check failed\n"),
        ([FINE, BROKEN], ["pids"], False, 200, "ok"),
        ([FINE, BROKEN], ["pids"], True, 200, "[+]main ok\n[+]pids excluded: ok\nreadyz check passed\n"),
        ([FINE], ["nonsense"], False, 200, "ok"),
        ([], [], True, 200, "readyz check passed\n"),
    ],
)
def test_an_answer_is_ok_or_says_what_failed(
    checks: list[Check], excluded: list[str], verbose: bool, status: int, text: str
) -> None:
    assert render("readyz", checks, excluded, verbose) == (status, text)


def test_each_probe_counts_the_checks_that_are_for_it(own: Web) -> None:
    own.core.checks = [
        check("started", False, "not yet", "startup"),
        check("main", False, "it stops", "ready"),
    ]
    assert own.ask("/livez").text == own.ask("/healthz").text == "ok"
    assert own.ask("/startupz").text == "[+]core ok\n[-]started failed: not yet\nstartupz check failed\n"
    assert own.ask("/readyz").text == "[+]core ok\n[-]main failed: it stops\nreadyz check failed\n"
    assert own.ask("/healthz?verbose").text == "[+]core ok\nhealthz check passed\n"
    own.core.checks = [check("watchdog", False, "stale", "live", "ready")]
    assert (own.ask("/livez").status, own.ask("/readyz").status, own.ask("/startupz").status) == (
        503,
        503,
        200,
    )


def test_checks_are_left_out_by_name(own: Web) -> None:
    own.core.checks = [check("a", False, "x", "ready"), check("b", False, "y", "ready")]
    assert own.ask("/readyz?exclude=a").status == 503
    assert own.ask("/readyz?exclude=a&exclude=b").status == 200
    assert own.ask("/readyz?exclude=nonsense&exclude=&verbose=0").status == 503


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz", "/startupz"])
def test_a_core_that_does_not_answer_fails_every_probe_within_a_second(own: Web, path: str) -> None:
    own.core.silent = True
    begin = time.monotonic()
    answer = own.ask(path)
    assert 0.4 < time.monotonic() - begin < 1.0
    assert answer.status == 503
    assert answer.text.startswith("[-]core failed: cannot reach the init: no answer within 0.5 s\n")
    assert own.ask(path, "HEAD").status == 503
    own.core.silent = False
    assert own.ask(path).status == 200


def test_probes_at_once_share_one_round_trip(own: Web) -> None:
    own.core.silent = True
    probes = [threading.Thread(target=own.ask, args=("/livez",)) for _ in range(10)]
    for probe in probes:
        probe.start()
    for probe in probes:
        probe.join()
    assert sum(question["what"] == "ping" for question in own.core.asked) < 5


def test_a_probe_is_never_cached(web: Web) -> None:
    assert web.ask("/livez").headers["Cache-Control"] == "no-store"


def test_a_probe_is_text(web: Web) -> None:
    assert web.ask("/readyz").headers["Content-Type"] == "text/plain; charset=utf-8"
