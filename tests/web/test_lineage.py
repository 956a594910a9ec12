"""web.lineage: what the core is told is what the scans showed, whatever happened between them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from initd import wire
from initd.procfs import Stat
from tests.web.rows import row, tree_of
from web.lineage import FULL, Change, Family, Lineage, Parent, datagrams
from web.tree import Tree, build

INIT = row(1, 0, "initd")


def line(pid: int) -> str | None:
    return f"line of {pid}"


def told(lineage: Lineage, *rows: Stat) -> Change:
    """What a scan of these, beside the init, makes news."""
    tree = tree_of(INIT, *rows)
    return lineage.take(tree, tree.rows.keys(), line)


def family(pid: int, *children: int, name: str = "x") -> Family:
    return Family(Parent(f"{pid}-{pid}", pid, name, line(pid)), [(child, child) for child in children])


def test_a_child_is_told_once_with_its_parent() -> None:
    lineage = Lineage()
    rows = [row(10, 1, "main"), row(11, 10), row(12, 10)]
    assert told(lineage, *rows) == Change([family(10, 11, 12, name="main")], [], [])
    assert told(lineage, *rows) == Change([], [], [])
    assert told(lineage, *rows, row(13, 11)) == Change([family(11, 13)], [], [])


def test_children_of_the_init_are_not_told() -> None:
    assert told(Lineage(), row(10, 1), row(11, 1)) == Change([], [], [])


def test_a_parent_that_executed_something_is_told_again_with_all_its_children() -> None:
    lineage = Lineage()
    told(lineage, row(10, 1, "sh"), row(11, 10), row(12, 10))
    change = told(lineage, row(10, 1, "git"), row(11, 10), row(12, 10))
    assert change.families == [family(10, 11, 12, name="git")]


def test_the_command_line_is_read_once_and_again_with_another_name() -> None:
    lineage, read = Lineage(), []

    def reader(pid: int) -> None:
        read.append(pid)

    for name in ("sh", "sh", "git"):
        tree = tree_of(INIT, row(10, 1, name), row(11, 10))
        lineage.take(tree, tree.rows.keys(), reader)
    assert read == [10, 10]


def test_the_memory_of_a_parent_that_hangs_is_not_touched_until_it_runs_again() -> None:
    lineage = Lineage()
    (first,) = told(lineage, row(10, 1, state="D"), row(11, 10)).families
    assert first.parent.cmdline is None
    assert told(lineage, row(10, 1), row(11, 10)).families == [family(10, 11)]
    assert told(lineage, row(10, 1), row(11, 10)).families == []


def test_an_adoption_by_the_init_is_not_told_so_that_the_former_parent_stays_known() -> None:
    lineage = Lineage()
    told(lineage, row(10, 1), row(11, 10))
    assert told(lineage, row(11, 1)) == Change([], [], [])
    assert told(lineage) == Change([], [11], [])


def test_a_process_that_ended_is_gone_once() -> None:
    lineage = Lineage()
    told(lineage, row(10, 1), row(11, 10), row(12, 10))
    assert told(lineage, row(10, 1), row(12, 10)).gone == [11]
    assert told(lineage, row(10, 1), row(12, 10)).gone == []


def test_a_pid_that_another_process_has_now_is_told_anew_and_not_gone() -> None:
    lineage = Lineage()
    told(lineage, row(10, 1), row(11, 10))
    change = told(lineage, row(10, 1), row(11, 10, starttime=99))
    assert change.families[0].children == [(11, 99)]
    assert change.gone == []
    assert told(lineage, row(10, 1), row(11, 1, starttime=200)).gone == [11]


def test_an_orphan_that_a_subreaper_takes_is_reparented_and_told_under_it() -> None:
    lineage = Lineage()
    told(lineage, row(10, 1, "tini"), row(11, 10, "worker"), row(12, 11, "job"))
    change = told(lineage, row(10, 1, "tini"), row(12, 10, "job"))
    assert change.reparented == [
        {
            "process": {"id": "12-12", "pid": 12, "name": "job"},
            "former_parent": {"id": "11-11", "pid": 11, "name": "worker", "cmdline": "line of 11"},
            "new_parent": {"id": "10-10", "pid": 10, "name": "tini"},
        }
    ]
    assert change.families == [family(10, 12, name="tini")]
    assert change.gone == [11]
    assert told(lineage, row(10, 1, "tini"), row(12, 10, "job")).reparented == []


def test_an_orphan_that_goes_to_someone_who_is_not_ours_is_reparented_once_and_forgotten() -> None:
    lineage = Lineage()
    host, init = row(1, 0, "systemd"), row(5, 1, "initd")
    before = tree_of(host, init, row(10, 5), row(11, 10), init=5)
    lineage.take(before, {5, 10, 11}, line)
    after = tree_of(host, init, row(11, 1), init=5)
    change = lineage.take(after, {5}, line)
    assert [event["new_parent"]["pid"] for event in change.reparented] == [1]
    assert (change.families, change.gone) == ([], [11])
    assert lineage.take(after, {5}, line) == Change([], [], [])


def test_parents_that_are_not_ours_are_not_told() -> None:
    tree = tree_of(row(1, 0), row(2, 1), row(3, 2), row(5, 1), row(6, 5), row(7, 6), init=5)
    assert [f.parent.pid for f in Lineage().take(tree, {5, 6, 7}, line).families] == [6]


# --- as messages ------------------------------------------------------------------------------------


def test_nothing_new_is_no_message_but_for_the_first_which_makes_the_core_forget() -> None:
    nothing = Change([], [], [])
    assert list(datagrams(nothing, False)) == []
    assert list(datagrams(nothing, True)) == [{"t": "seen", "fresh": True, "families": [], "gone": []}]


def test_a_family_of_thousands_is_split_into_datagrams_that_fit_and_lose_nobody() -> None:
    parent = Parent("1-1", 1, "\U0001f600" * 15, "\U0001f600" * 200)
    children = [(4_000_000 + n, 2**64 - 1) for n in range(5_000)]
    gone = list(range(4_000_000, 4_010_000))
    messages = list(datagrams(Change([Family(parent, children)], gone, []), True))
    assert [message["fresh"] for message in messages] == [True, *[False] * (len(messages) - 1)]
    assert max(len(wire.encode(message)) for message in messages) <= FULL + 1_000 < wire.LIMIT
    assert [pid for message in messages for pid in message["gone"]] == gone
    assert [c for m in messages for f in m["families"] for c in f["children"]] == children


class Model:
    """A core that believes what it is told: child -> start time and parent's id and name."""

    def __init__(self) -> None:
        self.children: dict[int, tuple[int, str, str]] = {}

    def hear(self, message: dict[str, Any]) -> None:
        for pid in message["gone"]:
            del self.children[pid]  # never told of one that it does not know
        for one in message["families"]:
            for pid, start in one["children"]:
                self.children[pid] = (start, one["parent"]["id"], one["parent"]["name"])


