"""What can go wrong, named by whose fault it is, and the exit code of each.

Law of this file: every message is one line that begins "cannot …"; nothing else of initctl ends it.
"""

from __future__ import annotations

OK, FAILED, USAGE, UNREACHABLE, REFUSED = range(5)
INTERRUPTED, PIPE_CLOSED = 130, 141  # 128 + INT and 128 + PIPE, as a shell says it


class CtlError(Exception):
    """The text is the line to show, ``code`` what to exit with."""

    code = FAILED


class Unknown(CtlError):
    """It was told to, and whether it was done cannot be said yet."""


class Usage(CtlError):
    """The words, or the environment's, do not fit together."""

    code = USAGE


class Unreachable(CtlError):
    """Nobody answered, or not as an HTTP server does."""

    code = UNREACHABLE


class Refused(CtlError):
    """initd answered no, or what answered is not initd."""

    code = REFUSED
