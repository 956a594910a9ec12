"""initctl, the terminal's client of the HTTP API.

Law of this file: the way in and the exit codes. What can be said stands in verbs, what is done in actions,
how it looks in show, how it travels in client. Imports are late, and few: a health check runs this every few
seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the words say and return the exit code. Everything wrong is one line that begins "cannot …"."""
    from web.ctl.errors import INTERRUPTED, CtlError

    try:
        if sys.stdout is None:
            from web.ctl.output import Closed

            sys.stdout = Closed()
        # Names of processes are any bytes, and a terminal in the C locale must not make us die of one.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        code = _perform(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except CtlError as error:
        from web.ctl.output import complain

        complain(str(error))
        return error.code
    except OSError as error:  # of standard output: those of the network are CtlErrors by now
        from web.ctl.output import give_up

        return give_up(error)


def _perform(argv: Sequence[str]) -> int:
    from web.ctl.verbs import parse

    words = parse(argv)
    if words.verb == "check":
        from web.ctl.check import check

        return check(words)
    from web.ctl.actions import perform

    return perform(words)
