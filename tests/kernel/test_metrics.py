"""Figures that only a real tree of processes can prove."""

from __future__ import annotations

from .client import wait_for
from .harness import scene


def test_cpu_time_of_the_tree_does_not_fall_when_a_busy_process_ends() -> None:
    spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
    busy = f"({spin}; echo burnt; until [ -e go ]; do sleep 0.05; done) &"
    with scene("sh", "-c", f"{busy} wait; echo gone; exec sleep 1000") as made:
        made.wait_out("burnt")
        before = made.metric("initd_tree_cpu_seconds_total")
        assert before > 0.05
        processes = made.metric("initd_tree_processes")
        (made.home / "go").touch()
        made.wait_out("gone")
        wait_for(lambda: made.metric("initd_tree_processes") < processes, "it to be gone")
        assert made.metric("initd_tree_cpu_seconds_total") >= before
