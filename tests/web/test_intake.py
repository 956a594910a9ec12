"""web.intake: what could be read in two ways is refused, and every form of target is one path."""

from __future__ import annotations

from typing import Any

import pytest

from web import intake, limits
from web.problem import Problem

CHUNKED, LENGTH = (b"transfer-encoding", b"chunked"), (b"content-length", b"3")
HOST = (b"host", b"initd:9911")


def scope(target: bytes, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"raw_path": target, "path": target.decode(), "headers": list(headers) or [HOST]}


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"/livez", "/livez", b"initd:9911"),
        (b"/a%20b", "/a%20b", b"initd:9911"),  # as uvicorn has left it
        (b"//other/livez", "//other/livez", b"initd:9911"),
        (b"http://other/livez", "/livez", b"other"),
        (b"HTTPS://other:1/a%20b", "/a b", b"other:1"),
        (b"http://[::1]:1", "/", b"[::1]:1"),
        (b"http://other/http://third/", "/http://third/", b"other"),
    ],
)
def test_a_target_is_a_path_and_an_absolute_one_says_the_host(target: bytes, path: str, host: bytes) -> None:
    seen = intake.origin_form(scope(target, HOST, (b"x", b"y")))
    assert (seen["path"], seen["raw_path"].count(b"://")) == (path, path.count("://"))
    assert [value for name, value in seen["headers"] if name == b"host"] == [host]
    assert (b"x", b"y") in seen["headers"]


@pytest.mark.parametrize(
    "target",
    [
        *(b"livez", b"*", b"other:443", b"http://", b"http:///livez", b"http://me@other/", b"ftp://other/"),
        *(b"http:/livez", b"https:livez", b"http://other?x", b"http://other#x", b"../livez", b"\\livez"),
    ],
)
def test_what_is_no_path_is_refused(target: bytes) -> None:
    with pytest.raises(Problem, match="cannot read this target") as caught:
        intake.origin_form(scope(target))
    assert caught.value.headers == {"Connection": "close"}


@pytest.mark.parametrize(
    ("version", "headers"),
    [("1.1", [LENGTH]), ("1.1", [CHUNKED]), ("1.0", [LENGTH]), ("1.0", []), ("1.2", [])],
)
def test_a_body_that_ends_in_one_way_is_let_in(version: str, headers: intake.Headers) -> None:
    intake.check_framing(version, headers)


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("1.1", [LENGTH, CHUNKED]),
        ("1.1", [CHUNKED, LENGTH]),
        ("1.0", [CHUNKED]),
        ("2.0", []),
        ("0.9", []),
        ("3.0", []),
    ],
)
def test_a_body_that_may_end_in_two_ways_is_refused(version: str, headers: intake.Headers) -> None:
    with pytest.raises(Problem) as caught:
        intake.check_framing(version, headers)
    assert caught.value.status == 400
    assert caught.value.headers == {"Connection": "close"}


def test_there_is_a_last_header() -> None:
    intake.check_size([HOST] * limits.HEADERS)
    with pytest.raises(Problem) as caught:
        intake.check_size([HOST] * (limits.HEADERS + 1))
    assert caught.value.status == 431
