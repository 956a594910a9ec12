"""web.api.events and web.stream: pages, long polls, streams; resumed, bounded, never silent about a loss."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.web.fake_core import READ, FakeCore
from tests.web.inside import Inside, connect, eventually, inside
from tests.web.served import PATIENCE, Web, served, wait_for
from web import limits, stream

STREAM = {"Accept": "text/event-stream"}


def page(web: Web, query: str = "") -> dict[str, Any]:
    answer = web.ask("/api/v1/events" + query, token=READ)
    assert answer.status == 200, answer
    found = answer.json()
    assert isinstance(found, dict)
    return found


def happen(web: Web, count: int, kind: str = "adopted") -> None:
    """That many events, known to web."""
    for _ in range(count):
        web.core.happen(kind)
    last = len(web.core.events)
    wait_for(lambda: page(web, "?limit=1")["next"] == last, "the events")


class Reader:
    """An event stream, read frame by frame."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response

    def frame(self) -> list[str]:
        lines = []
        while line := self.response.readline().decode().rstrip("\n"):
            lines.append(line)
        return lines

    def event(self) -> dict[str, Any]:
        """The next event; comments are passed over."""
        while True:
            lines = dict(line.split(": ", 1) for line in self.frame() if not line.startswith(":"))
            if "data" in lines:
                found = json.loads(lines["data"])
                assert isinstance(found, dict)
                assert lines["id"] == str(found["seq"])
                return found


@contextmanager
def streaming(web: Web, query: str = "", **headers: str) -> Iterator[Reader]:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(
        "GET", "/api/v1/events" + query, headers={**STREAM, "Authorization": f"Bearer {READ}", **sent}
    )
    response = connection.getresponse()
    try:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        reader = Reader(response)
        assert reader.frame() == ["retry: 2000"]
        yield reader
    finally:
        response.close()
        connection.close()


# --- a page ---------------------------------------------------------------------------------------


def test_without_parameters_the_newest_events_come_in_order() -> None:
    with served() as web:
        assert page(web) == {"events": [], "next": 0}
        happen(web, 30)
        assert page(web) == {"events": web.core.events, "next": 30}
        assert page(web, "?limit=4") == {"events": web.core.events[-4:], "next": 30}


def test_whoever_asks_for_what_comes_next_reads_everything_once() -> None:
    with served() as web:
        happen(web, 23)
        read: list[dict[str, Any]] = []
        after = 0
        while (found := page(web, f"?after={after}&limit=5"))["events"]:
            read += found["events"]
            after = found["next"]
        assert read == web.core.events
        assert after == 23


def test_kinds_are_chosen_by_repeating_or_by_commas() -> None:
    with served() as web:
        for kind in ("adopted", "reaped", "main.exited"):
            happen(web, 2, kind)
        for query in ("?kind=reaped,main.exited", "?kind=reaped&kind=main.exited"):
            assert page(web, query) == {"events": web.core.events[2:], "next": 6}
        assert page(web, "?kind=drain&after=0") == {"events": [], "next": 6}


def test_who_comes_after_the_history_has_moved_on_gets_a_gap() -> None:
    with served(history=10) as web:
        happen(web, 25)
        found = page(web, "?after=3")["events"]
        assert (found[0]["kind"], found[0]["missed"], found[0]["first"], found[0]["last"]) == (
            "gap",
            12,
            4,
            15,
        )
        assert found[1:] == web.core.events[15:]


def test_a_restarted_web_has_the_history_of_the_core() -> None:
    with served() as web:
        happen(web, 25)
        before = page(web)
        web.core.attached.clear()
        events = web.core.events
        with served() as again:
            again.core.events = events
            again.core.send({"t": "lag", "seq": len(events)})
            wait_for(lambda: page(again) == before, "the history")


@pytest.mark.parametrize(
    "query",
    [
        "?after=-1",
        "?after=x",
        "?after=",
        "?after=1.5",
        f"?after={2**53}",
        "?after=1&after=2",
        "?limit=0",
        "?limit=10001",
        "?kind=nonsense",
        "?kind=",
        "?kind=gap",
        "?kind=reaped,",
        "?wait=-1",
        "?wait=61",
        "?wait=x",
        "?wait=1.5",
    ],
)
def test_a_malformed_parameter_is_named(web: Web, query: str) -> None:
    for headers in ({}, STREAM):
        answer = web.ask("/api/v1/events" + query, token=READ, **headers)
        assert (answer.status, answer.json()["code"]) == (400, "malformed")
        assert answer.json()["parameter"] == query[1:].partition("=")[0]


