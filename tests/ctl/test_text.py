"""Text for people: nothing that a process is called may reach the terminal as more than text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ctl.fake_api import Canned, Serve, of
from web.ctl import main, show
from web.ctl.errors import OK


@given(st.text())
def test_clean_text_is_printable_whatever_comes_in(text: str) -> None:
    assert show.clean(text).isprintable()


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1))
def test_clean_leaves_printable_text_alone(text: str) -> None:
    assert show.clean(text) == text


def test_an_evil_name_cannot_steer_the_terminal_from_any_verb(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\u202egit\n\r"
    process = {"id": "42-1", "pid": 42, "ppid": 1, "name": evil, "state": evil, "started_at": None}
    who = {"state": "running", "pid": 2, "started_at": None, "restarts": 0, "argv": [evil]}
    init = {"pid": 1, "role": evil, "version": "1", "started_at": None}
    last = {"code": None, "signal": evil, "at": None, "oom": True}
    check = {"name": evil, "passing": False, "failures": 1, "why": evil}
    who |= {"hook": evil, "status_text": evil, "checks": [check], "last_exit": last}
    former = {"name": evil, "cmdline": evil, "last": process, "orphans": 1, "alive": 1, "dead": 0}
    unknown = {"orphans": 1, "alive": 0, "dead": 1}
    counts = {"adopted": {"total": 0, "alive": 0}, "reaped": {"total": 0}, "processes": 1, "zombies": 0}
    event = {
        "seq": 1,
        "at": evil,
        "kind": "adopted",
        "process": process,
        "former_parent": process,
        "why": evil,
        "l": [evil],
    }
    serve(
        {
            "GET /api/v1/status": of({"init": init, "main": who, "web": who, "ready": False, **counts}),
            "GET /api/v1/processes": of({"processes": [process]}),
            "GET /api/v1/tree": Canned(body=evil.encode(), kind="text/plain"),
            "GET /api/v1/zombies": of(
                {
                    "total": 1,
                    "culprits": [{"process": process, "count": 1, "names": [evil], "why": {"detail": evil}}],
                }
            ),
            "POST /api/v1/zombies/42/nudge": of(
                {"process": process, "signal": evil, "before": 1, "after": 0, "helped": True}
            ),
            "GET /api/v1/lineage": of(
                {"former_parents": [former], "unknown": unknown, "subreapers": [process]}
            ),
            "GET /api/v1/events?limit=50": of({"events": [event], "next": 1}),
            "POST /api/v1/main/signal": of({"process": process, "signal": evil}),
            "POST /api/v1/main/stop?wait=30": of({"id": 1, "action": evil, "state": "done", "detail": evil}),
            "GET /livez": Canned(body=evil.encode(), kind="text/plain"),
        }
    )
    reading = ("status", "ps", "tree", "zombies", "events", "lineage", "check live")
    for words in (*reading, "signal TERM", "stop", "nudge 42"):
        assert main(words.split()) == OK, words
        out, err = capsys.readouterr()
        assert all(line.isprintable() for line in (out + err).split("\n")), words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (3_725, "1h2m"), (90_000, "1d1h"), (-5, "0s")],
)
def test_ages_show_their_two_largest_units(seconds: float, text: str) -> None:
    start = "2026-11-24T05:00:00.000Z"
    assert show.age(start, 1_795_496_400 + seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "-"),
        (0, "0K"),
        (1024, "1K"),
        (1_000_000, "977K"),
        (3 << 20, "3.0M"),
        (50 << 30, "50G"),
        (5 << 50, "5120T"),
    ],
)
def test_sizes_are_short(amount: int | None, text: str) -> None:
    assert show.size(amount) == text
