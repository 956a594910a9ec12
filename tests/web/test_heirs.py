"""web.heirs: the kernel's three steps, and how sure it is."""

from __future__ import annotations

from tests.web.rows import row, tree_of
from web.heirs import Heir, heir, known_subreapers
from web.tree import Tree

ROWS = [row(1, 0, "initd"), row(7, 1, "main"), row(8, 7, "worker"), row(9, 8, "job")]


def of(tree: Tree, pid: int, *subreapers: str, nested: bool = False) -> Heir:
    return heir(tree, tree.rows[pid], subreapers, nested)


def who(found: Heir) -> tuple[int | None, str, bool]:
    return (None if found.process is None else found.process["pid"], found.step, found.sure)


def test_a_child_of_the_init_leaves_its_children_to_it_for_sure() -> None:
    found = of(tree_of(*ROWS), 7)
    assert who(found) == (1, "init", True)
    assert found.detail == "initd(1), the init of the PID namespace"
    assert not found.live_thread


def test_whoever_stands_between_might_be_a_subreaper() -> None:
    found = of(tree_of(*ROWS), 9)
    assert who(found) == (1, "init", False)
    assert "unless one of worker(8), main(7) is a subreaper" in found.detail
    assert "unless main(7) is a subreaper" in of(tree_of(*ROWS), 8).detail


def test_the_nearest_that_was_seen_to_adopt_is_the_heir() -> None:
    tree = tree_of(*ROWS)
    assert who(of(tree, 8, "7-7")) == (7, "subreaper", True)
    assert who(of(tree, 9, "7-7", "8-8")) == (8, "subreaper", True)
    further = of(tree, 9, "7-7")
    assert who(further) == (7, "subreaper", False)
    assert "unless worker(8) is a subreaper" in further.detail


def test_another_process_with_the_pid_of_a_subreaper_is_none() -> None:
    assert who(of(tree_of(*ROWS), 8, "7-99")) == (1, "init", False)


def test_a_long_way_up_names_three() -> None:
    chain = [row(1, 0), *(row(pid, pid - 1) for pid in range(2, 12))]
    assert "unless one of x(10), x(9), x(8), … is a subreaper" in of(tree_of(*chain), 11).detail


def test_a_process_from_outside_leaves_its_children_to_the_init() -> None:
    tree = tree_of(*ROWS, row(20, 0, "sh"), row(21, 20, "curl"))
    assert who(of(tree, 20)) == (1, "init", True)
    assert who(of(tree, 21)) == (1, "init", False)


def test_with_the_init_of_the_namespace_everything_ends() -> None:
    assert who(of(tree_of(*ROWS), 1)) == (None, "init", True)


def test_a_pid_namespace_within_ours_has_an_init_of_its_own() -> None:
    assert who(of(tree_of(*ROWS), 8, nested=True)) == (None, "init", False)


def test_further_threads_keep_the_children_while_they_live() -> None:
    found = of(tree_of(*ROWS, row(10, 1, threads=4)), 10)
    assert found.live_thread
    assert found.detail.endswith("its children stay with the others")


def test_an_init_that_is_not_pid_1_is_a_subreaper_that_we_know() -> None:
    rows = [row(1, 0, "systemd"), row(5, 1, "initd"), row(7, 5, "main")]
    tree = tree_of(*rows, init=5)
    assert who(of(tree, 7, *known_subreapers(tree, "subreaper", []))) == (5, "subreaper", True)
    assert who(of(tree, 7, *known_subreapers(tree, "passive", []))) == (1, "init", False)
    assert known_subreapers(tree, "pid1", [{"id": "7-7", "pid": 7, "name": "x"}]) == {"7-7"}


def test_an_init_that_is_hidden_is_still_the_heir() -> None:
    assert who(of(tree_of(row(7, 1)), 7)) == (None, "init", True)
