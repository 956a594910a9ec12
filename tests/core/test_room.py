"""room.py: how near the limits are, by files as cgroup v1 and v2 have them."""

from __future__ import annotations

import errno

import pytest

from initd import room

V1 = {"/proc/self/cgroup": "5:pids:/box\n1:name=systemd:/x\n0::/box", "at": "/sys/fs/cgroup/pids/box"}
V2 = {"/proc/self/cgroup": "0::/box", "at": "/sys/fs/cgroup/box"}
NAMESPACED = {"/proc/self/cgroup": "0::/elsewhere", "at": "/sys/fs/cgroup"}


def lay_out(patch: pytest.MonkeyPatch, place: dict[str, str], **pids: str) -> None:
    """These files are all that there is."""
    files = {"/proc/self/cgroup": place["/proc/self/cgroup"]}
    files |= {f"{place['at']}/pids.{name}": value for name, value in pids.items()}
    patch.setattr(room, "_read", lambda path: files.get(path, ""))


@pytest.mark.parametrize("place", [V1, V2, NAMESPACED])
@pytest.mark.parametrize(
    ("current", "limit", "is_short"),
    [
        ("7", "10", False),
        ("8", "10", True),
        ("10", "10", True),
        ("11", "10", True),
        ("950", "1000", False),
        ("951", "1000", True),
        ("1", "1", True),
        ("1000000", "max", False),
        ("", "", False),
        ("x", "10", False),
    ],
)
def test_pids_are_short_when_less_than_three_or_a_twentieth_are_left(
    monkeypatch: pytest.MonkeyPatch, place: dict[str, str], current: str, limit: str, is_short: bool
) -> None:
    lay_out(monkeypatch, place, current=current, max=limit)
    assert room.short() == (f"pids are short ({current} of {limit})" if is_short else "")


def test_without_a_control_group_nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_read", lambda _: "")
    assert room.short() == ""


def test_a_fork_that_failed_names_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(monkeypatch, V2, current="10", max="10")
    assert room.hit(errno.ENOMEM) == "memory"
    assert room.hit(errno.EAGAIN) == "cgroup_pids"


def test_the_count_of_kills_is_searched_for_once_and_again_when_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"/proc/self/cgroup": "4:memory:/a", "/sys/fs/cgroup/memory/a/memory.oom_control": "oom_kill 3"}
    read: list[str] = []

    def note(path: str) -> str:
        read.append(path)
        return files.get(path, "")

    monkeypatch.setattr(room, "_read", note)
    monkeypatch.setattr(room, "_oom_file", "")
    assert room.oom_kills() == 3
    read.clear()
    assert room.oom_kills() == 3
    assert read == ["/sys/fs/cgroup/memory/a/memory.oom_control"]
    del files[read[0]]
    assert room.oom_kills() is None
    files["/sys/fs/cgroup/memory/memory.oom_control"] = "under_oom 0\noom_kill 5"
    assert room.oom_kills() == 5
