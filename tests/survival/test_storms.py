"""Storms of processes: none stays a zombie, none is counted twice or not at all, and the house answers."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from initd.procfs import parse_stat
from initd.syscalls import TICKS_PER_SECOND
from tests.kernel import kernel
from tests.kernel.cgroup import limited
from tests.kernel.client import Answer, wait_for
from tests.kernel.harness import Scene, first, scene
from tests.kernel.test_lineage import look
from tests.kernel.test_orphans import reaped

from .following import PATIENCE, Kubelet, Reader
from .soak import soak

Figures = dict[str, object]

RATE = 20_000 / 60  # orphans a second
# Since Linux 6.14 each PID namespace has a pid_max of its own: on an older kernel it would be the machine's.
FEW_PIDS = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 14)
WHOLE_STORY = ("--history", "100000")


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Storms are made in C: those made in Python leave an init in Python too much time."""
    binary = str(tmp_path_factory.mktemp("weather") / "weather")
    source = Path(__file__).with_name("programs") / "weather.c"
    subprocess.run(["cc", "-O1", "-o", binary, str(source)], check=True)
    return binary


def pid_max(most: int) -> tuple[str, ...]:
    """Numbers come round after ``most``, the first 300 of which are never given out again."""
    return first(f"echo {most} >/proc/sys/kernel/pid_max") if FEW_PIDS else ()


def cpu_seconds(pid: int) -> float:
    stat = parse_stat(Path(f"/proc/{pid}/stat").read_bytes())
    return (stat.utime + stat.stime) / TICKS_PER_SECOND


def dead_children(pid: int) -> int:
    return sum(kernel.state(child) == "Z" for child in kernel.children(pid))


def births(file: Path) -> int:
    """A counter that a program keeps in a file."""
    return int.from_bytes(file.read_bytes(), "little")


def processes(events: list[dict[str, Any]], kind: str) -> list[str]:
    """The ids in the events of this kind; one that stands for many has none."""
    return [event["process"]["id"] for event in events if event["kind"] == kind and "count" not in event]


def told_of(events: list[dict[str, Any]], kind: str) -> int:
    """How many processes these events tell of: in a storm one stands for many."""
    return sum(event.get("count", 1) for event in events if event["kind"] == kind)


def settled(made: Scene, orphans: int, alive: int = 0) -> None:
    """Exactly so many were adopted, and all that died of them was reaped."""
    counts = {"total": orphans, "alive": alive}
    wait_for(lambda: made.status()["adopted"] == counts, lambda: f"{counts}, not {made.status()['adopted']}")
    assert reaped(made, "adopted") == orphans - alive
    assert dead_children(made.init) == 0


def ask_quickly(made: Scene, path: str, accept: str = "application/json") -> tuple[Answer, float]:
    """The answer, and how many seconds it took."""
    begun = time.monotonic()
    answer = made.ask("GET", path, headers={"Accept": accept})
    assert answer.status == 200, answer
    return answer, time.monotonic() - begun


@pytest.mark.survives(
    "20,000 orphans a minute for ten minutes, and pids that are used again every few seconds",
    "each is adopted once and reaped once; no zombie stays; a reader of the history misses nothing, "
    "and who comes later is told what is not kept any more",
)
def test_steady_rain_is_reaped_as_it_falls(weather: str, figures: Figures) -> None:
    count = soak(200_000, least=4_000)
    with scene(weather, "rain", f"{RATE:.0f}", str(count), before=pid_max(3_000)) as made:
        made.ready()
        reader, kubelet, init = Reader(made.get), Kubelet(made), made.init
        begun, spent, peak = time.monotonic(), cpu_seconds(init), 0
        told = 0
        while "over\n" not in made.out():
            peak = max(peak, dead_children(init))
            kubelet.probe()
            told += told_of(reader.read(), "reaped")
        share = (cpu_seconds(init) - spent) / (time.monotonic() - begun)
        settled(made, count)
        told += told_of(reader.read(), "reaped")
        assert reader.missed == 0
        assert told == count
        assert kubelet.darkest < PATIENCE
        assert made.status()["zombies"] == 0
        late = Reader(made.get)
        late.read()
        assert late.missed == max(0, made.status()["seq"] - 2_000)
        assert made.metric("initd_events_dropped_total") == 0
        figures |= {
            "orphans": f"{count:,}",
            "CPU of PID 1": f"{share:.1%} of a core",
            "only counted": f"{made.metric('initd_reaped_undescribed_total'):,.0f}",
            "zombies at most": peak,
            **kubelet.figures,
        }


