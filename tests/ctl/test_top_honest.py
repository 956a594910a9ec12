"""The top verb: an old picture never looks new, whatever the terminal, main's command and the clock."""

from __future__ import annotations

import copy
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from textual.containers import Vertical, VerticalScroll

from tests.ctl.fake_api import Answers, Canned, Serve, of
from tests.ctl.screen import PROCESSES, Driver, answers, drive, stream
from tests.ctl.test_verbs import STATUS
from web.ctl.top import feed, head

SMALL = (40, 10)
THERE = "sleeping"  # in a row of the table; names are further right than a small terminal is wide
TAKEN = "2026-11-24T06:30:00.000Z"  # main and all processes of the canned answers were born at 05:00
DATED = "Tue, 24 Nov 2026 06:30:00 GMT"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PERIOD", 0.2)


def with_a_long_command() -> Answers:
    status = copy.deepcopy(STATUS)
    status["main"]["argv"] = ["server", *(f"--option-number-{n}=value" for n in range(40))]
    return answers(status)


def head_of(user: Driver) -> list[str]:
    """The lines of the head as they are seen on the main screen, whatever is open over it."""
    main = user.top.screen_stack[0]
    lines = [strip.text.strip() for strip in main._compositor.render_strips()]  # noqa: SLF001  as Driver.screen
    region = main.query_one("#head").region
    return lines[region.y : region.bottom]


async def loses(user: Driver) -> None:
    """The connection breaks, and the screen says so."""
    user.api.answers["GET /api/v1/status"] = Canned(raw=b"")
    await user.until(lambda: "disconnected" in "\n".join(head_of(user)), "disconnected in the head")


@pytest.mark.parametrize("size", [SMALL, (100, 30)])
def test_a_long_command_pushes_nothing_off_the_head(serve: Serve, size: tuple[int, int]) -> None:
    async def act(user: Driver) -> None:
        await user.until(lambda: len(head_of(user)) == 3, "the whole head")
        main, room, picture = head_of(user)
        assert main.startswith("initd 0.1.0 pid1  main running")
        assert main.endswith("…")
        assert room.startswith("pids  ")
        assert picture.startswith("picture ")
        await loses(user)
        main, room, picture = head_of(user)
        assert main.startswith("disconnected  initd 0.1.0 pid1")
        assert room.startswith("pids  ")
        assert picture.startswith("picture ")

    drive(serve(with_a_long_command()), act, size=size, first=THERE)


@pytest.mark.parametrize("size", [SMALL, (40, 7)])
@pytest.mark.parametrize("key", ["slash", "k", "r", "enter"])
def test_neither_the_filter_nor_a_dialog_hides_that_the_picture_is_old(
    serve: Serve, key: str, size: tuple[int, int]
) -> None:
    async def act(user: Driver) -> None:
        await user.press(key)
        await loses(user)
        assert user.top.screen_stack[0].query_one("#head").region.y == 0
        assert head_of(user)[0].startswith("disconnected  ")
        for box in (*user.top.screen.query(Vertical), *user.top.screen.query(VerticalScroll)):
            assert box.region.y > 0

    drive(serve(with_a_long_command()), act, size=size, first="initd 0.1.0")


def test_no_answer_is_the_first_word_too(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "STALE", 0.2)
    monkeypatch.setattr(feed, "PERIOD", 1000)  # for the screen it is a server that is silent

    async def act(user: Driver) -> None:
        await user.sees("no answer")
        assert head_of(user)[0].startswith("no answer  initd")

    drive(serve(with_a_long_command()), act, size=SMALL, first=THERE)


def test_one_restart_is_one(serve: Serve) -> None:
    status = copy.deepcopy(STATUS)
    status["main"]["restarts"] = 1

    async def act(user: Driver) -> None:
        await user.sees("  1 restart  ")

    drive(serve(answers(status)), act)


def dated(value: Any, date: str) -> Canned:
    """An answer with that Date header."""
    body = json.dumps(value).encode()
    return Canned(raw=f"HTTP/1.0 200 OK\r\nDate: {date}\r\n\r\n".encode() + body)


@pytest.mark.parametrize(
    "listed",
    [of({"taken_at": TAKEN, "processes": PROCESSES}), dated({"processes": PROCESSES}, DATED)],
    ids=["taken_at", "Date"],
)
def test_ages_are_by_the_clock_of_the_other_side(serve: Serve, listed: Canned) -> None:
    async def act(user: Driver) -> None:
        await user.sees("up 1h30m")
        assert " 1h30m " in user.row("─nginx")
        await user.press("z")  # drawn anew from the same picture
        assert " 1h30m " in user.row("─nginx")

    drive(serve(answers(more={"GET /api/v1/processes": listed})), act)


def test_a_date_that_is_none_leaves_the_clock_here(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day_later = 1_795_500_000.0 + 86_400  # 2026-11-25T06:00:00Z
    clock = SimpleNamespace(time=lambda: a_day_later, monotonic=time.monotonic)
    monkeypatch.setattr(feed, "time", clock)

    async def act(user: Driver) -> None:
        await user.sees("up 1d1h")

    drive(serve(answers(more={"GET /api/v1/processes": dated({"processes": PROCESSES}, "soon")})), act)


def test_the_newest_events_are_seen_after_the_terminal_shrank(serve: Serve) -> None:
    api = serve(answers(more={"GET /api/v1/events": [stream(*range(4, 40)), *[stream()] * 1000]}))

    async def act(user: Driver) -> None:
        await user.sees("    39 -")
        await user.pilot.resize_terminal(120, 36)
        await user.until(lambda: user.top.size.width == 120, "the new size")
        await user.sees("    39 -")
        assert "     3 -" not in user.screen()

    drive(api, act, size=(300, 100))
