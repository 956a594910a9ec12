"""The letterbox's codec: one datagram, one JSON object; and the spelling of times.

Pure: bytes and values, no sockets, no clock. Messages are listed in docs/letterbox.md.
"""

from __future__ import annotations

from initd.compact_json import decode as _decode
from initd.compact_json import encode as _encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

VERSION = 1
LIMIT = 65_536  # a datagram must fit the default socket buffer (212,992) more than three times

_second = (-1, "")  # the last one that was asked for, and its date


class Malformed(ValueError):
    """The other side sent what is not a message; the text says why."""


def encode(message: dict[str, Any]) -> bytes:
    """One message as one datagram. Raises Malformed when it would be longer than LIMIT."""
    data = _encode(message).encode("ascii")
    if len(data) > LIMIT:
        raise Malformed(f"cannot send {len(data)} bytes in one datagram: the limit is {LIMIT}")
    return data


def decode(data: bytes) -> dict[str, Any]:
    """One datagram as a message: an object with a string under "t". Raises Malformed."""
    if len(data) > LIMIT:
        raise Malformed(f"cannot read a datagram of {len(data)} bytes: the limit is {LIMIT}")
    try:
        message = _decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"cannot read a datagram: {error}") from None
    if not isinstance(message, dict) or not isinstance(message.get("t"), str):
        raise Malformed('cannot read a datagram: it is not an object with a "t"')
    return message


def shown(value: object) -> str:
    """What was sent in place of something else, for a message; never what is nested: it may be too deep."""
    text = repr(value) if isinstance(value, str | int | float | None) else "a " + type(value).__name__
    return text if len(text) <= 40 else text[:40] + "…"


def encode_event(event: dict[str, Any]) -> bytes:
    """One event on its own, as the history keeps it."""
    return _encode(event).encode("ascii")


def join_events(encoded: Iterable[bytes], head: bytes = b'{"t":"events"') -> Iterable[tuple[bytes, int]]:
    """Datagrams that carry already encoded events, as many in each as LIMIT allows, with their number.

    ``head`` is the open object that the list is put into. An event that alone is too long is
    left out; whoever reads finds the gap by its sequence number.
    """
    room = LIMIT - len(head) - len(b',"events":[]}')
    batch: list[bytes] = []
    used = 0
    for event in encoded:
        if batch and used + len(event) + 1 > room:
            yield _close(head, batch), len(batch)
            batch, used = [], 0
        if len(event) + 1 <= room:
            batch.append(event)
            used += len(event) + 1
    if batch:
        yield _close(head, batch), len(batch)


def _close(head: bytes, batch: list[bytes]) -> bytes:
    return head + b',"events":[' + b",".join(batch) + b"]}"


def rfc3339(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC with milliseconds: ``2026-11-24T05:38:20.123Z``.

    A storm has thousands of events in one second, so that its date is made once.
    """
    global _second  # noqa: PLW0603  a cache of one
    whole, millis = divmod(int(seconds * 1000), 1000)
    if whole != _second[0]:
        _second = whole, _date(whole)
    return f"{_second[1]}.{millis:03d}Z"


def _date(seconds: int) -> str:
    """Arithmetic instead of ``datetime`` (0.4 MB in PID 1).

    Days to date as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    """
    days, rest = divmod(seconds, 86_400)
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    minutes = rest // 60
    return f"{year:04d}-{month:02d}-{day:02d}T{minutes // 60:02d}:{minutes % 60:02d}:{rest % 60:02d}"