pids = st.integers(2, 9)
scans = st.lists(
    st.dictionaries(
        pids, st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("SD"), st.integers(0, 4))
    ).map(lambda found: {1: INIT} | {pid: row(pid, *values) for pid, values in found.items()}),
    max_size=6,
)


def expected(before: dict[int, tuple[int, str, str]], tree: Tree) -> dict[int, tuple[int, str, str]]:
    """Everyone's parent but the init's children's, who keep what was known of them."""
    found = {}
    for pid, one in tree.rows.items():
        parent = tree.rows.get(tree.parents.get(pid, 0))
        if parent is not None and parent.pid != tree.init:
            found[pid] = (one.starttime, f"{parent.pid}-{parent.starttime}", parent.name)
        elif pid in before and before[pid][0] == one.starttime:
            found[pid] = before[pid]
    return found


@settings(max_examples=300, deadline=None)
@given(scans)
def test_the_differences_add_up_to_what_the_scans_showed(scans: list[dict[int, Stat]]) -> None:
    lineage, model = Lineage(), Model()
    for number, rows in enumerate(scans):
        tree = build(rows, 1)
        believed = expected(model.children, tree)
        for message in datagrams(lineage.take(tree, tree.rows.keys(), line), not number):
            model.hear(wire.decode(wire.encode(message)))
        assert model.children == believed
