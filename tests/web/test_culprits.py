"""web.culprits: every zombie has a parent to name, and a reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.procfs import Stat
from tests.web.rows import row, tree_of
from web.culprits import WHYS, by_parent, culprits, why
from web.tree import RELATIONS, Tree, build, zombies

OPEN = {"SigIgn": "0", "SigBlk": "0", "SigCgt": "0"}
CHLD = f"{1 << 16:016x}"  # signal 17


def describe(one: Stat) -> dict[str, Any]:
    return {"pid": one.pid, "name": one.name, "started_at": one.starttime}


def found(tree: Tree, masks: dict[str, str] | None = OPEN) -> list[dict[str, Any]]:
    return culprits(tree, describe, lambda parent: float(parent.pid), lambda _: masks)


rows_by_pid = st.dictionaries(
    st.integers(1, 12), st.tuples(st.integers(0, 14), st.sampled_from("SZRD"), st.integers(0, 3)), max_size=12
).map(lambda rows: {pid: row(pid, ppid, "x", state, start) for pid, (ppid, state, start) in rows.items()})


@given(rows_by_pid, st.integers(1, 12))
def test_culprits_account_for_every_zombie(rows: dict[int, Stat], main: int) -> None:
    tree = build(rows, 1, main)
    all_of_them = found(tree)
    assert sum(culprit["count"] for culprit in all_of_them) == len(zombies(tree))
    assert all(culprit["relation"] in RELATIONS for culprit in all_of_them)
    assert [c["count"] for c in all_of_them] == sorted((c["count"] for c in all_of_them), reverse=True)


def test_a_culprit_has_count_oldest_start_its_ten_commonest_names_and_ten_oldest_zombies() -> None:
    dead = [row(100 + n, 2, f"name{n % 12:02}", "Z", 500 - n) for n in range(25)]
    tree = tree_of(row(1, 0), row(2, 1), row(90, 444, "lost", "Z"), *dead, main=2)
    first, second = found(tree)
    assert first.pop("why")["code"] == "no_wait_seen"
    assert [zombie["id"] for zombie in first.pop("zombies")] == [f"{124 - n}-{476 + n}" for n in range(10)]
    assert first == {
        "process": {"pid": 2, "name": "x", "started_at": 2},
        "relation": "main",
        "count": 25,
        "oldest_at": 476,
        "names": ["name00", *(f"name{n:02}" for n in range(1, 10))],
        "growth_per_minute": 2.0,
    }
    assert (second["process"], second["growth_per_minute"]) == (None, None)
    assert (second["names"], second["why"]["code"]) == (["lost"], "unreadable")
    assert by_parent(tree, zombies(tree))[None] == [tree.rows[90]]


@pytest.mark.parametrize(
    ("state", "masks", "code"),
    [
        ("T", OPEN, "stopped"),
        ("t", OPEN, "stopped"),
        ("T", None, "stopped"),
        ("D", OPEN, "disk_sleep"),
        ("R", OPEN, "busy"),
        ("R", OPEN | {"SigBlk": CHLD}, "chld_blocked"),
        ("S", OPEN | {"SigIgn": CHLD}, "chld_ignored"),
        ("S", OPEN | {"SigCgt": CHLD}, "no_wait_seen"),
        ("S", OPEN, "no_wait_seen"),
        ("S", None, "unreadable"),
        ("S", {"SigIgn": "0"}, "unreadable"),
        ("S", OPEN | {"SigBlk": "rubbish"}, "unreadable"),
    ],
)
def test_the_reason_is_read_from_state_and_masks(state: str, masks: dict[str, str] | None, code: str) -> None:
    parent = row(7, 1, "evil\nname", state)
    reason = why(tree_of(row(1, 0), parent), parent, lambda _: masks)
    assert reason.code == code
    assert code in WHYS
    assert reason.detail.startswith(r"evil\nname(7) ")
    assert "{" not in reason.detail


def test_whether_it_catches_the_signal_is_in_the_sentence() -> None:
    parent = row(7, 1)
    tree = tree_of(row(1, 0), parent)
    assert "does not catch SIGCHLD" in why(tree, parent, lambda _: OPEN).detail
    assert "it catches SIGCHLD" in why(tree, parent, lambda _: OPEN | {"SigCgt": CHLD}).detail


def test_the_init_is_never_accused() -> None:
    tree = tree_of(row(1, 0, "initd"), row(2, 1, state="Z"))
    assert found(tree)[0]["why"]["code"] == "init"
