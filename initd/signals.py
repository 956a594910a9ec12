"""Signal names and numbers: ``TERM``, ``SIGTERM``, ``15``, ``RTMIN+3``. Pure; signal(7).

The table is the running C library's own, read once: numbers differ between architectures.
``_signal`` is the C half of ``signal``; the Python half would import enum into PID 1.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

RTMIN = int(_signal.SIGRTMIN)
RTMAX = int(_signal.SIGRTMAX)
_ALIASES = ("CLD", "POLL", "IOT")  # second names of CHLD, IO and ABRT
NUMBERS: dict[str, int] = {
    name[3:]: int(number)
    for name, number in vars(_signal).items()
    if name.startswith("SIG") and name[3:4].isalpha() and name[3:] not in ("RTMIN", "RTMAX")
    if isinstance(number, int) and name not in ("SIG_DFL", "SIG_IGN")
}
JOB_CONTROL = tuple(NUMBERS[name] for name in ("TSTP", "TTIN", "TTOU"))  # by these a terminal stops a job
STOPS = tuple(NUMBERS[name] for name in ("INT", "TERM", "QUIT"))  # by these an init is told to end
NAMES: dict[int, str] = {number: name for name, number in NUMBERS.items() if name not in _ALIASES}


class UnknownSignal(ValueError):
    """No such signal; the text is the one line to show."""


def name_of(number: int) -> str:
    """``15`` is ``TERM``, ``37`` is ``RTMIN+3``; a number with no name stays a number."""
    if number in NAMES:
        return NAMES[number]
    if RTMIN <= number <= RTMAX:
        return "RTMIN" if number == RTMIN else f"RTMIN+{number - RTMIN}"
    return str(number)


def parse(text: str | int) -> int:
    """A signal by name (with or without SIG, in any case) or number. Raises UnknownSignal."""
    word = str(text).strip().upper()
    word = word.removeprefix("SIG")
    number = NUMBERS.get(word) if word.isascii() else None
    if number is None:
        number = _real_time(word) if word.startswith("RT") else _numeric(word)
    if number is None or name_of(number) == str(number):
        shown = str(text)[:40]
        raise UnknownSignal(f"cannot find a signal named {shown!r}: say TERM, SIGTERM, 15 or RTMIN+3")
    return number


def number_of(name: str) -> int:
    """The way back from ``name_of``, which spells 32 and 33, the C library's own, as numbers."""
    return int(name) if name.isdigit() else parse(name)


def _numeric(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 4 else None


def _real_time(word: str) -> int | None:
    base, sign = (RTMIN, 1) if word.startswith("RTMIN") else (RTMAX, -1)
    mark = "+" if sign == 1 else "-"
    head, _, rest = word.partition(mark)
    if head != ("RTMIN" if sign == 1 else "RTMAX"):
        return None
    offset = 0 if word == head else _numeric(rest)
    if offset is None or offset > RTMAX - RTMIN:
        return None
    return base + sign * offset
