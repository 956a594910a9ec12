"""web.server, web.connection: a slow, endless or malformed client costs its own connection, no more."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import time

import pytest

from tests.web.inside import PATIENCE, Client, Inside, connect, eventually, inside
from tests.web.served import served
from web import connection, limits
from web.crowd import Crowd

SAFE = (  # a browser neither guesses at it, nor lends it to another site, nor shows it in a frame
    b"x-content-type-options: nosniff",
    b"cross-origin-resource-policy: same-origin",
    b"content-security-policy: frame-ancestors 'none'",
)


async def still_answers(running: Inside) -> None:
    client = await connect(running)
    client.get("/livez")
    assert await client.answer() == (200, b"ok")
    await client.close()


# --- too slow -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /livez HT",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ",
        b"POST /api/v1/main/signal HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nsig",
        b"POST /api/v1/drain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ],
)
def test_a_request_that_does_not_arrive_in_time_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connection, "REQUEST_PATIENCE", 0.3)

    async def test(running: Inside) -> None:
        client = await connect(running)
        begin = time.monotonic()
        client.send(sent)
        await client.rest()
        assert 0.2 < time.monotonic() - begin < PATIENCE / 2
        await client.close()
        await still_answers(running)

    inside(test)


def test_dripping_bytes_does_not_buy_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_PATIENCE", 0.3)

    async def test(running: Inside) -> None:
        client = await connect(running)
        begin = time.monotonic()
        client.send(b"GET /livez HTTP/1.1\r\n")
        ended = asyncio.create_task(client.rest())
        while not ended.done() and time.monotonic() - begin < PATIENCE:
            client.send(b"X: y\r\n")
            await asyncio.sleep(0.05)
        assert time.monotonic() - begin < PATIENCE / 2
        await client.close()

    inside(test)


def test_a_connection_between_two_requests_is_not_a_late_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_PATIENCE", 0.1)

    async def test(running: Inside) -> None:
        client = await connect(running)
        for _ in range(3):
            client.get("/livez")
            assert (await client.answer())[0] == 200
            await asyncio.sleep(0.2)
        await client.close()

    inside(test)


def test_a_long_poll_is_not_a_late_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_PATIENCE", 0.1)

    async def test(running: Inside) -> None:
        client = await connect(running)
        client.get("/api/v1/events?wait=1")
        assert (await client.answer())[0] == 200
        await client.close()

    inside(test)


def test_a_reader_that_does_not_read_is_cut_off_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_PATIENCE", 0.2)

    async def test(running: Inside) -> None:
        client = await connect(running)
        client.get("/api/v1/events?after=0", "Accept: text/event-stream")
        await client.until(b"\r\n\r\n")
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # typeshed knows it elsewhere
        deadline = time.monotonic() + PATIENCE
        while running.house.slow_readers == 0:
            assert time.monotonic() < deadline
            running.core.happen("status", text="x" * 50_000)
            await asyncio.sleep(0.001)
        await eventually(lambda: running.house.streams == 0)
        client.writer.transport.abort()
        await still_answers(running)

    inside(test)


# --- malformed ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 30,
    ],
)
def test_what_is_not_http_is_answered_by_a_problem_and_the_connection_ends(sent: bytes) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.send(sent)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in head
        for header in (*SAFE, b"cache-control: no-store"):
            assert header in head.lower()
        assert json.loads(body)["code"] == "malformed"
        await client.close()

    inside(test)


@pytest.mark.parametrize("sent", [b"GET /livez HTTP/1.1\r\nHost: a\r\nX: ", b"GET /"])
def test_a_head_that_is_too_long_is_told_so(sent: bytes) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.send(sent + b"x" * limits.HEADER_BYTES)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 431 ")
        assert json.loads(body)["code"] == "headers_too_large"
        await client.close()

    inside(test)


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ],
)
def test_after_a_body_that_ends_in_two_ways_nothing_is_read_on(headers: bytes) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.send(b"POST /livez HTTP/1.1\r\nHost: a\r\n" + headers)
        client.get("/livez")
        answers = await client.rest()
        assert answers.startswith(b"HTTP/1.1 400 ")
        assert answers.count(b"HTTP/1.1") == 1
        await client.close()

    inside(test)


def test_the_host_of_an_absolute_target_is_the_one_that_counts() -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        for target, status in (("http://localhost/", 200), ("http://evil.example/", 421)):
            client.get(target)
            assert (await client.answer())[0] == status
        await client.close()

    inside(test, anonymous="health")


def test_garbage_after_a_request_ends_the_connection_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    async def test(running: Inside) -> None:
        for target in ("/livez", "/api/v1/events?wait=1"):
            client = await connect(running)
            client.get(target)
            client.send(b"\x00garbage\r\n\r\n")
            await client.rest()
            await client.close()
        for sent in (b"zz\r\n", b"5\r\nabcdeXX"):
            client = await connect(running)
            client.send(
                b"POST /api/v1/main/signal HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + sent
            )
            await client.rest()
            await client.close()
        await eventually(lambda: running.house.streams == 0)
        await still_answers(running)

    inside(test)
    assert capfd.readouterr().err == ""


PIECES = (
    "GET /livez HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\n",
    "Host: a\r\n",
    "\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: websocket\r\n",
    "Connection: Upgrade\r\n",
    "Connection: close\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "\x00\xff",
    "hello",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /api/v1/events?wait=1 HTTP/1.0\r\n\r\n",
)


def test_no_bytes_whatever_they_are_end_the_server_or_fill_its_log(capfd: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(20_261_124)  # noqa: S311  the same bytes in every run

    async def one(running: Inside) -> None:
        client = await connect(running)
        for _ in range(dice.randint(1, 8)):
            client.send(dice.choice(PIECES).encode("latin-1"))
            if dice.random() < 0.3:
                await asyncio.sleep(0)
        if dice.random() < 0.5:
            client.writer.transport.abort()
        await client.close()

    async def test(running: Inside) -> None:
        for _ in range(15):
            await asyncio.gather(*(one(running) for _ in range(20)))
        await still_answers(running)

    inside(test)
    assert capfd.readouterr().err == ""


def test_nothing_more_is_read_of_who_waits_for_his_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[connection.Connection] = []
    monkeypatch.setattr(Crowd, "wait", lambda _, guest: waiting.append(guest))

    async def test(running: Inside) -> None:
        client = await connect(running)
        client.send(b"x" * 200_000)
        await eventually(lambda: waiting)
        await asyncio.sleep(0.05)
        assert len(waiting) == 1
        assert len(waiting[0].conn.trailing_data[0]) == limits.AT_A_TIME
        waiting[0].leave()
        await client.rest()
        await client.close()

    inside(test)


# --- bodies that nobody reads ---------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 1_000, 300_000])
@pytest.mark.parametrize("target", ["/nothing", "/livez", "/api/v1/main/stop", "/api/v1/main/signal"])
def test_an_unread_body_does_not_break_the_next_request(target: str, size: int) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        for _ in range(2):
            head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
            client.send(head.encode() + b"x" * size)
            await client.answer()
        client.get("/livez")
        assert await client.answer() == (200, b"ok")
        await client.close()

    inside(test)


def test_requests_sent_at_once_are_answered_in_order() -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        for target in ("/livez", "/nothing", "/readyz", "/livez"):
            client.get(target)
        assert [(await client.answer())[0] for _ in range(4)] == [200, 404, 200, 200]
        await client.close()

    inside(test)


# --- clients that end their side ------------------------------------------------------------------


def test_who_ends_his_side_after_asking_is_answered_all_the_same() -> None:
    async def test(running: Inside) -> None:
        for targets in (["/livez"], ["/nothing", "/livez", "/readyz"]):
            client = await connect(running)
            for target in targets:
                client.get(target)
            client.writer.write_eof()
            assert (await client.rest()).count(b"HTTP/1.1 ") == len(targets)
            await client.close()

    inside(test)


def test_who_ends_his_side_while_a_stream_runs_has_left() -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.get("/api/v1/events", "Accept: text/event-stream")
        await eventually(lambda: running.house.streams == 1)
        client.writer.write_eof()
        await client.rest()
        await eventually(lambda: running.house.streams == 0)
        await client.close()

    inside(test)


def test_who_ends_his_side_in_a_long_poll_is_told_how_far_we_are() -> None:
    async def test(running: Inside) -> None:
        running.core.happen()
        await eventually(lambda: running.house.mirror.last == 1)
        client = await connect(running)
        client.get("/api/v1/events?after=1&wait=60")
        await eventually(lambda: running.house.streams == 1)
        client.writer.write_eof()
        status, body = await client.answer()
        assert (status, json.loads(body)) == (200, {"events": [], "next": 1})
        assert await client.rest() == b""
        assert running.house.streams == 0
        await client.close()

    inside(test)


@pytest.mark.parametrize("early", [False, True], ids=["later", "at once"])
def test_who_ends_his_side_after_an_order_hears_how_it_ended(early: bool) -> None:
    async def test(running: Inside) -> None:
        running.core.finish = False
        client = await connect(running)
        client.send(b"POST /api/v1/main/restart?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if early:
            client.writer.write_eof()
        await eventually(lambda: running.core.operations)
        if not early:
            client.writer.write_eof()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.reader.read(1)
        running.core.end_operation(1)
        status, body = await client.answer()
        assert (status, json.loads(body)["state"]) == (200, "done")
        assert await client.rest() == b""
        await client.close()

    inside(test)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /li", b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"]
)
def test_who_ends_his_side_before_all_is_asked_is_gone(sent: bytes) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.send(sent)
        client.writer.write_eof()
        await client.rest()
        await client.close()
        await still_answers(running)

    inside(test)


@pytest.mark.parametrize("headers", [["Connection: close"], []], ids=["asked to close", "idle for too long"])
def test_a_last_answer_that_is_not_read_does_not_keep_its_connection_for_ever(
    monkeypatch: pytest.MonkeyPatch, headers: list[str]
) -> None:
    monkeypatch.setattr(connection, "LAST_ANSWER", 0.2)
    monkeypatch.setattr(connection, "KEEP_ALIVE", 0.2)
    monkeypatch.setattr(limits, "UNREAD", 64 * 2**20)

    async def test(running: Inside) -> None:
        for _ in range(200):
            running.core.happen("status", text="x" * 50_000)
            await asyncio.sleep(0.001)  # the core waits for room, and we are the one who makes it
        await eventually(lambda: running.house.mirror.last >= 200)
        client = await connect(running)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # typeshed knows it elsewhere
        client.get("/api/v1/events?after=0", *headers)
        await eventually(lambda: running.house.slow_readers == 1)
        client.writer.transport.abort()
        await still_answers(running)

    inside(test, history=200)


# --- too many -------------------------------------------------------------------------------------


def test_when_all_connections_are_taken_the_longest_idle_one_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 5)

    async def test(running: Inside) -> None:
        clients: list[Client] = []
        for _ in range(5):
            clients.append(await connect(running))
            clients[-1].get("/livez")
            await clients[-1].answer()
        clients[0].get("/livez")
        await clients[0].answer()
        await still_answers(running)
        assert await clients[1].rest() == b""
        for client in (clients[0], clients[2]):
            client.get("/livez")
            assert (await client.answer())[0] == 200
        for client in clients:
            await client.close()

    inside(test)


def test_when_all_are_busy_the_newest_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 2)

    async def test(running: Inside) -> None:
        clients = [await connect(running) for _ in range(2)]
        for client in clients:
            client.get("/api/v1/events?after=0", "Accept: text/event-stream")
            await client.until(b"retry: 2000\n\n")
        late = await connect(running)
        late.get("/api/v1/events?wait=5")
        assert await late.rest() == b""
        running.core.happen()
        for client in clients:
            await client.until(b"id: 1\n")
        for client in (*clients, late):
            await client.close()

    inside(test)


def test_there_is_always_room_for_a_probe_beside_those_who_wait() -> None:
    assert 0 < limits.STREAMS < limits.CONNECTIONS


def test_a_connection_that_has_ended_is_gone_without_the_help_of_the_garbage_collector() -> None:
    """Else thousands of them stay until it looks at everything, which is seldom."""

    def left() -> int:
        return sum(isinstance(each, connection.Connection) for each in gc.get_objects())

    async def test(running: Inside) -> None:
        gc.collect()
        gc.disable()
        try:
            for sent in (b"", b"GET /li", b"GET /livez HTTP/1.0\r\n\r\n"):
                client = await connect(running)
                client.send(sent)
                await eventually(left)
                await client.close()
                await eventually(lambda: not left())
        finally:
            gc.enable()

    inside(test)


# --- headers --------------------------------------------------------------------------------------


def test_answers_have_a_date_and_no_server_name() -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.get("/livez")
        head = (await client.until(b"\r\n\r\n")).lower()
        assert head.count(b"\r\ndate: ") == 1
        assert b"\r\nserver:" not in head
        await client.close()

    inside(test)


def test_a_date_is_that_of_rfc_9110() -> None:
    assert connection.date_header(784_111_777) == [(b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")]


@pytest.mark.parametrize("headers", [{f"X-{n}": "1" for n in range(101)}, {"X-Long": "x" * 33_000}], ids=len)
def test_too_many_or_too_long_headers_are_a_problem(headers: dict[str, str]) -> None:
    with served() as web:
        answer = web.ask("/livez", **headers)
        assert (answer.status, answer.json()["code"]) == (431, "headers_too_large")
        assert web.ask("/livez").status == 200
