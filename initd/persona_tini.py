"""tini 0.19.0 as a table; docker-init is the same program under another name.

Law of this file: what tini's users and their scripts can see of it, and nothing of how it is done.
Differences that are meant: a forward that is refused (EPERM) is a warning and not our end; SIGCHLD
ignored at entry does not hang us; we do not take a terminal whose foreground another job has.
"""

from __future__ import annotations

import errno
import posix as os

from initd import __version__, signals
from initd.personas import Answer, Persona, Program, Row, count, leading_number, put, show
from initd.say import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Mapping
    from typing import Any

    from initd.personas import Lines, Values
else:
    import _signal

VERSION = "tini version 0.19.0"
# Faults are tini's own, and so are TTIN and TTOU, which it ignores.
_FAULTS = ("FPE", "ILL", "SEGV", "BUS", "ABRT", "TRAP", "SYS")
_IGNORED = ("TTIN", "TTOU")
_NO_NAMES = ("IO", "PWR", "STKFLT", "POLL", "IOT", "CLD")  # its list for -p lacks these
_MARKS = {"error": "FATAL", "warning": "WARN ", "info": "INFO ", "debug": "DEBUG", "trace": "TRACE"}
_CODES = {errno.ENOENT: 127, errno.EACCES: 126}
_PASSIVE = """\
Tini is not running as PID 1 and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a \
child subreaper, or run Tini as PID 1."""


def _usage(called: str) -> str:
    return f"""\
{called} ({VERSION})
Usage: {called} [OPTIONS] PROGRAM -- [ARGS] | --version

Run PROGRAM under an init that forwards signals and reaps ({called})

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper.
  -p SIGNAL: Get SIGNAL when the parent dies, e.g. "-p SIGKILL".
  -v: Say more. Repeat up to 3 times.
  -w: Warn of each process that is reaped.
  -g: Send signals to the process group of PROGRAM.
  -e EXIT_CODE: Make EXIT_CODE (from 0 to 255) a 0.
  -l: Show license and exit.

Environment variables:

  TINI_SUBREAPER: Register as a process subreaper.
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the process group of PROGRAM.

This is initd {__version__}, called as {called}; INITD_LISTEN turns its HTTP on.
"""


def _license(_: str) -> str:
    return f"initd {__version__} is free software under the MIT license: LICENSE in its distribution."


def _parent_death(values: Values, text: str) -> None:
    name = text.removeprefix("SIG")
    if name == text or name in _NO_NAMES or name not in signals.NUMBERS:
        raise _bad(values, "-p", text)
    values["parent_death_signal"] = signals.NUMBERS[name]


def _expect(values: Values, text: str) -> None:
    """As strtol(3) reads it: nothing at all is 0."""
    digits = text.lstrip()
    digits = digits[1:] if digits[:1] in ("+", "-") else digits
    if (text and not (digits.isascii() and digits.isdigit())) or not 0 <= int(text or "0") <= 255:
        raise _bad(values, "-e", text)
    values["expect_exit"] = (*values.get("expect_exit", ()), int(text or "0"))


def _bad(values: Values, option: str, text: str) -> Answer:
    persona = _persona(values["called"], "", values)
    return persona.refusal(f"Not a valid option for {option}: {text}")


def _verbosity(values: Values, text: str) -> None:
    """As atoi(3) reads it, into an unsigned number; it wins over any number of -v."""
    values["level"] = (leading_number(text) or 0) % 2**32


def _finish(called: str, command: str, values: Values) -> Persona:
    persona = _persona(called, command, values)
    values["adopts"] = values.get("subreaper", False)
    for name in ("level", "verbosity", "warns"):
        values.pop(name, None)
    return persona


def _persona(called: str, command: str, values: Values) -> Persona:
    level = values.get("level", 1 + values.get("verbosity", 0))
    warns = values.get("warns", False)
    return Persona(
        called,
        LEVELS[max(0, min(level, len(LEVELS) - 1))],
        _form,
        lambda kind, fields: _voice(kind, fields, command, warns),
        _exec_failure,
        _PASSIVE,
    )


def _form(level: str, text: str, pid: int) -> tuple[int, str]:
    return 2 if level in ("error", "warning") else 1, f"[{_MARKS[level]} tini ({pid})] {text}"


def _exec_failure(command: str, number: int) -> tuple[int, str]:
    return _CODES.get(number, 1), f"exec {command} failed: {os.strerror(number)}"


def _voice(kind: str, fields: Mapping[str, Any], command: str, warns: bool) -> Lines:
    pid = fields["process"]["pid"] if "process" in fields else 0
    if kind == "main.started":
        return (("info", f"Spawned child process '{command}' with pid '{pid}'"),)
    if kind == "signal.forwarded":
        return (("debug", f"Passing signal: '{_signal.strsignal(signals.number_of(fields['signal']))}'"),)
    if kind == "reaped" and fields["origin"] != "web":
        orphan = (("warning", f"Reaped zombie process with pid={pid}"),)
        heard = orphan if warns and fields["origin"] == "adopted" else ()
        return (("debug", f"Reaped child with pid: '{pid}'"), *heard)
    if kind == "main.exited":
        return (("info", f"Main child exited {_how(fields)}"),)
    return (("trace", "Exiting: child has exited"),) if kind == "shutdown" else ()


def _how(fields: Mapping[str, Any]) -> str:
    if fields["signal"] is None:
        return f"normally (with status '{fields['code']}')"
    return f"with signal (with signal '{_signal.strsignal(signals.number_of(fields['signal']))}')"


PROGRAM = Program(
    rows=(
        Row("h", show(_usage, 1)),
        Row("l", show(_license, 1)),
        Row("s", put("subreaper", True)),
        Row("p", _parent_death, takes=True),
        Row("v", count("verbosity")),
        Row("w", put("warns", True)),
        Row("g", put("group", True)),
        Row("e", _expect, takes=True),
    ),
    permutes=True,
    variables=(
        ("TINI_SUBREAPER", put("subreaper", True)),
        ("TINI_KILL_PROCESS_GROUP", put("group", True)),
        ("TINI_VERBOSITY", _verbosity),
    ),
    defaults={
        "own_signals": tuple(signals.NUMBERS[name] for name in _FAULTS),
        "rewrite": tuple((signals.NUMBERS[name], 0) for name in _IGNORED),
    },
    finish=_finish,
    usage=_usage,
    missing=_usage,
    version=VERSION,
)
