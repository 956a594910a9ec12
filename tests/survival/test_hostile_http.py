"""Hostile requests: read in two ways, no HTTP, too long or too deep; over TCP and the unix socket."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from tests.kernel.client import DEADLINE

from .besieging import Fortress, fortress

END = b" HTTP/1.1\r\nHost: localhost\r\n"
NEXT = b"GET /readyz?smuggled" + END + b"\r\n"
SIGNAL = b"POST /api/v1/main/signal" + END + b"Content-Type: application/json\r\n"
FORM = b"POST /api/v1/main/signal" + END + b"Content-Type: application/x-www-form-urlencoded\r\n"


class Shape(NamedTuple):
    """What is sent, which statuses come back, and whether a request after it is still read."""

    sent: bytes
    statuses: tuple[int, ...]
    goes_on: bool = False


def asked(line: bytes, status: int, headers: bytes = b"", goes_on: bool = True) -> Shape:
    return Shape(line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n", (status,), goes_on)


def refused(headers: bytes, body: bytes = b"") -> Shape:
    """A POST that may end in several places, and so ends the connection."""
    return Shape(b"POST /livez" + END + headers + b"\r\n" + body, (400,))


def posted(body: bytes, *statuses: int, head: bytes = SIGNAL) -> Shape:
    return Shape(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body), statuses, goes_on=True)


def chunked(body: bytes, *statuses: int) -> Shape:
    return Shape(SIGNAL + b"Transfer-Encoding: chunked\r\n\r\n" + body, statuses, goes_on=bool(statuses))


CHUNKED, EMPTY = b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"
WINCH = b'{"signal":"WINCH"}'
SHAPES = {
    # where a body ends
    "length and chunks": refused(b"Content-Length: 5\r\n" + CHUNKED, EMPTY),
    "chunks and length": refused(CHUNKED + b"Content-Length: 0\r\n", EMPTY),
    "chunks twice": refused(CHUNKED + CHUNKED, EMPTY),
    "chunks in HTTP/1.0": Shape(b"POST /livez HTTP/1.0\r\n" + CHUNKED + b"\r\n" + EMPTY, (400,)),
    "two lengths": refused(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"12345"),
    "two lengths in one": refused(b"Content-Length: 5, 6\r\n", b"12345"),
    "the same length twice": asked(b"GET /livez", 200, b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "a request in a body": asked(
        b"GET /livez", 200, b"Content-Length: %d\r\n\r\n%b" % (len(NEXT), NEXT[:-2])
    ),
    **{
        f"length {word!r}": refused(b"Content-Length: %b\r\n" % word)
        for word in (b"+5", b"-1", b"0x5", b"5 5")
    },
    "length of 30 digits": refused(b"Content-Length: " + b"9" * 30 + b"\r\n"),
    "length of 5,000 digits": refused(b"Content-Length: " + b"9" * 5_000 + b"\r\n"),
    **{
        f"coding {word!r}": refused(b"Transfer-Encoding: %b\r\n" % word, EMPTY)
        for word in (
            b"xchunked",
            b"gzip",
            b"gzip, chunked",
            b"chunked, identity",
            b'"chunked"',
            b"",
            b"\x0bchunked",
        )
    },
    "space before the colon": refused(b"Transfer-Encoding : chunked\r\n", EMPTY),
    "a coding in a fold": asked(b"POST /livez", 405, b"Transfer-Encoding:\r\n chunked\r\n\r\n" + EMPTY[:-2]),
    "a folded first header": Shape(b"GET /livez HTTP/1.1\r\n Host: a\r\n\r\n", (400,)),
    "a return in a header": asked(b"GET /livez", 400, b"X: a\rContent-Length: 5\r\n", goes_on=False),
    # chunks
    "chunks": chunked(
        b"6;x=y\r\n" + WINCH[:6] + b"\r\n%x\r\n%b\r\n" % (len(WINCH) - 6, WINCH[6:]) + EMPTY, 200
    ),
    "trailers": chunked(b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(WINCH), WINCH), 200),
    **{
        f"chunk {line!r}": chunked(line + b"\r\nx\r\n" + EMPTY)
        for line in (b"-1", b"0x1", b" 1", b"", b"g", b"1_0", b"F" * 21, b"1\n", b";")
    },
    "a chunk longer than it says": chunked(b"1\r\nxxxx\r\n" + EMPTY),
    # the line
    "a target with its host": asked(b"GET http://localhost:9911/livez", 200),
    "HTTP/0.9": Shape(b"GET /livez\r\n\r\n", (400,)),
    "HTTP/2": Shape(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    "HTTP/2 by another name": Shape(b"GET /livez HTTP/2.0\r\nHost: a\r\n\r\n", (400,)),
    "TLS": Shape(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 30, (400,)),
    "two spaces": Shape(b"GET  /livez" + END + b"\r\n", (400,)),
    "tab": Shape(b"GET\t/livez" + END + b"\r\n", (400,)),
    **{
        f"{word!r}": asked(word, 400, goes_on=False)
        for word in (b"OPTIONS *", b"CONNECT a:443", b"GET livez")
    },
    **{
        f"{word!r}": asked(word + b" /livez", 405) for word in (b"OPTIONS", b"TRACE", b"get", b"DELETE", b"X")
    },
    "CONNECT to a path": asked(b"CONNECT /livez", 405),
    "no host": Shape(b"GET /livez HTTP/1.1\r\n\r\n", (400,)),
    "two hosts": asked(b"GET /livez", 400, b"Host: b\r\n", goes_on=False),
    # characters
    **{
        f"{path!r}": asked(b"GET " + path, 404)
        for path in (
            *(b"/livez%00", b"/%ff%fe", b"/%", b"/%zz", b"/livez%2f", b"/livez/", b"//livez", b"/./livez"),
            *(
                b"/static/..%2f..%2fetc%2fpasswd",
                b"/static/%2e%2e/app.py",
                b"/static/page.css%00",
                b"/livez;x",
            ),
        )
    },
    **{
        f"{path!r}": asked(b"GET " + path, 400, goes_on=False)
        for path in (b"/\x00", b"/\xff", b"/\xc3\xa9", b"/\x7f")
    },
    "odd query": asked(b"GET /livez?%ff=%00&verbose&verbose=&=&&;&%", 200),
    "bytes in a header": asked(b"GET /livez", 200, b"X: \xff\xfe\xc3\xa9\r\n"),
    "zero in a header": asked(b"GET /livez", 400, b"X: \x00\r\n", goes_on=False),
    "odd credentials": asked(b"GET /livez", 200, b"Authorization: Bearer \xff\xfe\r\n"),
    # too much
    "100 headers": asked(b"GET /livez", 200, b"X: y\r\n" * 99),
    "101 headers": asked(b"GET /livez", 431, b"X: y\r\n" * 100, goes_on=False),
    "thousands of headers": asked(b"GET /livez", 431, b"a:\r\n" * 4_000, goes_on=False),
    "a long header": asked(b"GET /livez", 431, b"X: " + b"y" * 20_000 + b"\r\n", goes_on=False),
    "a long target": asked(b"GET /" + b"y" * 20_000, 431, goes_on=False),
    "a large body": posted(b"x" * 65_537, 413),
    "a body that is said to be large": Shape(SIGNAL + b"Content-Length: 99999999999\r\n\r\nx", (413,)),
    # bodies
    "a signal": posted(WINCH, 200),
    "lists in lists": posted(b"[" * 65_536, 400),
    "objects in objects": posted(b'{"a":' * 13_000, 400),
    "a number of 5,000 digits": posted(b'{"signal":' + b"9" * 5_000 + b"}", 400),
    "a number beyond all": posted(b'{"signal":1e999}', 400),
    "half a character": posted(b'{"signal":"\\ud800"}', 422),
    "no text": posted(b"\xff\xfe\x00\xd8", 400),
    "a field many times": posted(b"&".join([b"signal=TERM"] * 101), 400, head=FORM),
    "a field that is no text": posted(b"signal=%ff", 400, head=FORM),
    # what is asked politely and not granted
    "a websocket": asked(b"GET /livez", 200, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    "h2c": asked(
        b"GET /livez", 200, b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    ),
    "a range": asked(b"GET /livez", 200, b"Range: bytes=0-0\r\n"),
    "100-continue": Shape(
        SIGNAL + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%b" % (len(WINCH), WINCH),
        (100, 200),
        True,
    ),
    "another expectation": asked(b"GET /livez", 200, b"Expect: 200-ok\r\n"),
}


@pytest.fixture(scope="module")
def fort() -> Iterator[Fortress]:
    with fortress("--anonymous", "control") as made:
        yield made
        assert len(made.made.err().splitlines()) < 6, made.made.err()
        assert made.made.status()["web"]["restarts"] == 0


def exchange(fort: Fortress, unix: bool, sent: bytes) -> bytes:
    """All that comes back to who sends this and ends his side."""
    sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    with sock:
        sock.settimeout(DEADLINE)
        sock.connect(str(fort.made.socket) if unix else ("127.0.0.1", fort.port))
        heard = b""
        with suppress(OSError):  # it may be ended while we still have much to say
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while piece := sock.recv(65_536):
                heard += piece
        return heard


def statuses(answers: bytes) -> tuple[int, ...]:
    return tuple(int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers))


@pytest.mark.survives(
    "requests that could be read in two ways, are no HTTP, too long or too deep", "one reading"
)
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_request_is_read_in_one_way(fort: Fortress, name: str, unix: bool) -> None:
    shape = SHAPES[name]
    assert statuses(exchange(fort, unix, shape.sent)) == shape.statuses
    answers = statuses(exchange(fort, unix, shape.sent + NEXT))
    assert answers == (*shape.statuses, *([200] if shape.goes_on else []))
    assert fort.probe() is not None


def test_a_head_has_no_body() -> None:
    with fortress() as fort:
        answer = exchange(fort, False, b"HEAD /livez" + END + b"\r\n")
        assert answer.endswith(b"\r\n\r\n")
        assert b"content-length: 2\r\n" in answer


def test_a_foreign_host_is_refused_in_a_target_too(fort: Fortress) -> None:
    for target, status in ((b"http://localhost/", 200), (b"http://evil.example/", 421), (b"/", 200)):
        assert statuses(exchange(fort, False, b"GET " + target + END + b"\r\n")) == (status,)


def test_a_hundred_requests_at_once_are_answered_in_order(fort: Fortress) -> None:
    wanted = [b"/livez", b"/nothing", b"/readyz", b"/metrics"] * 25
    sent = b"".join(b"GET " + path + END + b"\r\n" for path in wanted)
    expected = [404 if path == b"/nothing" else 200 for path in wanted]
    assert statuses(exchange(fort, False, sent)) == tuple(expected)