@pytest.mark.parametrize("value", ["x", "-1", "", "1.0", "9" * 17])
def test_a_malformed_last_event_id_is_refused(web: Web, value: str) -> None:
    answer = web.ask("/api/v1/events", token=READ, Accept="text/event-stream", Last_Event_ID=value)
    assert (answer.status, answer.json()["code"]) == (400, "malformed")
    assert "Last-Event-ID" in answer.json()["detail"]


# --- a long poll ----------------------------------------------------------------------------------


def test_a_long_poll_answers_the_moment_something_happens(web: Web) -> None:
    after = page(web)["next"]
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(
        target=lambda: answers.append(page(web, f"?after={after}&wait=50&kind=reaped"))
    )
    begin = time.monotonic()
    waiting.start()
    wait_for(lambda: "initd_event_streams 1.0" in web.ask("/metrics").text, "a place for it")
    web.core.happen("adopted")
    event = web.core.happen("reaped")
    waiting.join(PATIENCE)
    assert answers == [{"events": [event], "next": event["seq"]}]
    assert time.monotonic() - begin < PATIENCE
    wait_for(lambda: "initd_event_streams 0.0" in web.ask("/metrics").text, "its end")


def test_a_long_poll_with_something_to_say_does_not_wait(web: Web) -> None:
    happen(web, 1)
    begin = time.monotonic()
    assert page(web, "?after=0&wait=50")["events"]
    assert page(web, "?wait=50")["events"]
    assert time.monotonic() - begin < PATIENCE


def test_a_long_poll_ends_empty_when_nothing_happens(web: Web) -> None:
    after = page(web)["next"]
    begin = time.monotonic()
    assert page(web, f"?after={after}&wait=1") == {"events": [], "next": after}
    assert 0.9 < time.monotonic() - begin < PATIENCE


@pytest.mark.parametrize("wait", ["", "&wait=50"])
def test_a_number_from_another_inits_life_is_set_right_at_once(wait: str) -> None:
    begin = time.monotonic()
    with served() as web:
        assert page(web, f"?after=123456{wait}") == {"events": [], "next": 0}
        happen(web, 3)
        assert page(web, f"?after=123456{wait}") == {"events": web.core.events, "next": 3}
        assert page(web, f"?after=123456&kind=drain{wait}") == {"events": [], "next": 3}
    assert time.monotonic() - begin < 2 * PATIENCE


def test_a_long_poll_whose_client_leaves_gives_its_place_back(web: Web) -> None:
    target = f"/api/v1/events?after={page(web)['next']}&wait=60&kind=drain"
    with web.connect() as sock:
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {READ}\r\n\r\n"
        sock.sendall(head.encode())
        wait_for(lambda: "initd_event_streams 1.0" in web.ask("/metrics").text, "its place")
    wait_for(lambda: "initd_event_streams 0.0" in web.ask("/metrics").text, "its end")


# --- a stream -------------------------------------------------------------------------------------


def test_a_stream_brings_events_as_they_happen_and_nothing_from_before(web: Web) -> None:
    happen(web, 3)
    with streaming(web) as reader:
        for kind in ("adopted", "reaped", "drain"):
            assert reader_gets(reader, web.core.happen(kind))


def reader_gets(reader: Reader, event: dict[str, Any]) -> bool:
    return reader.event() == event


def test_a_stream_goes_on_after_the_last_event_a_browser_had() -> None:
    with served() as web:
        happen(web, 30)
        with streaming(web, "?after=2", Last_Event_ID="27") as reader:
            assert [reader.event() for _ in range(3)] == web.core.events[27:]
        with streaming(web, "?after=28") as reader:
            assert [reader.event() for _ in range(2)] == web.core.events[28:]
            assert reader_gets(reader, web.core.happen())


def test_a_stream_says_what_it_missed() -> None:
    with served(history=5) as web:
        happen(web, 20)
        with streaming(web, Last_Event_ID="3") as reader:
            gap = reader.event()
            assert (gap["kind"], gap["seq"], gap["missed"]) == ("gap", 15, 12)
            assert [reader.event() for _ in range(5)] == web.core.events[15:]


