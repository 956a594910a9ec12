"""Control groups: version 1, version 2, both at once, none, and this machine's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from web.cgroup import Groups, figures, find, pids

V2 = {
    "pids.current": "12\n",
    "pids.max": "1024\n",
    "pids.events": "max 7\n",
    "memory.current": "1000\n",
    "memory.max": "max\n",
    "memory.peak": "2000\n",
    "memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n",
    "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 9\nnr_throttled 4\n"
    "throttled_usec 1500000\n",
    "cpu.max": "150000 100000\n",
    "cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n",
    "io.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=3000000\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n",
}
V1 = {
    "pids": {"pids.current": "12\n", "pids.max": "max\n", "pids.events": "max 7\n"},
    "memory": {
        "memory.usage_in_bytes": "1000\n",
        "memory.limit_in_bytes": "9223372036854771712\n",
        "memory.max_usage_in_bytes": "2000\n",
        "memory.failcnt": "3\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    },
    "cpu,cpuacct": {
        "cpuacct.usage": "2500000000\n",
        "cpuacct.stat": "user 200\nsystem 50\n",
        "cpu.cfs_quota_us": "150000\n",
        "cpu.cfs_period_us": "100000\n",
        "cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n",
    },
}
COMMON = {
    "pids_current": 12,
    "pids_limit_hits_total": 7,
    "memory_current_bytes": 1000,
    "memory_peak_bytes": 2000,
    "memory_limit_hits_total": 3,
    "memory_oom_kills_total": 1,
    "cpu_usage_seconds_total": 2.5,
    "cpu_max_cores": 1.5,
    "cpu_periods_total": 9,
    "cpu_throttled_periods_total": 4,
    "cpu_throttled_seconds_total": 1.5,
}


def put(where: Path, files: dict[str, str]) -> None:
    where.mkdir(parents=True)
    for name, text in files.items():
        (where / name).write_text(text)


def escaped(path: Path) -> str:
    return str(path).replace(" ", "\\040")


def self_of(where: Path, cgroup: str, mounts: list[tuple[str, Path, str, str]]) -> str:
    """A fake /proc/self: mounts are (root, point, kind, super options)."""
    lines = [
        f"30 1 0:9 {root} {escaped(point)} rw,relatime shared:1 - {kind} {kind} {options}\n"
        for root, point, kind, options in mounts
    ]
    put(where / "self", {"cgroup": cgroup, "mountinfo": "".join(lines)})
    return str(where / "self")


def test_version_2(tmp_path: Path) -> None:
    put(tmp_path / "fs" / "box", V2)
    groups = find(self_of(tmp_path, "0::/box\n", [("/", tmp_path / "fs", "cgroup2", "rw")]))
    assert groups == Groups({}, str(tmp_path / "fs" / "box"))
    assert pids(groups) == (12, 1024)
    assert figures(groups) == pytest.approx(
        COMMON
        | {
            "pids_max": 1024,
            "cpu_user_seconds_total": 2.0,
            "cpu_system_seconds_total": 0.5,
            "pressure_cpu_waiting_seconds_total": 1.0,
            "pressure_io_waiting_seconds_total": 3.0,
            "pressure_io_stalled_seconds_total": 2.0,
        }
    )


def test_version_1_with_a_container_s_mounts_of_its_own_part_only(tmp_path: Path) -> None:
    cgroup, mounts = "", []
    for number, (controllers, files) in enumerate(V1.items(), 2):
        put(tmp_path / controllers, files)
        cgroup += f"{number}:{controllers}:/docker/abc\n"
        mounts.append(("/docker/abc", tmp_path / controllers, "cgroup", f"rw,{controllers}"))
    groups = find(self_of(tmp_path, cgroup, mounts))
    assert groups.v1["cpuacct"] == groups.v1["cpu"] == str(tmp_path / "cpu,cpuacct")
    assert pids(groups) == (12, None)
    ticks = os.sysconf("SC_CLK_TCK")
    split = {"cpu_user_seconds_total": 200 / ticks, "cpu_system_seconds_total": 50 / ticks}
    assert figures(groups) == pytest.approx(COMMON | split)


def test_both_at_once_takes_each_figure_from_where_its_controller_is(tmp_path: Path) -> None:
    put(tmp_path / "pids" / "box", V1["pids"])
    put(tmp_path / "unified" / "box", {"memory.current": "5\n", "memory.pressure": V2["io.pressure"]})
    mounts = [
        ("/", tmp_path / "pids", "cgroup", "rw,pids"),
        ("/", tmp_path / "unified", "cgroup2", "rw"),
        ("/", tmp_path / "tmp", "tmpfs", "rw"),
    ]
    groups = find(self_of(tmp_path, "8:pids:/box\n0::/box\n", mounts))
    assert figures(groups) == {
        "pids_current": 12,
        "pids_limit_hits_total": 7,
        "memory_current_bytes": 5,
        "pressure_memory_waiting_seconds_total": 3.0,
        "pressure_memory_stalled_seconds_total": 2.0,
    }


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("/", "/host/path/unseen"),
        ("/docker/abc", "/docker/abcdef"),
        ("/docker/abc", "/other"),
        ("/", "/../../outside"),
    ],
)
def test_a_path_that_is_not_there_means_the_mount_itself(tmp_path: Path, root: str, path: str) -> None:
    put(tmp_path / "a mount", V1["pids"])
    put(tmp_path / "outside", {})
    mounts = [(root, tmp_path / "a mount", "cgroup", "rw,pids")]
    assert find(self_of(tmp_path, f"3:pids:{path}\n", mounts)).v1 == {"pids": str(tmp_path / "a mount")}


@pytest.mark.parametrize("text", ["", "0::/\n", "rubbish\n"])
def test_where_there_is_none_there_is_nothing_to_say(tmp_path: Path, text: str) -> None:
    groups = find(self_of(tmp_path, text, []))
    assert groups == find(str(tmp_path / "nothing")) == Groups({}, None)
    assert figures(groups) == {}
    assert pids(groups) == (None, None)


def test_files_of_another_form_are_left_out(tmp_path: Path) -> None:
    rubbish = dict.fromkeys(V2, "rubbish rubbish\n") | {"pids.current": "", "pids.max": "\xe9\n"}
    put(tmp_path / "fs", rubbish)
    assert figures(Groups({}, str(tmp_path / "fs"))) == {}


def test_this_machine_s_figures_are_numbers_and_time_goes_on() -> None:
    before, after = figures(), figures()
    assert before.keys() == after.keys()
    for name, value in after.items():
        assert value >= 0
        if name.endswith("_total"):
            assert value >= before[name]
