"""One line for people on stderr, in the init's log. Never raises: a full disk must not end web."""

from __future__ import annotations

import os
from contextlib import suppress


def say(text: str) -> None:
    """Write ``text`` as one line, whatever it holds."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    with suppress(OSError):  # stderr is closed or full; there is nobody left to tell
        os.write(2, f"initd web: {line}\n".encode("utf-8", "backslashreplace"))