@pytest.mark.survives(
    "signals by id to processes that have ended, while all pids are used again several times a second",
    "each is refused, and no stranger is hit",
)
def test_while_pids_go_round_no_signal_by_id_hits_a_stranger(weather: str, figures: Figures) -> None:
    count, hits = soak(60_000, least=3_000), "hits"
    main = (weather, "churn", "300", str(count), "300", hits)
    with scene(*main, before=pid_max(600), options=WHOLE_STORY) as made:
        made.ready()
        reader, answers, events = Reader(made.get), {404: 0, 409: 0}, []
        while "over\n" not in made.out():
            events += reader.read()
            for identity in processes(events, "reaped")[-600::20]:
                body = {"signal": "TERM"}
                answers[made.ask("POST", f"/api/v1/processes/{identity}/signal", body).status] += 1
        settled(made, count)
        assert births(made.home / hits) == 0
        assert min(answers.values()) > 0 or not FEW_PIDS
        events += reader.read()
        assert reader.missed == 0
        assert told_of(events, "reaped") == count
        for kind in ("adopted", "reaped"):
            assert len(processes(events, kind)) == len(set(processes(events, kind)))
        assert {event["origin"] for event in events if event["kind"] == "reaped"} == {"adopted"}
        assert (made.status()["main"]["restarts"], made.status()["web"]["restarts"]) == (0, 0)
        assert made.metric("initd_signals_total", signal="TERM", source="api") == 0
        figures |= {"reused": answers[409], "gone": answers[404], "hit": 0, "processes": f"{count:,}"}


@pytest.mark.survives(
    "5,000 living descendants, orphaned at one blow and killed at another",
    "all endpoints answer, every orphan is adopted once and reaped once",
)
def test_a_crowd_is_shown_adopted_and_reaped(weather: str, figures: Figures) -> None:
    count = soak(5_000, least=600)
    options = ("--group", "--stop-signal", "KILL", "--history", str(4 * count))
    with scene(weather, "crowd", str(count), options=options) as made:
        made.wait_out("over\n")
        seconds = {}
        text, seconds["tree as text"] = ask_quickly(made, "/api/v1/tree", "text/plain")
        assert text.text.count("weather(") == count + 1
        tree, seconds["tree"] = ask_quickly(made, "/api/v1/tree")
        (keeper,) = tree.json()["roots"][0]["children"][0]["children"]
        assert (keeper["name"], len(keeper["children"])) == ("keeper", count)
        flat, seconds["processes"] = ask_quickly(made, "/api/v1/processes?name=weather")
        assert flat.json()["total"] == count + 1
        _, seconds["metrics"] = ask_quickly(made, "/metrics", "text/plain")
        assert made.metric("initd_processes", state="sleeping") >= count
        made.post(f"/api/v1/processes/{keeper['id']}/signal", {"signal": "KILL"})
        begun = time.monotonic()
        settled(made, count, alive=count)
        seconds["all adopted after"] = time.monotonic() - begun
        assert made.get("/api/v1/processes?adopted=true&limit=1")["total"] == count
        begun = time.monotonic()
        made.post("/api/v1/main/stop?wait=30")
        settled(made, count)
        seconds["all reaped after"] = time.monotonic() - begun
        assert made.metric("initd_reaped_total", origin="adopted", outcome="signaled") == count
        for kind in ("adopted", "reaped"):
            found = processes(made.events(), kind)
            assert len(found) == len(set(found))
        figures |= {"descendants": f"{count:,}", **{what: f"{each:.2f} s" for what, each in seconds.items()}}


