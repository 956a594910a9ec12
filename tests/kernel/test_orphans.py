"""As PID 1: every orphan is adopted once and reaped once, whatever it does, and main is never mistaken."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from . import kernel
from .client import wait_for
from .harness import Scene, first, program, run, scene

STORM = 20_000


def orphans_of(made: Scene) -> list[dict[str, Any]]:
    """The adopted processes that are alive, by the API."""
    found: list[dict[str, Any]] = made.get("/api/v1/processes?adopted=true")["processes"]
    return found


def reaped(made: Scene, origin: str) -> float:
    return sum(
        made.metric("initd_reaped_total", origin=origin, outcome=how) for how in ("exited", "signaled")
    )


def test_twenty_thousand_orphans_are_each_adopted_and_reaped_exactly_once() -> None:
    with scene(*program("storm.sh", STORM)) as made:
        wait_for(lambda: "ready\n" in made.out(), "the end of the storm", 120)
        wait_for(lambda: made.status()["reaped"]["total"] >= STORM, f"{STORM} reaped")
        status = made.status()
        assert status["adopted"] == {"total": STORM, "alive": 0}
        assert status["reaped"]["total"] == STORM
        assert status["zombies"] == 0
        assert reaped(made, "adopted") == STORM
        assert made.metric("initd_adoptions_total") == STORM
        assert made.zombies() == []
        assert status["main"]["state"] == "running"
        assert made.stop() == 143


def test_a_crowd_that_exits_all_at_once_is_reaped_to_the_last() -> None:
    with scene(*program("crowd.py", 400, 9)) as made:
        made.ready()
        wait_for(lambda: made.status()["adopted"] == {"total": 400, "alive": 400}, "400 alive adopted ones")
        assert len(orphans_of(made)) == 400
        os.kill(made.main, signal.SIGUSR1)
        wait_for(lambda: made.status()["reaped"]["total"] == 400, "400 reaped")
        assert made.status()["adopted"] == {"total": 400, "alive": 0}
        assert made.metric("initd_adoptions_total", seen="alive") == 400
        assert made.metric("initd_adopted_processes") == 0
        ends = made.events("reaped")
        assert {event["code"] for event in ends if "count" not in event} == {9}
        assert sum(event.get("count", 1) for event in ends) == 400
        assert made.metric("initd_reaped_total", origin="adopted", outcome="exited") == 400


def test_in_a_storm_a_share_is_looked_at_and_the_rest_is_counted() -> None:
    with scene(*program("storm.sh", 2000)) as made:
        made.ready()
        wait_for(lambda: made.status()["reaped"]["total"] == 2000, "2000 reaped")
        ends = made.events("reaped")
        counted = [event for event in ends if "count" in event]
        assert sum(event["count"] for event in counted) == made.metric("initd_reaped_undescribed_total") > 0
        assert len(ends) - len(counted) >= 200
        assert all(event["exited"] + event["signaled"] == event["count"] for event in counted)
        assert made.status()["adopted"] == {"total": 2000, "alive": 0}
        unknown = made.get("/api/v1/lineage")["unknown"]
        assert unknown["orphans"] == 2000


def test_an_adoption_and_its_end_are_events_with_the_same_id() -> None:
    with scene(*program("crowd.py", 1, 5)) as made:
        made.ready()
        adopted = made.wait_event("adopted")
        orphan = orphans_of(made)[0]
        assert adopted["process"]["id"] == orphan["id"]
        assert orphan["ppid"] == 1
        os.kill(made.host(orphan["pid"]), signal.SIGKILL)
        gone = made.wait_event("reaped")
        assert (gone["process"]["id"], gone["signal"], gone["origin"]) == (orphan["id"], "KILL", "adopted")


def test_a_stopped_orphan_is_not_dead() -> None:
    with scene(*program("crowd.py", 1)) as made:
        made.ready()
        made.wait_event("adopted")
        pid = orphans_of(made)[0]["pid"]
        path = f"/api/v1/processes/{pid}"
        for name, letter, state in (("STOP", "T", "stopped"), ("CONT", "S", "sleeping")):
            made.post(f"{path}/signal", {"signal": name})
            wait_for(lambda: kernel.state(made.host(pid)) == letter, f"state {letter}")  # noqa: B023
            assert made.get(path)["state"] == state
        assert made.events("reaped") == []
        assert made.status()["adopted"] == {"total": 1, "alive": 1}


@pytest.mark.parametrize("restart", ["no", "always"])
def test_a_stopped_main_is_not_dead(restart: str) -> None:
    with scene(*program("catcher.py"), options=["--restart", restart]) as made:
        made.ready()
        pid = made.status()["main"]["pid"]
        os.kill(made.host(pid), signal.SIGSTOP)
        wait_for(lambda: kernel.state(made.host(pid)) == "T", "main to be stopped")
        main = made.status()["main"]
        assert (main["pid"], main["state"], main["last_exit"]) == (pid, "running", None)
        os.kill(made.host(pid), signal.SIGCONT)
        made.wait_out("18\n")
        assert made.status()["main"]["pid"] == pid
        assert made.events("main.exited") == []


@pytest.mark.parametrize("when", ["free", "told"])
def test_an_orphan_that_exits_with_mains_old_pid_is_not_main(tmp_path: Path, when: str) -> None:
    """``free``: while main waits for its restart; ``told``: when it runs again under another pid."""
    mark = tmp_path / "mark"
    with scene(*program("thief.py", when, mark), options=["--restart", "always"]) as made:
        made.ready()
        running = made.status()["main"]
        (tmp_path / "mark.go").touch()
        made.wait_out("stolen")
        old = made.events("main.exited")[0]["process"]["pid"]
        theft = wait_for(
            lambda: [e for e in made.events("reaped") if e["process"]["pid"] == old and e["code"] == 7],
            "the thief to be reaped",
        )
        assert [event["origin"] for event in theft] == ["adopted"]
        assert made.status()["main"] == running
        assert (running["restarts"], running["last_exit"]["code"]) == (1, 3)
        assert [event["code"] for event in made.events("main.exited")] == [3]


def test_children_present_at_entry_are_adopted_and_do_not_disturb() -> None:
    """A shell that became initd leaves it its children; one of them ends later."""
    before = first("sleep 100000 &\nsh -c 'while [ ! -e go ]; do sleep 0.05; done; exit 3' &")
    with scene(*program("catcher.py"), before=before) as made:
        made.ready()
        wait_for(lambda: made.status()["adopted"] == {"total": 2, "alive": 2}, "both to be adopted")
        (made.home / "go").touch()
        wait_for(lambda: made.status()["reaped"]["total"] == 1, "one to be reaped")
        status = made.status()
        assert status["adopted"] == {"total": 2, "alive": 1}
        assert (status["main"]["state"], status["main"]["restarts"]) == ("running", 0)
        assert [process["name"] for process in orphans_of(made)] == ["sleep"]
        assert made.zombies() == []


def test_the_exit_of_a_child_present_at_entry_is_not_mains() -> None:
    before = first("sh -c 'sleep 0.2; exit 9' &")
    with scene("sh", "-c", "sleep 0.6; exit 4", before=before, http=False) as made:
        assert made.wait() == 4


def test_a_main_that_exits_at_once_is_never_missed() -> None:
    assert [run("true", http=http)[0] for http in [False] * 15 + [True] * 5] == [0] * 20


def test_a_subreaper_adopts_what_pid_1_would() -> None:
    with scene(*program("crowd.py", 20), pid1=False) as made:
        made.ready()
        wait_for(lambda: made.status()["adopted"] == {"total": 20, "alive": 20}, "20 adopted ones")
        status = made.status()
        assert status["init"]["role"] == "subreaper"
        os.kill(made.host(status["main"]["pid"]), signal.SIGUSR1)
        wait_for(lambda: made.status()["reaped"]["total"] == 20, "20 reaped")
        assert made.stop() == 143
        assert (made.home / "left").read_text() == ""


def test_zombies_whose_parent_does_not_wait_are_reported_with_their_culprit() -> None:
    """No init can reap these: it can only say whose they are."""
    with scene(*program("zombies.py", 7)) as made:
        made.ready()
        main = made.status()["main"]
        assert made.status()["zombies"] == 7
        (culprit,) = made.get("/api/v1/zombies")["culprits"]
        assert (culprit["process"]["id"], culprit["count"]) == (main["id"], 7)
        assert made.metric("initd_zombies", parent="main") == 7
        os.kill(made.host(main["pid"]), signal.SIGUSR1)
        made.wait_out("reaped")
        wait_for(lambda: made.get("/api/v1/zombies")["total"] == 0, "no zombies")
        assert made.status()["reaped"]["total"] == 0


def test_zombies_become_ours_when_their_parent_dies() -> None:
    with scene("sh", "-c", f"{' '.join(program('zombies.py', 7))} & wait; exec sleep 100000") as made:
        made.ready()
        (culprit,) = made.get("/api/v1/zombies")["culprits"]
        made.post(f"/api/v1/processes/{culprit['process']['id']}/signal", {"signal": "KILL"})
        wait_for(lambda: made.status()["adopted"] == {"total": 7, "alive": 0}, "7 adopted dead")
        assert made.metric("initd_adoptions_total", seen="dead") == 7
        wait_for(lambda: made.zombies() == [], "no zombies")
