"""Small real process trees to look at: a Python child that forks what a test asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Every process of a scene reads stdin and ends with it, so that none outlives the test.
_PRELUDE = """
import json, os, sys
def stay():
    while os.read(0, 1): pass
    os._exit(0)
def name(text):
    with open("/proc/self/comm", "wb") as file: file.write(text)
def ready(**facts):
    print(json.dumps({"pid": os.getpid(), **facts}), flush=True)
def zombie(text):
    pid = os.fork()
    if not pid:
        name(text)
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid
"""


@contextmanager
def scene(code: str) -> Iterator[dict[str, Any]]:
    """Run ``code``, which calls ``ready`` once and then ``stay``; what it says is what we get."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _PRELUDE + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
