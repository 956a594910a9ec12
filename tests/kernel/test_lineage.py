"""From whom an orphan was adopted: seen, inferred from a leader that has ended, or unknown."""

from __future__ import annotations

import http.client
import os
import signal
from typing import Any

import pytest

from . import kernel
from .cgroup import limited
from .client import wait_for
from .harness import Scene, program, scene


def named(made: Scene, name: str) -> dict[str, Any]:
    """The one process of that name, by the API."""
    found: list[dict[str, Any]] = wait_for(
        lambda: made.get(f"/api/v1/processes?name={name}")["processes"], f"a process called {name}"
    )
    (one,) = found
    return one


def taken_at(made: Scene) -> str:
    moment: str = made.status()["snapshot"]["taken_at"]
    return moment


def look(made: Scene) -> None:
    """Wait until web has looked around, of its own accord, since now: the second look began after this."""
    moments = {taken_at(made)}

    def looked_twice() -> bool:
        moments.add(taken_at(made))
        return len(moments) > 2

    wait_for(looked_twice, "web's next looks")


def kill(made: Scene, process: dict[str, Any]) -> None:
    os.kill(made.host(process["pid"]), signal.SIGKILL)


def test_an_orphan_that_was_seen_with_its_parent_names_it() -> None:
    with scene(*program("family.py", "worker")) as made:
        made.ready()
        worker, kid = named(made, "worker"), named(made, "kid")
        look(made)
        kill(made, worker)
        event = made.wait_event("adopted")
        assert event["process"] == {"id": kid["id"], "pid": kid["pid"], "name": "kid"}
        assert (event["how"], event["why"], event["seen"]) == ("seen", None, "alive")
        former = event["former_parent"]
        assert {name: former[name] for name in ("id", "pid", "name")} == {
            "id": worker["id"],
            "pid": worker["pid"],
            "name": "worker",
        }
        assert "family.py worker" in former["cmdline"]
        assert named(made, "kid")["former_parent"] == former
        (group,) = made.get("/api/v1/lineage")["former_parents"]
        assert (group["name"], group["orphans"], group["alive"], group["how"]["seen"]) == ("worker", 1, 1, 1)


def test_the_dead_are_counted_with_their_lifetime() -> None:
    with scene(*program("family.py", "worker")) as made:
        made.ready()
        worker = named(made, "worker")
        look(made)
        kill(made, worker)
        made.wait_event("adopted")
        kill(made, named(made, "kid"))
        wait_for(lambda: made.get("/api/v1/lineage")["former_parents"][0]["dead"] == 1, "it to be counted")
        (group,) = made.get("/api/v1/lineage")["former_parents"]
        assert (group["alive"], group["median_lifetime_seconds"] > 0) == (0, True)


def test_a_parent_that_web_saw_is_known_although_web_is_dead_when_it_ends() -> None:
    with scene(*program("family.py", "worker")) as made:
        made.ready()
        worker = made.host(named(made, "worker")["pid"])
        look(made)
        os.kill(made.web, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        event = made.wait_event("adopted")
        assert (event["how"], event["former_parent"]["name"]) == ("seen", "worker")
        assert made.get("/api/v1/lineage")["former_parents"][0]["name"] == "worker"
        assert named(made, "kid")["former_parent"]["name"] == "worker"


@pytest.mark.parametrize("what", ["double", "fleeting"])
def test_a_parent_that_nobody_saw_is_inferred_only_if_it_led_a_group(what: str) -> None:
    """web is stopped meanwhile, as if it looked at the wrong moments."""
    with scene(*program("family.py", what)) as made:
        made.ready()
        look(made)
        web = made.web
        os.kill(made.host(made.status()["main"]["pid"]), 0)
        main = made.main
        os.kill(web, signal.SIGSTOP)
        os.kill(main, signal.SIGUSR1)
        made.wait_out("left")
        daemon = wait_for(
            lambda: next((pid for pid in kernel.children(made.init) if kernel.name(pid) == "daemon"), None),
            "the daemon",
        )
        session = kernel.session(daemon)
        os.kill(web, signal.SIGCONT)
        event = made.wait_event("adopted")
        assert event["process"]["name"] == "daemon"
        if what == "double":
            assert (event["how"], event["why"]) == ("inferred", None)
            assert event["former_parent"] == {"id": None, "pid": session, "name": None, "cmdline": None}
        else:
            assert (event["how"], event["former_parent"]) == (None, None)
            assert "came and went" in event["why"]


def test_an_orphan_that_a_nearer_subreaper_takes_is_reparented_and_its_taker_is_known_from_then_on() -> None:
    with scene(*program("family.py", "subreaper")) as made:
        made.ready()
        foster, worker, kid = (named(made, name) for name in ("foster", "worker", "kid"))
        unsure = made.get(f"/api/v1/processes/{worker['id']}")["would_adopt"]
        assert unsure["sure"] is False
        look(made)
        kill(made, worker)
        event = made.wait_event("reparented")
        assert (event["process"]["id"], event["former_parent"]["id"], event["new_parent"]["id"]) == (
            kid["id"],
            worker["id"],
            foster["id"],
        )
        assert made.metric("initd_reparented_total") == 1
        assert made.events("adopted") == []
        assert [one["id"] for one in made.get("/api/v1/lineage")["subreapers"]] == [foster["id"]]
        heir = made.get(f"/api/v1/processes/{kid['id']}")["would_adopt"]
        assert (heir["process"]["id"], heir["step"], heir["sure"]) == (foster["id"], "subreaper", True)


def test_nothing_stands_between_mains_children_and_the_init() -> None:
    with scene(*program("family.py", "worker")) as made:
        made.ready()
        main = made.status()["main"]["pid"]
        heir = made.get(f"/api/v1/processes/{main}")["would_adopt"]
        assert (heir["process"]["pid"], heir["step"], heir["sure"]) == (1, "init", True)


def answers(made: Scene) -> bool:
    try:
        return made.ask("GET", "/livez").status == 200
    except (OSError, http.client.HTTPException):
        return False


# --- why main ended -------------------------------------------------------------------------------------


def test_a_main_that_was_killed_for_memory_says_so() -> None:
    with (
        limited("memory") as group,
        scene(*program("family.py", "hog"), entry=group.enter, options=("--restart", "always")) as made,
    ):
        made.ready()
        group.limit(200 << 20)
        os.kill(made.main, signal.SIGUSR1)
        wait_for(lambda: "ended: killed by KILL (out of memory)" in made.err(), "main's end")
        group.limit(-1)  # web was the first victim, and has to come back before it can be asked
        wait_for(lambda: answers(made), "an answer of web")
        event = made.wait_event("main.exited")
        assert (event["signal"], event["oom"]) == ("KILL", True)
        assert made.status()["main"]["last_exit"]["oom"] is True


def test_a_main_that_somebody_killed_was_not_out_of_memory() -> None:
    with (
        limited("memory") as group,
        scene("sleep", "3600", entry=group.enter, options=("--restart", "always")) as made,
    ):
        os.kill(made.main, signal.SIGKILL)
        event = made.wait_event("main.exited")
        assert (event["signal"], event["oom"]) == ("KILL", False)
