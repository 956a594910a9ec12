"""Stands in for web/__main__.py: runs the real one, REAL, unless the file MOOD is there; a test sets both.

At USR1 it computes for ever; at USR2 it sends garbage and floods into its own letterbox, and goes on.
"""

import os
import signal
import socket
import time
from pathlib import Path

REAL, MOOD = "?", "?"

GARBAGE = (  # no empty datagram: that cannot be told from a closed letterbox
    b"{",
    b"\xff" * 999,
    b"[" * 60_000,
    b'{"t":[]}',
    b'{"t":"attach","v":"?"}',
    b'{"t":"ask","n":{},"what":[]}',
    b'{"t":"ask","n":-1,"what":"history","after":0}',
    b'{"t":"ask","n":1e999,"what":"signal","pid":1e999}',
    b'{"t":"ask","n":-2,"what":"signal","pid":1,"signal":"KILL","by":7}',
    b'{"t":"checked","n":7,"ok":"perhaps"}',
    b'{"t":"seen","fresh":true,"families":[],"gone":[3,4,5]}',
    b'{"t":"seen","fresh":1,"families":[[]],"gone":{}}',
    b'{"t":"look"}',
    b'{"t":"observed","kind":"pids.high","current":1,"max":2}',
    b'{"t":"observed","kind":"main.exited"}',
    b'{"t":"census","zombies":-1}',
    b'{"t":"bye"}',
)


def compute(*_: object) -> None:
    while True:
        pass


def rave(*_: object) -> None:
    """For a tenth of a second, as fast as there is room."""
    box = socket.socket(fileno=os.dup(3))
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        for word in GARBAGE:
            try:
                box.send(word)
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:  # nobody listens any more
                return


signal.signal(signal.SIGUSR1, compute)
signal.signal(signal.SIGUSR2, rave)
if Path(MOOD).exists():
    raise ImportError("cannot import web: it is in the mood for it")
exec(compile(Path(REAL).read_text(), REAL, "exec"))  # noqa: S102  as runpy would have
