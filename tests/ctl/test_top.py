"""The top verb: what its screen shows."""

from __future__ import annotations

import copy
import time

import pytest

from tests.ctl.fake_api import Canned, Serve, of
from tests.ctl.screen import FORMER, PROCESSES, Driver, answers, drive, process, stream
from tests.ctl.test_verbs import STATUS
from web.ctl.top import feed, head


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PERIOD", 0.2)


def test_the_head_says_how_main_is_and_how_much_room_is_left(serve: Serve) -> None:
    status = copy.deepcopy(STATUS)
    status["pids"] = {"current": 980, "max": 1024, "growth_per_minute": 4.0, "minutes_until_full": 11.0}

    async def act(user: Driver) -> None:
        await user.sees("initd 0.1.0 pid1", "main running", "pid 7", "2 restarts", "ready", "daemon off;")
        await user.sees("███████████████████░  980 / 1024", "+4.0/min", "full in 11m")
        await user.sees("zombies 3", "adopted 1")
        await user.sees("picture 0 s old")

    drive(serve(answers(status)), act)


def test_an_observer_has_no_main_and_what_is_not_known_is_a_question_mark(serve: Serve) -> None:
    status = copy.deepcopy(STATUS)
    status["init"]["role"] = "observer"
    status["main"] = {"state": "stopped", "pid": None, "argv": [], "restarts": 0, "last_exit": None}
    status |= {"zombies": None, "pids": {"current": None, "max": None}}

    async def act(user: Driver) -> None:
        await user.sees("observer", "observing", "pids ?, no limit", "zombies ?")

    drive(serve(answers(status)), act)


def test_zombies_hang_under_who_must_reap_them_and_orphans_name_who_left_them(serve: Serve) -> None:
    async def act(user: Driver) -> None:
        lines = user.screen().splitlines()
        (parent,) = (n for n, line in enumerate(lines) if "must reap 1, +2.0/min: blocks SIGCHLD" in line)
        assert "├─nginx" in lines[parent]
        assert "│ └─git" in lines[parent + 1]
        assert "zombie" in lines[parent + 1]
        assert "└─lost  adopted from worker(30)" in lines[parent + 2]
        assert lines[parent + 3].endswith("  exec-ed")

    drive(serve(answers()), act)


def test_events_are_shown_once_each_and_go_on_after_the_stream_broke(serve: Serve) -> None:
    streams = [stream(4), Canned(raw=b""), stream(5), *[stream()] * 1000]
    api = serve(answers(more={"GET /api/v1/events": streams}))

    async def act(user: Driver) -> None:
        log = user.top.events
        await user.until(lambda: len(log.lines) == 3, "three events")
        assert [line.text.split()[0] for line in log.lines] == ["3", "4", "5"]
        resumed = [a.headers["Last-Event-ID"] for a in api.asked if a.line == "GET /api/v1/events"]
        assert resumed[:3] == ["3", "4", "4"]

    drive(api, act)


def test_a_filter_keeps_what_it_finds_and_who_is_above(serve: Serve) -> None:
    async def act(user: Driver) -> None:
        await user.press("slash", *"GIT")
        await user.until(lambda: "lost" not in user.screen().split("adopted")[1], "the others to go")
        table = user.top.table
        assert [row.process.name for row in table.rows] == ["initd", "nginx", "git"]
        await user.press("enter")
        await user.sees("filter: GIT")
        assert user.top.focused is table
        await user.press("escape")
        await user.until(lambda: len(table.rows) == 5, "all of them")

    drive(serve(answers()), act)


def test_z_shows_zombies_and_their_culprits_alone(serve: Serve) -> None:
    async def act(user: Driver) -> None:
        await user.press("z")
        await user.sees("zombies only")
        table = user.top.table
        assert [row.process.name for row in table.rows] == ["initd", "nginx", "git"]
        await user.press("z")
        assert len(table.rows) == 5

    drive(serve(answers()), act)


def test_pause_holds_the_picture_says_so_and_loses_no_event(serve: Serve) -> None:
    api = serve(answers(more={"GET /api/v1/events": [stream()] * 1000}))

    async def act(user: Driver) -> None:
        await user.press("p")
        await user.sees("paused")
        shown = len(user.top.events.lines)
        api.answers["GET /api/v1/processes"] = of({"processes": [PROCESSES[0], process(9, 1, "new")]})
        api.answers["GET /api/v1/events"] = [stream(4, 5), *[stream()] * 1000]
        await user.until(lambda: len(user.top.held) == 2, "two events to be held")
        assert "nginx" in user.row("     7  ")
        assert len(user.top.events.lines) == shown
        await user.press("p")
        await user.sees("└─new")
        assert len(user.top.events.lines) == shown + 2

    drive(api, act)


