"""web.room: how much is left, with nothing guessed."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

from tests.web.rows import row
from web import cgroup
from web.room import kernel, limits_of, room, tasks
from web.sampler import Snapshot

NONE = cgroup.Groups({}, None)


def snapshot(*threads: int) -> Snapshot:
    rows = {pid: row(pid, 0, threads=number) for pid, number in enumerate(threads, 1)}
    return Snapshot(rows, 0.0, 0.0, 0.0, {})


def group(where: Path, **files: str) -> cgroup.Groups:
    for name, text in files.items():
        (where / name.replace("_", ".", 1)).write_text(text)
    return cgroup.Groups({}, str(where))


def test_a_group_of_version_2_shows_all_there_is(tmp_path: Path) -> None:
    pressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 total=500000\n"
    found = room(
        group(
            tmp_path,
            memory_current="1000\n",
            memory_max="4000\n",
            memory_events="low 0\nmax 3\noom_kill 2\n",
            cpu_max="150000 100000\n",
            cpu_stat="usage_usec 5\nnr_periods 1\nnr_throttled 1\nthrottled_usec 2500000\n",
            cpu_pressure=pressure,
        ),
        None,
    )
    assert found["memory"] == {"current_bytes": 1000, "max_bytes": 4000, "oom_kills": 2}
    assert found["cpu"] == {"max_cores": 1.5, "throttled_seconds": 2.5}
    assert found["pressure"]["cpu"] == {"some_seconds": 1.5, "full_seconds": 0.5}
    assert found["pressure"]["io"] == {"some_seconds": None, "full_seconds": None}


def test_where_there_is_no_group_all_of_it_is_null() -> None:
    found = room(NONE, None)
    assert set(found["memory"].values()) | set(found["cpu"].values()) == {None}
    assert found["pressure"] is None


def test_the_kernel_s_limits_are_those_of_this_machine() -> None:
    found = room(NONE, None)["kernel"]
    assert found["pid_max"] == int(Path("/proc/sys/kernel/pid_max").read_text())
    assert found["threads_max"] == kernel("threads-max") > found["threads"] > 1
    assert kernel("no-such-file") is None


def test_the_limit_of_processes_is_main_s_or_ours() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)

    def less() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (123, hard))

    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, preexec_fn=less) as main:  # noqa: PLW1509
        assert room(NONE, main.pid)["nproc"]["soft"] == 123
        assert main.stdin is not None
        main.stdin.close()
    ours = room(NONE, None)["nproc"]
    assert ours == {"soft": None if soft < 0 else soft, "hard": None if hard < 0 else hard}


@pytest.mark.parametrize("pid", [2**22 + 1, "nobody"])
def test_who_cannot_be_looked_at_has_no_known_limit(pid: int | str) -> None:
    assert limits_of(pid, "Max processes") == (None, None)
    assert limits_of(os.getpid(), "Max nonsense") == (None, None)


def test_tasks_are_the_group_s_or_counted_where_it_has_none(tmp_path: Path) -> None:
    assert tasks(snapshot(3, 4), 1, group(tmp_path, pids_current="70\n", pids_max="100\n")) == (70, 100)
    assert tasks(snapshot(3, 4), 1, NONE) == (7, None)
    assert tasks(snapshot(3, 4), 99, NONE) == (None, None), "whoever cannot see the init sees too little"
