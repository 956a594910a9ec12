"""initd.waiting with real children, in a process of its own: reaping anybody would take the tests'."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

BEGIN = """
import json, os, signal
from initd import waiting

def born(code, count):
    pids = []
    for _ in range(count):
        pid = os.fork()
        if not pid:
            os._exit(code)
        pids.append(pid)
    for pid in pids:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pids

def stays():
    pid = os.fork()
    if not pid:
        signal.pause()
    return pid
"""


def said(code: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], stdout=subprocess.PIPE, timeout=30, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("how", ["reap_some", "reap_some_with_usage"])
def test_some_are_reaped_and_no_more_and_nobody_that_lives(how: str) -> None:
    seen = said(f"""
pids, living = born(3, 10), stays()
first, rest, none = waiting.{how}(4), waiting.{how}(100), waiting.{how}(100)
codes = {{os.waitstatus_to_exitcode(one[1]) for one in first + rest}}
print(json.dumps([len(first), len(rest), none, sorted(one[0] for one in first + rest) == sorted(pids),
                  codes == {{3}}, waiting.has_children()]))
os.kill(living, 9)
""")
    assert seen == [4, 6, [], True, True, True]


def test_without_children_nobody_is_reaped_and_that_is_no_error() -> None:
    seen = said("""
print(json.dumps([waiting.reap_some(9), waiting.reap_some_with_usage(9), waiting.peek(), waiting.reap(1),
                  waiting.has_children(), waiting.can_peek()]))
""")
    assert seen == [[], [], None, None, False, True]


def test_a_look_leaves_the_dead_where_it_is_and_its_reaping_says_what_it_used() -> None:
    seen = said("""
(pid,) = born(0, 1)
looks = [waiting.peek(), waiting.peek()]
reaped = waiting.reap(pid)
print(json.dumps([looks == [pid, pid], reaped.pid == pid, reaped.cpu_seconds >= 0,
                  reaped.max_resident_bytes > 1e6, waiting.reap(pid)]))
""")
    assert seen == [True, True, True, True, None]