def test_the_cursor_stays_on_its_process_when_others_come_and_go(serve: Serve) -> None:
    api = serve(answers())

    async def act(user: Driver) -> None:
        table = user.top.table
        await user.press("end")
        assert table.current is not None
        await user.press("up")
        assert table.current.name == "lost"
        fewer = [process(pid, 1, "new") for pid in range(10, 20)] + PROCESSES[3:]
        api.answers["GET /api/v1/processes"] = of({"processes": [PROCESSES[0], *fewer]})
        await user.sees("─new")
        assert table.current.name == "lost"

    drive(api, act)


def test_a_lost_connection_is_said_and_heals(serve: Serve) -> None:
    api = serve(answers())

    async def act(user: Driver) -> None:
        whole = dict(api.answers)
        api.answers["GET /api/v1/status"] = Canned(raw=b"")
        await user.sees("disconnected", "cannot read the answer", "nginx")
        api.answers.update(whole)
        await user.until(lambda: "disconnected" not in user.screen(), "it to heal")

    drive(api, act)


@pytest.mark.parametrize(
    "answer", [of({"init": 1}), of([]), of(STATUS | {"adopted": None}), Canned(body=b"<html>")]
)
def test_an_answer_that_is_not_initds_is_said_and_ends_nothing(serve: Serve, answer: Canned) -> None:
    api = serve(answers())

    async def act(user: Driver) -> None:
        api.answers["GET /api/v1/status"] = answer
        await user.sees("disconnected", "cannot read the answer")

    drive(api, act)


def test_a_server_that_is_silent_makes_the_picture_old_and_not_the_screen_stiff(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "STALE", 0.2)
    monkeypatch.setattr(feed, "PERIOD", 1000)  # for the screen it is the same

    async def act(user: Driver) -> None:
        await user.sees("no answer", "picture 1 s old")
        await user.press("z")
        await user.sees("zombies only")

    drive(serve(answers()), act)


def test_hostile_names_are_shown_and_not_interpreted(serve: Serve) -> None:
    evil = "[red]\x1b]0;owned\x07[/red]\u202e[@click=app.quit]x[/]"
    shown = "[red]\\x1b]0;owned\\x07[/red]\\u202e[@click=app.quit]x[/]"
    evils = [*PROCESSES, process(70, 1, evil, adopted=True, former_parent=FORMER | {"name": evil})]
    status = copy.deepcopy(STATUS)
    status["main"]["argv"] = [evil]
    event = {"seq": 3, "at": None, "kind": "adopted", "process": process(70, 1, evil)}
    detail = of(process(70, 1, evil, cmdline=[evil]))
    api = serve(
        answers(status, evils, {"GET /api/v1/processes/70-100": detail})
        | {"GET /api/v1/events?limit=50": of({"events": [event], "next": 3})}
    )

    async def act(user: Driver) -> None:
        await user.sees(f"{shown}(70)", f"└─{shown}")
        assert shown in user.screen().splitlines()[0]
        assert user.screen().count(shown) == 4  # command, event, row, and whom it was adopted from
        assert "\x1b" not in user.screen()
        await user.press("end", "up", "k")
        await user.sees(f"Send which signal to {shown} (70-100)?")
        await user.press("escape", "enter")
        await user.sees(f"name             {shown}")

    drive(api, act, size=(220, 40))


def test_two_thousand_processes_stay_smooth(serve: Serve) -> None:
    many = [process(1, 0, "initd"), process(7, 1, "nginx")]
    many += [process(pid, 7 if pid % 2 else 1, f"worker-{pid}") for pid in range(100, 2100)]

    async def act(user: Driver) -> None:
        await user.press("end")
        await user.sees("worker-2098")
        slowest = 0.0
        for _ in range(20):
            before = time.perf_counter()
            await user.press("pageup")
            slowest = max(slowest, time.perf_counter() - before)
        assert slowest < 1.0, f"a key took {slowest:.2f} s"

    drive(serve(answers(processes=many)), act)
