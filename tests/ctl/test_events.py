"""The events verb: pages, the stream, and what happens when it breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ctl.fake_api import Canned, Serve, of, problem
from web.ctl import main, watch
from web.ctl.errors import OK, REFUSED, UNREACHABLE


def event(seq: int) -> dict[str, object]:
    return {"seq": seq, "at": None, "kind": "adopted", "process": {"pid": seq, "name": "git"}}


def stream(*numbers: int) -> Canned:
    frames = (f"id: {n}\ndata: {json.dumps(event(n))}\n\n" for n in numbers)
    return Canned(
        body=b"retry: 2000\n\n: still here\n\n" + "".join(frames).encode(), kind="text/event-stream"
    )


def numbers(out: str) -> list[int]:
    return [int(line.split()[0]) for line in out.splitlines()]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PAUSE", 0.01)
    monkeypatch.setattr(watch, "PATIENCE", 0.05)


def test_the_last_events_are_shown_oldest_first(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve({"GET /api/v1/events?limit=2&kind=adopted": of({"events": [event(4), event(7)], "next": 7})})
    assert main(["events", "-n", "2", "--kind", "adopted"]) == OK
    out = capsys.readouterr().out
    assert numbers(out) == [4, 7]
    assert out.splitlines()[0].split() == ["4", "-", "adopted", "git(4)"]


def test_all_events_after_a_number_are_fetched_page_by_page(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAGE", 2)
    serve(
        {
            "GET /api/v1/events?after=3&limit=2": of({"events": [event(4), event(5)], "next": 5}),
            "GET /api/v1/events?after=5&limit=2": of({"events": [event(6)], "next": 6}),
        }
    )
    assert main(["events", "--after", "3"]) == OK
    assert numbers(capsys.readouterr().out) == [4, 5, 6]


def test_following_goes_on_after_a_break_and_shows_each_event_once(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    end = problem(401, "unauthorized", "Authentication needed", "cannot read events")
    api = serve(
        {
            "GET /api/v1/events?limit=50": of({"events": [event(1)], "next": 1}),
            "GET /api/v1/events": [
                stream(2, 3),
                Canned(503, b"busy"),
                Canned(raw=b""),  # web died with the request in its hands
                stream(4),
                end,
            ],
        }
    )
    assert main(["events", "-f"]) == REFUSED
    assert numbers(capsys.readouterr().out) == [1, 2, 3, 4]
    asked = [a.headers["Last-Event-ID"] for a in api.asked[1:]]
    assert asked == ["1", "3", "3", "3", "4"]
    assert all(a.headers["Accept"] == "text/event-stream" for a in api.asked[1:])


def test_following_some_kinds_goes_on_after_the_last_id_that_was_told_whole(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    end = problem(401, "unauthorized", "Authentication needed", "cannot read events")
    told = "retry: 2000\n\nid: 2\ndata: " + json.dumps(event(2)) + "\n\nid: 90\n\nid: 95\n"
    api = serve(
        {
            "GET /api/v1/events?limit=1&kind=adopted": of({"events": [], "next": 1}),
            "GET /api/v1/events?kind=adopted": [
                Canned(body=told.encode(), kind="text/event-stream"),
                Canned(body=b"id: 3\n\n", kind="text/event-stream"),  # another init
                end,
            ],
        }
    )
    assert main(["events", "-f", "-n", "0", "--kind", "adopted"]) == REFUSED
    assert numbers(capsys.readouterr().out) == [2]
    assert [a.headers["Last-Event-ID"] for a in api.asked[1:]] == ["1", "90", "3"]


def test_following_ends_when_initd_is_gone(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    api = serve(
        {"GET /api/v1/events?limit=1": of({"events": [], "next": 0}), "GET /api/v1/events": stream(1)}
    )
    gone = api.answers["GET /api/v1/events"]
    assert isinstance(gone, Canned)
    api.answers["GET /api/v1/events"] = [gone, *[Canned(raw=b"") for _ in range(1000)]]
    assert main(["events", "-f", "-n", "0"]) == UNREACHABLE
    out, err = capsys.readouterr()
    assert numbers(out) == [1]
    assert err.startswith("initctl: cannot ")


def test_json_is_one_event_a_line(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve({"GET /api/v1/events?limit=50": of({"events": [event(1), event(2)], "next": 2})})
    assert main(["--json", "events"]) == OK
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [event(1), event(2)]


def test_a_reader_that_leaves_ends_us_without_a_word(serve: Serve, tmp_path: Path) -> None:
    many = {"events": [event(n) for n in range(1, 5000)], "next": 4999}
    serve({"GET /api/v1/events?limit=50": of(many)})
    command = [sys.executable, "-c", "import sys; from web.ctl import main; sys.exit(main())", "events"]
    with (
        (tmp_path / "err").open("w+") as err,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err) as child,
    ):
        assert child.stdout is not None
        child.stdout.read(1)
        child.stdout.close()
        assert child.wait(timeout=20) == 141
        err.seek(0)
        assert err.read() == ""
