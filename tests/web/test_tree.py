"""The process tree: nothing lost, nothing twice, whatever a torn snapshot holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from initd.model import PROCESS_STATES
from initd.procfs import Stat
from tests.web.rows import row, tree_of
from web.answer import encode
from web.tree import (
    DEEPEST,
    build,
    descendants,
    drawn,
    nested,
    printable,
    relation,
    state_word,
)


def describe(r: Stat) -> dict[str, Any]:
    return {"pid": r.pid, "name": r.name, "started_at": r.starttime}


def flat(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node["children"]))


pids = st.integers(1, 12)
rows_by_pid = st.dictionaries(
    pids,
    st.tuples(
        st.integers(0, 14), st.text(max_size=4), st.sampled_from(sorted(PROCESS_STATES)), st.integers(0, 3)
    ),
    max_size=12,
).map(lambda found: {pid: row(pid, *values) for pid, values in found.items()})


@given(rows_by_pid, pids, pids)
def test_every_process_is_in_the_tree_exactly_once_whatever_the_links_say(
    rows: dict[int, Stat], main: int, web: int
) -> None:
    tree = build(rows, 1, main, web)
    assert sorted(tree.order) == sorted(rows)
    assert sorted(node["pid"] for node in flat(nested(tree, tree.roots, describe))) == sorted(rows)
    for pid, parent in tree.parents.items():
        assert tree.order.index(parent) < tree.order.index(pid)
        assert rows[parent].starttime <= rows[pid].starttime


@given(rows_by_pid)
def test_text_and_json_show_the_same_processes_in_the_same_order(rows: dict[int, Stat]) -> None:
    tree = build(rows, 1)
    lines = drawn(tree, tree.roots).splitlines()
    nodes = list(flat(nested(tree, tree.roots, describe)))
    assert len(lines) == len(nodes)
    assert all(f"({node['pid']})" in line for line, node in zip(lines, nodes, strict=True))


def test_the_init_is_the_first_root_and_processes_from_outside_are_further_ones() -> None:
    tree = tree_of(row(7, 0), row(2, 0), row(5, 0), row(9, 444), init=5)
    assert tree.roots == [5, 2, 7, 9]


def test_a_parent_that_started_after_its_child_is_another_process_with_an_old_pid() -> None:
    tree = tree_of(row(1, 0), row(30, 1, starttime=90), row(40, 30, starttime=50))
    assert tree.roots == [1, 40]
    assert descendants(tree, 30) == []


def test_a_chain_of_5000_is_walked_drawn_and_nested_without_recursion() -> None:
    tree = tree_of(*(row(pid, pid - 1) for pid in range(1, 5001)))
    assert len(descendants(tree, 1)) == 4999
    text = drawn(tree, tree.roots)
    assert text.count("\n") == 5000
    assert "[5000] x(5000)" in text
    assert len(text) < 5000 * 300, "the text of a chain must not grow with its square"
    assert relation(tree, 5000) == "adopted"


def test_the_deepest_json_that_may_be_asked_for_can_be_encoded_and_says_where_it_was_cut() -> None:
    tree = tree_of(*(row(pid, pid - 1) for pid in range(1, 1001)))
    roots = nested(tree, tree.roots, describe, DEEPEST)
    nodes = list(flat(json.loads(encode({"roots": roots}))["roots"]))
    assert len(nodes) == DEEPEST
    assert nodes[-1] == {
        "pid": DEEPEST,
        "name": "x",
        "started_at": DEEPEST,
        "children": [],
        "truncated": True,
    }
    assert not any("truncated" in node for node in nodes[:-1])


def test_a_tree_that_ends_on_the_last_level_is_not_called_truncated() -> None:
    tree = tree_of(row(1, 0), row(2, 1))
    assert [n.get("truncated") for n in flat(nested(tree, [1], describe, 2))] == [None, None]
    assert [n.get("truncated") for n in flat(nested(tree, [1], describe, 1))] == [True]


def test_text_is_drawn_as_pstree_does_with_the_states_that_matter() -> None:
    tree = tree_of(
        row(1, 0, "initd"),
        row(2, 1, "web"),
        row(3, 1, "sh"),
        row(4, 3, "git", "Z"),
        row(5, 3, "sleep", "T"),
        row(6, 1, "cron"),
        row(7, 6, "job", "R"),
        main=3,
        web=2,
    )
    assert drawn(tree, tree.roots) == (
        "initd(1)\n"
        "├─web(2)\n"
        "├─sh(3)\n"
        "│ ├─git(4) zombie\n"
        "│ └─sleep(5) stopped\n"
        "└─cron(6) adopted\n"
        "  └─job(7)\n"
    )
    assert drawn(tree, [3], 1) == "sh(3) …\n"


def test_an_orphan_in_the_text_says_whose_it_was() -> None:
    tree = tree_of(row(1, 0, "initd"), row(6, 1, "job"), row(7, 1, "cron"))
    worker = {"id": "5-1", "pid": 5, "name": "work\ner", "cmdline": None}
    assert drawn(tree, [1], former_parent=lambda r: worker if r.pid == 6 else None) == (
        "initd(1)\n├─job(6) adopted (was work\\ner(5))\n└─cron(7) adopted\n"
    )
    assert "adopted (was ?(5))" in drawn(tree, [1], former_parent=lambda _: worker | {"name": None})


def test_a_name_cannot_forge_a_line_or_move_the_cursor() -> None:
    assert printable("a\nb\x1b[2J\u202ec) d") == r"a\nb\x1b[2J\u202ec) d"
    tree = tree_of(row(1, 0, "evil\nroot(1)"))
    assert drawn(tree, tree.roots) == "evil\\nroot(1)(1)\n"


def test_adopted_are_the_init_s_children_other_than_main_and_web() -> None:
    tree = tree_of(row(1, 0), row(2, 1), row(3, 1), row(4, 1), row(5, 4), main=2, web=3)
    assert tree.adopted == {4}


def test_each_zombie_s_parent_is_told_apart() -> None:
    tree = tree_of(
        row(1, 0),
        row(2, 1),
        row(3, 1),
        row(4, 1),
        row(5, 2),
        row(6, 4),
        row(7, 0),
        main=2,
        web=3,
    )
    parents = {pid: relation(tree, pid) for pid in (1, 2, 5, 4, 6, 7, 3, None)}
    assert parents == {
        1: "init",
        2: "main",
        5: "descendant",
        4: "adopted",
        6: "adopted",
        7: "outside",
        3: "outside",
        None: "outside",
    }


def test_every_letter_of_any_kernel_has_one_of_our_words() -> None:
    words = {state_word(letter) for letter in "RSDTtZIXxKWP?"}
    assert words <= set(PROCESS_STATES.values())
    assert state_word("x") == "dead"