@pytest.mark.survives(
    "a chain of 2,000 processes, each the child of the one before; one in the middle is killed, then all",
    "it is shown to its end, the one below is adopted with its former parent, and each is reaped once",
)
def test_a_chain_is_shown_to_its_end_and_breaks_cleanly(weather: str, figures: Figures) -> None:
    count = soak(2_000, least=400)
    with scene(weather, "chain", str(count), options=("--group", "--stop-signal", "KILL")) as made:
        made.wait_out("over\n")
        text, seconds = ask_quickly(made, "/api/v1/tree", "text/plain")
        assert text.text.count("weather(") == count + 1
        assert depth(made.get("/api/v1/tree?depth=300")["roots"][0]) == 300
        links = {one["ppid"]: one for one in made.get("/api/v1/processes?name=weather")["processes"]}
        chain = [links[1]]
        while chain[-1]["pid"] in links:
            chain.append(links[chain[-1]["pid"]])
        assert len(chain) == count + 1
        assert depth(made.get(f"/api/v1/tree?root={chain[-100]['id']}")["roots"][0]) == 100
        assert made.get(f"/api/v1/processes/{chain[-1]['id']}")["ppid"] == chain[-2]["pid"]
        look(made)
        parent, killed, orphan = chain[count // 2 - 1 : count // 2 + 2]
        made.post(f"/api/v1/processes/{killed['id']}/signal", {"signal": "KILL"})
        event = made.wait_event("adopted")
        assert (event["process"]["id"], event["former_parent"]["id"]) == (orphan["id"], killed["id"])
        (culprit,) = made.get("/api/v1/zombies")["culprits"]
        assert (culprit["process"]["id"], culprit["count"]) == (parent["id"], 1)
        settled(made, 1, alive=1)
        made.post("/api/v1/main/stop?wait=30")
        settled(made, count)
        assert made.status()["zombies"] == 0
        figures |= {"deep": f"{count:,}", "tree as text": f"{seconds:.2f} s"}


def depth(node: dict[str, Any]) -> int:
    """Levels of a tree that has one branch below the init, which is main's."""
    levels = 1
    while node["children"]:
        node, levels = node["children"][0], levels + 1
    return levels


@pytest.mark.survives(
    "a fork bomb under pids.max, whose processes end and are born as fast as the kernel can",
    "probes never fail as long as kubelet takes for death, one order kills it whole, no zombie stays, "
    "and every one was counted",
)
def test_a_fork_bomb_is_watched_and_ended_by_one_order(weather: str, figures: Figures) -> None:
    most, options = 250, ("--group", "--stop-signal", "KILL")
    with limited() as group, scene(weather, "bomb", "born", entry=group.enter, options=options) as made:
        made.wait_out("armed\n")
        group.limit(most)
        made.post("/api/v1/main/signal", {"signal": "USR1"})
        kubelet, end = Kubelet(made), time.monotonic() + soak(60, least=4)
        while time.monotonic() < end:
            kubelet.probe()
        assert kubelet.darkest < PATIENCE
        assert group.current > most / 2
        assert made.post("/api/v1/main/stop?wait=30")["state"] == "done"
        wait_for(
            lambda: len(kernel.children(made.init)) <= 2 and not dead_children(made.init),
            "all but web and its spare to be gone",
        )
        total = made.status()["adopted"]["total"]
        settled(made, total)
        born = births(made.home / "born")
        assert born <= total <= born + most  # who was killed before the first instruction did not count
        assert made.get("/api/v1/processes?adopted=true")["processes"] == []
        figures |= {"orphans": f"{total:,}", **kubelet.figures}
