"""One line for people on stderr, in the init's log. Never raises or waits, whatever stderr is."""

from __future__ import annotations

import functools
import os
import select
from contextlib import suppress


def say(text: str) -> None:
    """Write ``text`` as one line, whatever it holds."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    waiter = select.poll()
    waiter.register(2, select.POLLOUT)
    with suppress(OSError):  # stderr is closed or full; there is nobody left to tell
        if any(events & select.POLLOUT for _, events in waiter.poll(0)):
            os.write(2, f"initd web: {line}\n".encode("utf-8", "backslashreplace"))


@functools.cache
def once(text: str) -> None:
    """The same, but never again: for what goes on and on."""
    say(text)
