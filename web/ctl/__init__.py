"""initctl, the terminal's client of the HTTP API.

Law of this file: the way in and the exit codes. What can be said stands in verbs, what is done in actions,
how it looks in show, how it travels in client. Imports are late, and few: a health check runs this every few
seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the words say and return the exit code. Everything wrong is one line that begins "cannot …"."""
    from web.ctl.errors import INTERRUPTED, PIPE_CLOSED, CtlError
    from web.ctl.show import clean

    try:
        # Names of processes are any bytes, and a terminal in the C locale must not make us die of one.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        code = _perform(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except CtlError as error:
        print(f"initctl: {clean(str(error))}", file=sys.stderr)
        return error.code


def _perform(argv: Sequence[str]) -> int:
    from web.ctl.verbs import parse

    words = parse(argv)
    if words.verb == "check":
        from web.ctl.check import check

        return check(words)
    from web.ctl.actions import perform

    return perform(words)
