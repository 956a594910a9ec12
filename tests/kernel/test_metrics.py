"""Figures that only a real tree of processes can prove."""

from __future__ import annotations

import pytest

from .client import wait_for
from .harness import PYTHON, scene

# Where nobody waits for it, the kernel adds what a process used to nobody's.
BURN = """
import contextlib, os, signal, sys, time
if sys.argv[1] == "ignores":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if not os.fork():
    while time.process_time() < 0.5: pass
    print("burnt", flush=True)
    while not os.path.exists("go"): time.sleep(0.05)
    os._exit(0)
with contextlib.suppress(ChildProcessError): os.wait()
print("gone", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("main", ["waits", "ignores"])
def test_cpu_time_of_the_tree_does_not_fall_when_a_busy_process_ends(main: str) -> None:
    with scene(*PYTHON, "-c", BURN, main) as made:
        made.wait_out("burnt")
        before = made.metric("initd_tree_cpu_seconds_total")
        assert before > 0.05
        processes = made.metric("initd_tree_processes")
        (made.home / "go").touch()
        made.wait_out("gone")
        wait_for(lambda: made.metric("initd_tree_processes") < processes, "it to be gone")
        assert made.metric("initd_tree_cpu_seconds_total") >= before