def test_a_stream_from_another_inits_life_begins_with_ours() -> None:
    with served() as web:
        happen(web, 3)
        with streaming(web, Last_Event_ID="1234567") as reader:
            web.core.happen()
            assert [reader.event() for _ in range(4)] == web.core.events


def test_a_stream_from_before_a_restart_of_web_alone_goes_on_even_while_the_history_is_being_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = FakeCore.start

    def start_with_a_history(core: FakeCore) -> None:
        core.slow["history"] = 0.3
        for _ in range(45):
            core.happen()
        start(core)

    monkeypatch.setattr(FakeCore, "start", start_with_a_history)
    with served() as web, streaming(web, Last_Event_ID="45") as reader:
        assert reader_gets(reader, web.core.happen())


def test_a_reader_of_some_kinds_misses_nothing_by_what_it_did_not_ask_for() -> None:
    """It comes back, to another web, with the last id it was told."""
    with served(history=5) as web:
        with streaming(web, "?kind=drain") as reader:
            assert reader.frame() == ["id: 0"]
            happen(web, 12)
            assert told(reader) == 12
        assert reader_gets_nothing_but(web, 12, web.core.happen("drain"))


def told(reader: Reader) -> int:
    """The last id of those that come within a second or two without an event; they are few."""
    frames = [reader.frame()]
    while frames[-1] != ["id: 12"]:
        frames.append(reader.frame())
    assert len(frames) <= 3
    return int(frames[-1][0].split()[1])


def reader_gets_nothing_but(web: Web, after: int, event: dict[str, Any]) -> bool:
    with streaming(web, "?kind=drain", Last_Event_ID=str(after)) as reader:
        return reader_gets(reader, event)


def test_a_stream_brings_only_the_kinds_asked_for_but_every_gap() -> None:
    with served(history=4) as web:
        happen(web, 6)
        with streaming(web, "?kind=drain&after=0") as reader:
            assert reader.event()["kind"] == "gap"
            web.core.happen("reaped")
            assert reader_gets(reader, web.core.happen("drain"))


def test_many_streams_all_get_everything() -> None:
    with served() as web, ExitStack() as stack:
        readers = [stack.enter_context(streaming(web)) for _ in range(20)]
        for _ in range(200):
            web.core.happen()
        for reader in readers:
            assert [reader.event()["seq"] for _ in range(200)] == list(range(1, 201))


def test_events_that_were_dropped_on_the_way_come_all_the_same() -> None:
    with served() as web, streaming(web) as reader:
        for number in range(100):
            web.core.happen(lose=number % 3 > 0)
        web.core.send({"t": "lag", "seq": 100})
        assert [reader.event() for _ in range(100)] == web.core.events


def test_a_stream_ends_with_the_init_and_ends_whole() -> None:
    with served() as web, streaming(web) as reader:
        event = web.core.happen()
        assert reader.event() == event
        web.core.send({"t": "bye"})
        assert reader.response.read() == b""
        assert web.process.wait(PATIENCE) == 0


def test_a_silent_stream_is_kept_alive_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)
    monkeypatch.setattr(stream, "SPARING", 0.01)

    async def test(running: Inside) -> None:
        client = await connect(running)
        client.get("/api/v1/events", "Accept: text/event-stream")
        for _ in range(3):
            await client.until(b": still here\n\n")
        running.core.happen()
        await client.until(b"id: 1\n")
        await client.close()

    inside(test)


def test_only_so_many_may_wait_and_probes_and_pages_are_answered_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "STREAMS", 3)

    async def test(running: Inside) -> None:
        clients = [await connect(running) for _ in range(4)]
        for client in clients[:2]:
            client.get("/api/v1/events", "Accept: text/event-stream")
            await client.until(b"retry: 2000\n\n")
        clients[2].get("/api/v1/events?wait=30")
        await eventually(lambda: running.house.streams == 3)
        for headers in (("Accept: text/event-stream",), ()):
            clients[3].get("/api/v1/events?wait=30", *headers)
            status, body = await clients[3].answer()
            assert (status, json.loads(body)["code"]) == (503, "overloaded")
        for target in ("/livez", "/api/v1/events"):
            clients[3].get(target)
            assert (await clients[3].answer())[0] == 200
        await clients[0].close()
        await eventually(lambda: running.house.streams == 2)
        clients[3].get("/api/v1/events", "Accept: text/event-stream")
        await clients[3].until(b"retry: 2000\n\n")
        for client in clients[1:]:
            await client.close()

    inside(test)
