"""wire.py: every message comes back as it was, every other datagram is Malformed, times are RFC 3339."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import wire

from .driver import QUICK

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
MESSAGES = st.builds(
    lambda kind, rest: {**rest, "t": kind}, st.text(), st.dictionaries(st.text(), JSON, max_size=4)
)
HEAD = b'{"t":"reply","n":7'


@QUICK
@given(MESSAGES)
def test_a_message_comes_back_as_it_was(message: dict[str, Any]) -> None:
    data = wire.encode(message)
    assert data.isascii()
    assert wire.decode(data) == message


@QUICK
@given(st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    with contextlib.suppress(wire.Malformed):
        assert isinstance(wire.decode(data)["t"], str)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"null", b"[]", b'"t"', b"{}", b'{"t":1}', b'{"t":null}'),
        *(b"\xff\xfe", b'{"t":"x"} {"t":"y"}', b"[" * 5000, b'{"t":"x","n":' + b"9" * 5000 + b"}"),
    ],
)
def test_what_is_no_message_is_malformed(data: bytes) -> None:
    with pytest.raises(wire.Malformed, match=r"^cannot read a datagram: "):
        wire.decode(data)


def test_a_datagram_may_be_as_long_as_the_limit_and_no_longer() -> None:
    room = wire.LIMIT - len(wire.encode({"t": ""}))
    longest = wire.encode({"t": "x" * room})
    assert len(longest) == wire.LIMIT
    assert wire.decode(longest) == {"t": "x" * room}
    with pytest.raises(wire.Malformed, match="cannot send 65537 bytes"):
        wire.encode({"t": "x" * (room + 1)})
    with pytest.raises(wire.Malformed, match="cannot read a datagram of 65537 bytes"):
        wire.decode(longest + b" ")


def test_what_json_has_no_word_for_is_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        wire.encode({"t": "x", "n": float("nan")})


def events_of(datagrams: list[tuple[bytes, int]]) -> list[Any]:
    found: list[Any] = []
    for datagram, count in datagrams:
        assert len(datagram) <= wire.LIMIT
        message = json.loads(datagram)
        assert len(message["events"]) == count > 0
        found += message["events"]
    return found


@QUICK
@given(st.lists(st.integers(0, 40_000), max_size=30))
def test_all_events_come_out_once_and_in_order(sizes: list[int]) -> None:
    events = [{"seq": place, "name": "x" * size} for place, size in enumerate(sizes)]
    datagrams = list(wire.join_events(map(wire.encode_event, events), HEAD))
    assert events_of(datagrams) == events
    assert all(json.loads(datagram)["n"] == 7 for datagram, _ in datagrams)
    assert len(datagrams) <= 1 + 2 * sum(size + 30 for size in sizes) // wire.LIMIT


@pytest.mark.parametrize("head", [HEAD, b'{"t":"events"'])
@pytest.mark.parametrize("over", [0, 1])
def test_an_event_that_fits_alone_is_sent_and_one_byte_more_is_left_out(head: bytes, over: int) -> None:
    room = wire.LIMIT - len(head) - len(b',"events":[]}') - 1
    event = wire.encode_event({"seq": 2, "name": "x" * (room - len('{"seq":2,"name":""}') + over)})
    small = [wire.encode_event({"seq": seq}) for seq in (1, 3)]
    datagrams = list(wire.join_events([small[0], event, small[1]], head))
    assert [one["seq"] for one in events_of(datagrams)] == ([1, 3] if over else [1, 2, 3])


def test_no_events_are_no_datagram() -> None:
    assert list(wire.join_events([])) == []


def test_events_are_called_events_by_default() -> None:
    ((datagram, count),) = wire.join_events([b'{"seq":1}', b'{"seq":2}'])
    assert (datagram, count) == (b'{"t":"events","events":[{"seq":1},{"seq":2}]}', 2)


@QUICK
@given(st.integers(0, 253_402_300_799), st.integers(0, 999))
def test_times_are_those_of_datetime(seconds: int, millis: int) -> None:
    text = wire.rfc3339(seconds + (millis + 0.5) / 1000)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    expected = datetime.fromtimestamp(seconds, UTC).replace(microsecond=millis * 1000)
    assert datetime.fromisoformat(text) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400, "2000-02-29T00:00:00.000Z"),
        (1_709_164_800 + 86_399.999_5, "2024-02-29T23:59:59.999Z"),
        (1_735_689_599, "2024-12-31T23:59:59.000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000Z"),
    ],
)
def test_leap_days_and_the_last_second_of_a_year(seconds: float, text: str) -> None:
    assert wire.rfc3339(seconds) == text
