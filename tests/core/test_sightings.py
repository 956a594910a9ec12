"""sightings.py: what web saw reaches history, lineage and readiness; what is malformed changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.inputs import Asked, SpawnFailed

from .driver import QUICK, World, running

PROCESS = {"id": "60-600", "pid": 60, "name": "git"}
WORKER = {"id": "40-400", "pid": 40, "name": "worker", "cmdline": "worker --all"}


def say(world: World, **message: Any) -> None:
    world.feed(Asked(message))
    world.settle()


def adopted(world: World, **fields: Any) -> dict[str, Any]:
    """The event of a child that is met."""
    child = world.add_child("git")
    if fields.get("seen"):
        pair = [child.id.pid, child.id.starttime]
        say(world, t="seen", fresh=True, families=[{"parent": WORKER, "children": [pair]}], gone=[])
    world.ask("state")
    return world.history("adopted")[-1]


def test_an_orphan_that_web_saw_under_its_parent_is_adopted_from_it() -> None:
    event = adopted(running(), seen=True)
    assert (event["former_parent"], event["how"], event["why"]) == (WORKER, "seen", None)


def test_an_orphan_that_nobody_saw_says_why() -> None:
    event = adopted(running())
    assert (event["former_parent"], event["how"]) == (None, None)
    assert event["why"] == "nobody looked: web was not up yet"


def test_the_lineage_question_answers_by_former_parent() -> None:
    world = running()
    adopted(world, seen=True)
    answer = world.ask("lineage")
    assert [(one["name"], one["orphans"]) for one in answer["former_parents"]] == [("worker", 1)]


def test_a_watched_parents_end_makes_us_look_but_not_all_day() -> None:
    world = running()
    world.advance(1.5)
    looks = world.looks
    for _ in range(10):
        say(world, t="look")
    assert world.looks == looks + 1
    world.advance(0.06)
    assert world.looks == looks + 2, "what came too soon is made good"


def test_an_orphan_that_another_subreaper_took_is_counted_and_its_taker_known() -> None:
    world = running()
    say(world, t="observed", kind="reparented", process=PROCESS, former_parent=WORKER, new_parent=PROCESS)
    event = world.history("reparented")[-1]
    assert (event["former_parent"], event["new_parent"]) == (WORKER, PROCESS)
    assert world.ask("state")["counters"]["reparented"] == 1
    assert world.ask("lineage")["subreapers"] == [PROCESS]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("zombie.found", {"process": PROCESS, "culprit": WORKER, "count": 2, "total": 9}),
        ("zombie.gone", {"process": PROCESS, "culprit": None, "count": 2, "total": 0}),
        ("pids.high", {"current": 90, "max": 100}),
        ("pids.normal", {"current": 10, "max": 100}),
    ],
)
def test_what_web_observes_goes_into_the_history(kind: str, fields: dict[str, Any]) -> None:
    world = running()
    say(world, t="observed", kind=kind, **fields, more="not taken over")
    event = world.history(kind)[-1]
    assert {name: event[name] for name in fields} == fields
    assert "more" not in event


@pytest.mark.parametrize(
    "message",
    [
        {"t": "observed", "kind": "main.exited"},
        {"t": "observed"},
        {"t": "observed", "kind": "pids.high", "current": "many", "max": 1},
        {"t": "observed", "kind": "pids.high", "current": True, "max": 1},
        {"t": "observed", "kind": "zombie.found", "process": [], "culprit": None, "count": 1, "total": 1},
        {"t": "seen", "families": {}, "gone": []},
        {"t": "seen", "families": [{"parent": WORKER}], "gone": []},
        {"t": "seen", "families": [{"parent": WORKER, "children": [[1]]}], "gone": []},
        {"t": "seen", "families": [7], "gone": []},
        {"t": "seen", "families": [], "gone": [-1]},
        {"t": "census", "zombies": "none"},
        {"t": "census", "zombies": 1, "pids": {"current": "1", "max": 2}},
    ],
)
def test_what_is_malformed_changes_nothing_and_is_said_once(message: dict[str, Any]) -> None:
    world = running()
    before = world.desk.books.history.last
    for _ in range(2):
        world.feed(Asked(message))
    assert world.desk.books.history.last == before
    assert [level for level, text in world.logs if "not a message" in text] == ["warning"]


def test_texts_of_web_are_cut() -> None:
    world = running()
    long = {**PROCESS, "name": "x" * 100_000}
    say(world, t="observed", kind="reparented", process=long, former_parent=None, new_parent=None)
    assert len(world.history("reparented")[-1]["process"]["name"]) == 64


def test_web_cannot_push_what_people_did_out_of_the_history() -> None:
    world = running()
    world.ask("main.signal", signal="HUP", by={"role": "control", "peer": "unix"})
    for number in range(5_000):
        say(world, t="observed", kind="pids.high", current=number, max=1)
    assert len(world.history("signal.sent")) == 1
    assert len(world.history("pids.high")) == 200
    world.advance(1.0)
    for number in range(50):
        say(world, t="observed", kind="pids.high", current=number, max=1)
    assert len(world.history("pids.high")) == 220


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["pid", "id", "parent"]), inner)
    ),
    max_leaves=8,
)


@QUICK
@given(
    st.sampled_from(["seen", "look", "observed", "census", "checked"]),
    st.dictionaries(
        st.sampled_from(["families", "gone", "fresh", "kind", "process", "zombies", "pids", "n", "ok"]),
        json_values | st.sampled_from(["reparented", "pids.high"]),
    ),
)
def test_nothing_that_web_says_raises(kind: str, fields: dict[str, Any]) -> None:
    world = running()
    world.feed(Asked({**fields, "t": kind}))
    assert world.desk.books.main.process is not None


# --- thresholds of readiness ------------------------------------------------------------------------------


def readiness(world: World) -> dict[str, str | None]:
    return {check["name"]: check["why"] for check in world.ask("ping")["checks"]}


def test_thresholds_are_off_unless_asked_for() -> None:
    world = running()
    say(world, t="census", processes=9, zombies=4000, pids={"current": 99, "max": 100})
    assert not {"zombies", "pids"} & readiness(world).keys()


@pytest.mark.parametrize(
    ("zombies", "why"), [(0, None), (10, None), (11, "11 zombies, and at most 10 are borne")]
)
def test_too_many_zombies_make_it_unready(zombies: int, why: str | None) -> None:
    world = running("--ready-max-zombies", "10")
    say(world, t="census", processes=20, zombies=zombies, pids=None)
    assert readiness(world)["zombies"] == why


@pytest.mark.parametrize(
    ("pids", "why"),
    [
        ({"current": 90, "max": 100}, None),
        ({"current": 91, "max": 100}, "pids 91 of 100: fewer than 10 are left"),
        ({"current": 91, "max": None}, None),
        (None, None),
    ],
)
def test_too_few_pids_make_it_unready(pids: dict[str, Any] | None, why: str | None) -> None:
    world = running("--ready-free-pids", "10")
    say(world, t="census", processes=20, zombies=0, pids=pids)
    assert readiness(world)["pids"] == why


# --- which limit, which killer ------------------------------------------------------------------------------


def test_a_fork_that_failed_names_the_limit_that_was_hit() -> None:
    world = running("--restart", "always")
    world.failing["main"] = [SpawnFailed("main", "no", True, room="pids 10 of 10", limit="cgroup_pids")]
    world.end(world.pid(), 1)
    world.advance(1.0)
    event = world.history("fork.failed")[-1]
    assert (event["limit"], event["room"]) == ("cgroup_pids", "pids 10 of 10")
