"""Standard output and standard error where they take nothing: closed, full, or read by nobody.

Law of this file: that costs one line at most, and never another exit code than the one that was found out.
It is loaded only then.
"""

from __future__ import annotations

import errno
import io
import os
import sys

from web.ctl.errors import FAILED, PIPE_CLOSED
from web.ctl.show import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


class Closed(io.TextIOBase):
    """In the place of None, which Python has for a closed standard output, and which print tells nothing."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


def complain(text: str) -> None:
    """The one line on standard error, where that takes it."""
    if sys.stderr is None:  # print would take that for standard output
        return
    try:
        print(f"initctl: {clean(text)}", file=sys.stderr, flush=True)
    except OSError:
        _forget(sys.stderr)


def give_up(error: OSError) -> int:
    """Standard output takes no more: say why, and return the exit code of who had nothing else to do."""
    if not isinstance(sys.stdout, Closed):
        _forget(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    why = (error.strerror or str(error)).lower()
    complain(f"cannot print to standard output: {why}; send it where there is room, or to /dev/null")
    return FAILED


def _forget(stream: TextIO) -> None:
    """The interpreter flushes once more at its end: of what is left it would complain, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
