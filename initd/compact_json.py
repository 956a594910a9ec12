"""JSON by the C half of the standard library alone: compact, strict, and no more than JSON allows. Pure.

``json`` imports ``re``, and that enum, functools and collections: 1.1 MB of PID 1 and half of the time that
the loop's imports take, for error messages and whitespace. Its encoder is also made anew for each value, a
third of what an event costs. ``_json`` has had this form for long; a test compares the two.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    _json: Any
else:
    import _json


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is no JSON")


def _number(text: str) -> float:
    """Only what can be sent on: Python reads NaN and 1e999, which are no JSON, or no number any more."""
    number = float(text)
    if number - number != 0:  # infinite, or none
        raise ValueError(f"{text[:20]} is no number")
    return number


class _Rules:
    """What the scanner asks for by name; json.decoder.JSONDecoder."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = staticmethod(_number)
    parse_int = int


_SPACE = " \t\n\r"
_chunks = _json.make_encoder(
    None, _refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, False
)
_scan = _json.make_scanner(_Rules)


def encode(value: object) -> str:
    """ASCII, without a space. Raises TypeError and ValueError for what is no JSON."""
    return "".join(_chunks(value, 0))


def decode(text: str) -> Any:
    """One value. Raises ValueError, or RecursionError where it is too deep."""
    text = text.strip(_SPACE)
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("there is no value") from None
    except (ImportError, OSError, SystemError):  # for its own error it looks for json.decoder: see GOTCHAS.md
        raise ValueError("it is no JSON") from None
    if end != len(text):
        raise ValueError("there is more than one value")
    return value
