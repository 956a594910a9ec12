"""catatonit 0.1.7 as a table.

Law of this file: what catatonit's users and their scripts can see of it, and nothing of how it is done.
Differences that are meant: main does not start with TSTP, TTIN and TTOU blocked, SIGCHLD ignored at
entry does not hang us, and a refusal to be a subreaper is a warning.
"""

from __future__ import annotations

import posix as os

from initd import __version__, signals
from initd.personas import Answer, Persona, Program, Row, put, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from initd.personas import Values

# Faults are its own; what a terminal tells a background job is ignored.
_FAULTS = ("FPE", "ILL", "SEGV", "BUS", "ABRT", "TRAP", "SYS")
_DROPPED = tuple((number, 0) for number in signals.JOB_CONTROL)
_MARKS = {"error": "ERROR", "warning": "WARN", "info": "INFO", "debug": "DEBUG", "trace": "DEBUG"}
_USAGE = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]"


def _usage(_: str) -> str:
    return _USAGE


def _help(called: str) -> str:
    return f"""\
{_USAGE}

options:
  -g              Forward signals to the program's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode: no program, until INT or TERM.
  -V, --version   Print version information.

This is initd {__version__}, called as {called}; INITD_LISTEN turns its HTTP on."""


def _license(_: str) -> str:
    return f"initd {__version__} is free software under the MIT license: LICENSE in its distribution."


def _version(_: str) -> str:
    """docker asks its init for tini's version, and catatonit answers so; so do we."""
    return "tini version 0.1.7_catatonit"


def _missing(_: str) -> str:
    return f"{_form('error', 'missing program name', os.getpid())[1]}\n{_USAGE}"


def _reserved(_: Values, __: str) -> None:
    raise Answer(_form("error", "CATATONIT_LOG is reserved for future use", os.getpid())[1], 1)


def _form(level: str, text: str, pid: int) -> tuple[int, str]:
    return 2, f"{_MARKS[level]} (catatonit:{pid}): {text}"


def _finish(called: str, command: str, values: Values) -> Persona:
    if not command:  # a pause ends by INT and TERM, and by nothing else
        values["rewrite"] = (*_DROPPED, (signals.NUMBERS["QUIT"], 0))
    level = "trace" if values.pop("debugs", False) else "error"
    return Persona(
        called,
        level,
        _form,
        lambda kind, fields: tuple(("debug", text) for text in _voice(kind, fields, command)),
        lambda _command, number: (1, f"failed to exec pid1: {os.strerror(number)}"),
    )


def _voice(kind: str, fields: Mapping[str, Any], command: str) -> tuple[str, ...]:
    pid = fields["process"]["pid"] if "process" in fields else 0
    if kind == "main.started":
        return (f"pid1 ({pid}) spawned: {command}",)
    if kind == "reaped" and fields["origin"] == "adopted":
        return (f"child process {pid} exited {_how(fields)}",)
    return ()


def _how(fields: Mapping[str, Any]) -> str:
    if fields["signal"] is None:
        return f"with code {fields['code']}"
    return f"due to signal {signals.number_of(fields['signal'])}"


PROGRAM = Program(
    rows=(
        Row("g", put("group", True)),
        Row("P", put("pauses", True)),
        Row("h", show(_help, 2)),
        Row("L", show(_license, 1)),
        Row("V", show(_version, 1), name="version"),
    ),
    permutes=True,
    variables=(("CATATONIT_DEBUG", put("debugs", True)), ("CATATONIT_LOG", _reserved)),
    defaults={
        "own_signals": tuple(signals.NUMBERS[name] for name in _FAULTS),
        "rewrite": _DROPPED,
        "listen_pid": True,
    },
    finish=_finish,
    usage=_usage,
    missing=_missing,
    idle="pauses",
)
