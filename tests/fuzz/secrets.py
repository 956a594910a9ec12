"""Command lines on their way out: what is hidden stays hidden, and no name of a process costs any time.

Law of this file: tests/web/test_redact.py shows that what has a name or a shape is hidden; here, that no
neighbour brings it back.
"""

from __future__ import annotations

import os
import time

from tests.fuzz.target import Target
from web.redact import redact

SECRET = "hunter2-hunter2"
PLANTED = ("-v", f"--password={SECRET}", "--token", SECRET, f"postgres://u:{SECRET}@h/", "end")
PATIENCE = 2.0  # seconds of processor time; a line is read in well under a millisecond


def command_lines(data: bytes) -> None:
    """Words that a NUL ends, as in /proc/PID/cmdline."""
    words = [os.fsdecode(word) for word in data.split(b"\0")]
    begin = time.process_time()
    shown = redact(words)
    assert len(shown) == len(words)
    assert redact(shown) == shown
    assert shown[0].split()[:1] == words[0].split()[:1], "the program keeps its name"
    assert not any(SECRET in word for word in redact([*words, *PLANTED])[len(words) :])
    assert time.process_time() - begin < PATIENCE


TARGETS = (Target("command_lines", command_lines, 50_000),)
