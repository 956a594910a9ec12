"""sd_notify's words: one datagram of ``KEY=VALUE`` lines as values. Pure; sd_notify(3).

Law of this file: bytes in, values out. What a word means for main is readiness.py's. Unknown keys are
ignored, as the protocol asks; a value that is not what its key takes is left out like an unknown key.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIMIT = 8_192  # bytes of one message; systemd itself takes 4,096 for the text
_TEXT_LIMIT = 500  # characters of STATUS that are kept
_LONGEST = 10**13  # microseconds: four months
_FLAGS = ("READY", "RELOADING", "STOPPING", "BARRIER")
_NUMBERS = {
    "ERRNO": 4_096,
    "EXIT_STATUS": 255,
    "MAINPID": 2**22,
    "WATCHDOG_USEC": _LONGEST,
    "EXTEND_TIMEOUT_USEC": _LONGEST,
}


def parse(data: bytes) -> dict[str, Any]:
    """The keys that we know: flags as True, numbers as int, STATUS as text, WATCHDOG as "1" or "trigger"."""
    found: dict[str, Any] = {}
    for line in data.split(b"\n"):
        key, equals, raw = line.partition(b"=")
        name, value = key.decode("ascii", "replace"), raw.decode("utf-8", "backslashreplace")
        if equals:
            found.update(_known(name, value))
    return found


def _known(name: str, value: str) -> dict[str, Any]:
    if name in _FLAGS:
        return {name: True} if value == "1" else {}
    if name == "STATUS":
        return {name: value[:_TEXT_LIMIT]}
    if name == "WATCHDOG":
        return {name: value} if value in ("1", "trigger") else {}
    most = _NUMBERS.get(name)
    if most is None or not (value.isascii() and value.isdigit() and len(value) < 16) or int(value) > most:
        return {}
    return {name: int(value)}
