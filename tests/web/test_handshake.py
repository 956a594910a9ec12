"""web.handshake: TLS on the TCP listeners, and what a client costs that never gets as far as HTTP."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time

import pytest

from tests.authority import Authority
from tests.web.inside import PATIENCE, Inside, connect, eventually, inside
from tests.web.served import served
from web import connection, handshake, limits, tls


@pytest.fixture(scope="module")
def secure(authority: Authority) -> ssl.SSLContext:
    return tls.context(*authority.server())


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> ssl.SSLContext:
    return authority.trusted()


async def still_answers(running: Inside, trusting: ssl.SSLContext | None) -> None:
    client = await connect(running, trusting)
    client.get("/livez")
    assert await client.answer() == (200, b"ok")
    await client.close()


def test_tcp_speaks_tls_1_2_and_1_3_and_http_1_1_on_it(secure: ssl.SSLContext, authority: Authority) -> None:
    async def test(running: Inside) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            trusting = authority.trusted()
            trusting.minimum_version = trusting.maximum_version = version
            trusting.set_alpn_protocols(["h2", "http/1.1"])
            client = await connect(running, trusting)
            client.get("/livez")
            assert await client.answer() == (200, b"ok")
            assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            await client.close()

    inside(test, secure)


def test_older_versions_are_refused(secure: ssl.SSLContext, authority: Authority) -> None:
    async def test(running: Inside) -> None:
        outdated = authority.trusted()
        outdated.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            outdated.minimum_version = outdated.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(running, outdated)

    inside(test, secure)


@pytest.mark.parametrize("sent", [b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x00\x01", b"\x80"])
def test_what_is_not_tls_is_told_so_and_its_connection_ends(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, sent: bytes
) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        client.send(sent)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body)["detail"] == "cannot speak plain HTTP here: say https://"
        await client.close()
        await still_answers(running, trusting)

    inside(test, secure)


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50)])
def test_a_handshake_that_is_not_done_in_time_is_cut_off(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(handshake, "PATIENCE", 0.3)

    async def test(running: Inside) -> None:
        client = await connect(running)
        begin = time.monotonic()
        client.send(sent)
        await client.rest()
        assert 0.2 < time.monotonic() - begin < PATIENCE / 2
        await client.close()
        await still_answers(running, trusting)

    inside(test, secure)


def test_who_never_finishes_a_handshake_makes_room_for_who_does(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 5)

    async def test(running: Inside) -> None:
        silent = [await connect(running) for _ in range(20)]
        for client in silent[:15]:
            assert await client.rest() == b""
        for _ in range(3):
            await still_answers(running, trusting)
        for client in silent:
            await client.close()

    inside(test, secure)


def test_a_client_that_leaves_in_the_middle_of_its_handshake_is_forgotten(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 3)

    async def test(running: Inside) -> None:
        idle = await connect(running, trusting)
        idle.get("/livez")
        await idle.answer()
        for _ in range(6):
            gone = await connect(running)
            gone.send(b"\x16\x03\x01")
            await gone.close()
        await asyncio.sleep(0)
        await still_answers(running, trusting)
        idle.get("/livez")  # if those who left still counted, this one would have made room
        assert (await idle.answer())[0] == 200
        await idle.close()

    inside(test, secure)


def test_an_end_that_the_client_does_not_confirm_is_the_end_all_the_same(
    secure: ssl.SSLContext, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "FAREWELL", 0.2)

    async def test(running: Inside) -> None:
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = authority.trusted().wrap_bio(down, up, server_hostname="localhost")
        client = await connect(running)
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(up.read())
                down.write(await client.reader.read(65_536))
        session.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        client.send(up.read())
        await client.rest()  # its close_notify is in there, and gets no answer
        await client.close()

    inside(test, secure)


def test_a_reader_over_tls_that_does_not_read_is_cut_off_as_early_as_over_tcp(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.connection.WRITE_PATIENCE", 0.2)
    unread = []

    def pause(protocol: connection.Connection) -> None:
        unread.append(protocol.transport.get_write_buffer_size())
        pausing(protocol)

    pausing = connection.Connection.pause_writing
    monkeypatch.setattr(connection.Connection, "pause_writing", pause)

    async def test(running: Inside) -> None:
        client = await connect(running, trusting)
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
        await still_answers(running, trusting)

    inside(test, secure)
    assert limits.UNREAD < unread[0] < 2 * limits.UNREAD


def test_no_bytes_whatever_they_are_end_the_server_or_fill_its_log(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(20_261_124)  # noqa: S311  the same bytes in every run
    up = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trusting.wrap_bio(ssl.MemoryBIO(), up, server_hostname="localhost").do_handshake()
    hello = up.read()

    async def one(running: Inside) -> None:
        client = await connect(running)
        spoilt = bytearray(hello[: dice.randrange(1, len(hello) + 1)])
        for _ in range(dice.randrange(4)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        client.send(bytes(spoilt) + dice.randbytes(dice.randrange(50)))
        if dice.random() < 0.5:
            client.writer.transport.abort()
        await client.close()

    async def test(running: Inside) -> None:
        for _ in range(15):
            await asyncio.gather(*(one(running) for _ in range(20)))
        await still_answers(running, trusting)

    inside(test, secure)
    assert capfd.readouterr().err == ""


# --- the start and the end of web ------------------------------------------------------------------


def test_web_reads_the_key_before_it_is_nobody_and_the_unix_socket_stays_plain(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    pair = authority.server("of-root")  # openssl makes keys that their owner alone may read
    files = {"cert": pair.cert, "key": pair.key, "client_ca": None}
    with served(tls=files, http_user="nobody") as web:
        assert web.ask_tls("/livez", trusting).text == "ok"
        assert web.ask_unix("/livez").text == "ok"


def test_web_that_cannot_use_its_files_says_so_and_serves_the_unix_socket_alone() -> None:
    log: list[str] = []
    files = {"cert": "/none.pem", "key": "/none.key", "client_ca": None}
    with served(tls=files, log=log) as web:
        assert web.ask_unix("/livez").text == "ok"
        with web.connect() as waiting:  # in the backlog, until another web can
            waiting.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            waiting.settimeout(0.2)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
    assert [line for line in log if "--tls-cert /none.pem: No such file" in line]


def test_web_says_that_clients_will_refuse_its_certificate(authority: Authority) -> None:
    pair = authority.server("expired", days=-1)
    log: list[str] = []
    with served(tls={"cert": pair.cert, "key": pair.key, "client_ca": None}, log=log):
        pass
    assert [line for line in log if f"clients will refuse --tls-cert {pair.cert}: " in line]


@pytest.mark.parametrize("how", ["plain", "connected", "secure"])
def test_who_was_accepted_before_web_is_replaced_is_answered_by_it(
    secure: ssl.SSLContext, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("web.connection.HANDOVER", PATIENCE)
    speaks = None if how == "plain" else secure

    async def test(running: Inside) -> None:
        client = await connect(running, trusting if how == "secure" else None)
        idle = await connect(running, None if how == "plain" else trusting)
        idle.get("/livez")
        await idle.answer()  # so the other one is accepted too
        running.ending.set()
        assert await idle.rest() == b""  # whoever is idle has been told to go
        if how == "connected":
            await client.writer.start_tls(trusting, server_hostname="localhost")
        client.get("/livez")
        answer = (await client.rest()).lower()
        assert answer.startswith(b"http/1.1 200 ")
        assert b"connection: close\r\n" in answer
        await client.close()
        await idle.close()
        async with asyncio.timeout(PATIENCE / 2):
            await running.done

    inside(test, speaks)


def test_who_came_long_ago_and_never_asked_does_not_hold_up_the_next_web(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(running: Inside) -> None:
        client = await connect(running)
        await still_answers(running, None)
        monkeypatch.setattr("web.connection.HANDOVER", -1)
        running.ending.set()
        assert await client.rest() == b""
        await client.close()

    inside(test)
