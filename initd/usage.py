"""``initd --help``, made from the option table. Imported only when somebody asks."""

from __future__ import annotations

import textwrap

from initd import __version__
from initd.options import OPTIONS, Option

_HEAD = f"""\
initd {__version__}: a container's PID 1 that you can ask questions

usage: initd [OPTIONS] [--] COMMAND [ARG...]

Starts COMMAND, forwards signals to it, reaps every orphan, and exits with its exit code.
Beside that it answers over HTTP: curl localhost:9911/livez, /metrics, /api/v1/tree.
"""
_TAIL = """
Every option is also a variable, INITD_ and its long name: INITD_RESTART=always. A flag is 1 or 0,
a repeatable option is separated by commas; the command line wins. INITD_* never reaches COMMAND.

Exit codes: COMMAND's own; 128+N when it died of signal N; 127 not found; 126 not executable;
125 when initd refused.

Called as tini, docker-init, dumb-init or catatonit it is that program: options, words and codes.
"""


def render() -> str:
    """The whole text, at most 100 columns wide."""
    lines = [_HEAD]
    for row in (*OPTIONS, "Other", _OTHER_HELP, _OTHER_VERSION):
        lines.extend(_option(row) if isinstance(row, Option) else ["", f"{row}:"])
    return "\n".join(lines) + "\n" + _TAIL


_OTHER_HELP = Option("help", "h", None, None, False, "show this")
_OTHER_VERSION = Option("version", "V", None, None, False, "show the version")


def _option(row: Option) -> list[str]:
    short = f"-{row.short}, " if row.short else "    "
    value = "" if row.metavar is None else f"[={row.metavar}]" if row.implied else f" {row.metavar}"
    again = " (repeatable)" if row.many or row.count else ""
    left = f"  {short}--{row.name}{value}"
    body = textwrap.wrap(row.help + again, 66)
    first = f"{left:<33} {body[0]}" if len(left) < 33 else left
    rest = body[1:] if len(left) < 33 else body
    return [first, *(" " * 34 + line for line in rest)]
