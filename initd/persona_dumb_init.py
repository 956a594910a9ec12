"""dumb-init 1.2.5 as a table.

Law of this file: what dumb-init's users and their scripts can see of it, and nothing of how it is done.
"""

from __future__ import annotations

import posix as os

from initd import __version__, signals
from initd.personas import Answer, Persona, Program, Row, leading_number, put, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from initd.personas import Values

_LAST = 31  # real-time signals have no number here
_TERM = signals.NUMBERS["TERM"]
_EXEC_FAILED = 2


def _version(_: str) -> str:
    return "dumb-init v1.2.5"


def _help(called: str) -> str:
    return f"""\
{_version(called)}
Usage: {called} [option] command [[arg] ...]

Runs the command in a session of its own and forwards signals to all of it.

Optional arguments:
   -c, --single-child   Forward signals to the command alone, in our own session.
   -r, --rewrite s:r    Forward signal s as r; 0 drops it. By number; can be repeated.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

This is initd {__version__}, called as {called}; INITD_LISTEN turns its HTTP on."""


def _try_help(called: str) -> str:
    return f"Usage: {called} [option] program [args]\nTry {called} --help for full usage."


def _rewrite(values: Values, text: str) -> None:
    """``s:r``, as sscanf reads "%d:%d": blanks before a number and anything after the last are well."""
    source, colon, target = text.partition(":")
    first, second = leading_number(source, whole=True), leading_number(target, whole=False)
    known = first is not None and 1 <= first <= _LAST and second is not None and 0 <= second <= _LAST
    if not colon or not known:
        raise Answer(
            f"Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and {_LAST}.\n"
            "This option can be specified multiple times.\nUse --help for full usage.",
            1,
        )
    values["rewrite"] = (*values.get("rewrite", ()), (first, second))


def _single(values: Values, _: str) -> None:
    values.update(session=False, own_group=False, farewell=False)


def _setsid(values: Values, text: str) -> None:
    if text == "0":
        _single(values, text)


def _debug(values: Values, text: str) -> None:
    if text == "1":
        values["debugs"] = True


def _finish(called: str, command: str, values: Values) -> Persona:
    level = "trace" if values.pop("debugs", False) else "warning"
    rewrite = dict(values.get("rewrite", ()))
    return Persona(
        called,
        level,
        lambda _level, text, _pid: (2, f"[dumb-init] {text}"),
        lambda kind, fields: tuple(("debug", text) for text in _voice(kind, fields, rewrite)),
        lambda _command, number: (_EXEC_FAILED, f"{command}: {os.strerror(number)}"),
    )


def _voice(kind: str, fields: Mapping[str, Any], rewrite: Mapping[int, int]) -> tuple[str, ...]:
    pid = fields["process"]["pid"] if "process" in fields else 0
    if kind == "main.started":
        return (f"Child spawned with PID {pid}.",)
    if kind == "signal.forwarded":
        received, sent = (signals.number_of(fields[name]) for name in ("received", "signal"))
        return (f"Received signal {received}.", *_forwarded(received, sent))
    if kind == "reaped" and fields["origin"] != "web":
        return (f"A child with PID {pid} {_how(fields)}.",)
    if kind == "shutdown":
        goodbye = f"Child exited with status {fields['code']}. Goodbye."
        return (*_forwarded(_TERM, rewrite.get(_TERM, _TERM)), goodbye)
    return ()


def _forwarded(received: int, sent: int) -> tuple[str, ...]:
    translated = () if received == sent else (f"Translating signal {received} to {sent}.",)
    done = (
        f"Forwarded signal {sent} to children." if sent else "Not forwarding signal 0 to children (ignored)."
    )
    return (*translated, done)


def _how(fields: Mapping[str, Any]) -> str:
    if fields["signal"] is None:
        return f"exited with exit status {fields['code']}"
    return f"was terminated by signal {signals.number_of(fields['signal'])}"


PROGRAM = Program(
    rows=(
        Row("h", show(_help, 2), name="help"),
        Row("c", _single, name="single-child"),
        Row("r", _rewrite, takes=True, name="rewrite"),
        Row("v", put("debugs", True), name="verbose"),
        Row("V", show(_version, 2), name="version"),
    ),
    permutes=False,
    variables=(("DUMB_INIT_DEBUG", _debug), ("DUMB_INIT_SETSID", _setsid)),
    defaults={
        "session": True,
        "suspends": True,
        "adopts": False,
        "farewell": True,
        "default_signals": True,
    },
    finish=_finish,
    usage=lambda _: "",
    missing=_try_help,
)
