"""The labs for real: each is made under a real initd, which must see what the lab promised."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from initd.procfs import parse_stat
from tests.kernel import kernel
from tests.kernel.cgroup import limited
from tests.kernel.client import DEADLINE, wait_for
from tests.kernel.harness import Scene, scene
from web.ctl.errors import FAILED
from web.ctl.verbs import LABS

INITCTL = str(Path(sys.executable).with_name("initctl"))
STAYS = "Ctrl-C ends it now."
CLEARED = "Cleared away: nothing of it is left.\n"


def lab(home: Path, *words: object) -> list[str]:
    """The command line of a lab that asks the scene in ``home``."""
    return [INITCTL, "--socket", str(home / "initd.sock"), "lab", *map(str, words)]


@contextmanager
def made(home: Path, *words: object, ready: str = STAYS, asks: Path | None = None) -> Iterator[Scene]:
    """A lab in a shell, which stays when the lab is over."""
    script = f"{' '.join(lab(asks or home, *words))}; echo code $?; exec sleep 100000"
    with scene("sh", "-c", script, home=home) as found:
        found.wait_out(ready)
        yield found


def named(seen: Scene, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seen.get(f"/api/v1/processes?name={name}")["processes"]
    return found


def one(seen: Scene, name: str) -> dict[str, Any]:
    (found,) = named(seen, name)
    return found


def of_the_lab(seen: Scene) -> list[str]:
    everyone = seen.get("/api/v1/processes")["processes"]
    return [each["name"] for each in everyone if each["name"].startswith("lab-")]


def shell(line: str) -> str:
    """What a line prints for a person who types it."""
    environ = os.environ | {"PATH": f"{Path(INITCTL).parent}:{os.environ['PATH']}"}
    command = ["sh", "-c", line]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environ).stdout


def end(seen: Scene) -> None:
    """Ctrl-C, and nothing is left."""
    seen.post(f"/api/v1/processes/{one(seen, 'initctl')['id']}/signal", {"signal": "INT"})
    seen.wait_out(CLEARED + "code 0\n")
    wait_for(lambda: not of_the_lab(seen), "everyone to be gone")
    assert seen.zombies() == []
    assert "Traceback" not in seen.err()


def test_an_orphan_is_adopted_from_its_parent_and_reaped_when_it_ends(tmp_path: Path) -> None:
    with made(tmp_path, "orphan") as seen:
        adopted = seen.wait_event("adopted")
        orphan = one(seen, "lab-orphan")
        assert (orphan["ppid"], orphan["adopted"]) == (1, True)
        assert adopted["process"]["id"] == orphan["id"]
        assert (adopted["former_parent"]["name"], adopted["how"]) == ("lab-parent", "seen")
        assert f"The kernel gave {orphan['pid']} to 1 (initd).\n" in seen.out()
        end(seen)
        assert seen.wait_event("reaped")["process"]["id"] == orphan["id"]


def test_zombies_have_a_culprit_until_it_ends(tmp_path: Path) -> None:
    with made(tmp_path, "zombie", "--count", 3) as seen:
        wait_for(lambda: seen.get("/api/v1/zombies")["total"] == 3, "three zombies")
        (culprit,) = seen.get("/api/v1/zombies")["culprits"]
        assert (culprit["process"]["id"], culprit["count"]) == (one(seen, "lab-parent")["id"], 3)
        assert culprit["names"] == ["lab-zombie"]
        end(seen)
        assert seen.get("/api/v1/zombies")["total"] == 0


def test_a_lab_that_somebody_else_ended_is_over_before_its_time(tmp_path: Path) -> None:
    with made(tmp_path, "zombie") as seen:
        seen.post(f"/api/v1/processes/{one(seen, 'lab-parent')['id']}/signal", {"signal": "TERM"})
        seen.wait_out("All of it has ended, and not by us.\n" + CLEARED + "code 0\n")
        wait_for(lambda: not of_the_lab(seen), "everyone to be gone")


def test_a_daemon_leaves_its_session_leader_and_becomes_ours(tmp_path: Path) -> None:
    with made(tmp_path, "daemon") as seen:
        adopted = seen.wait_event("adopted")
        daemon = one(seen, "lab-daemon")
        assert (adopted["process"]["id"], daemon["ppid"]) == (daemon["id"], 1)
        detail = seen.get(f"/api/v1/processes/{daemon['id']}")
        assert detail["session"] not in (0, daemon["pid"])
        assert f"in session {detail['session']}, without a terminal" in seen.out()
        end(seen)


def test_a_subreaper_takes_the_orphan_itself(tmp_path: Path) -> None:
    with made(tmp_path, "subreaper") as seen:
        moved = seen.wait_event("reparented")
        above, orphan = one(seen, "lab-subreaper"), one(seen, "lab-orphan")
        assert (orphan["ppid"], orphan["adopted"]) == (above["pid"], False)
        assert moved["process"]["id"] == orphan["id"]
        assert (moved["former_parent"]["name"], moved["new_parent"]["id"]) == ("lab-parent", above["id"])
        assert f"to {above['pid']} (lab-subreaper), a subreaper that is nearer than PID 1" in seen.out()
        end(seen)
        assert seen.events("adopted") == []


def test_a_live_thread_keeps_the_children_of_the_first_one(tmp_path: Path) -> None:
    with made(tmp_path, "thread") as seen:
        parent, child = one(seen, "lab-parent"), one(seen, "lab-child")
        assert child["ppid"] == parent["pid"]
        assert kernel.state(seen.host(parent["pid"])) == "Z"
        assert seen.status()["zombies"] == 0
        assert seen.get(f"/api/v1/processes/{parent['id']}")["would_adopt"]["live_thread"] is True
        end(seen)
        assert seen.events("adopted") == []


def test_a_storm_is_reaped_to_the_last(tmp_path: Path) -> None:
    with made(tmp_path, "storm", "--count", 300, ready="code 0") as seen:
        assert "orphans 300 of 300 in " in seen.out()
        assert "reaped  0 before, 300 after: 300 more; zombies 0\n" in seen.out()
        assert seen.status()["reaped"]["total"] == 300
        assert seen.metric("initd_adoptions_total") == 300
        assert (seen.status()["zombies"], of_the_lab(seen)) == (0, [])


def test_a_storm_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with made(tmp_path, "storm", "--count", 20_000, "--for", 1, ready="code 0") as seen:
        (line,) = (line for line in seen.out().splitlines() if line.startswith("  orphans "))
        count = int(line.split()[1])
        assert 0 < count < 20_000
        assert f" after: {count} more; zombies 0\n" in seen.out()


def test_a_storm_does_without_anyone_to_ask(tmp_path: Path) -> None:
    with made(tmp_path, "storm", "--count", 60, ready="code 0", asks=tmp_path / "elsewhere") as seen:
        assert "initd cannot be asked" in seen.out()
        wait_for(lambda: seen.status()["reaped"]["total"] == 60, "sixty reaped")


def test_a_lab_as_main_ends_with_its_time_and_with_code_0(tmp_path: Path) -> None:
    with scene(*lab(tmp_path, "orphan", "--for", 1), home=tmp_path) as seen:
        assert seen.wait() == 0
        assert seen.out().endswith(CLEARED)
        assert "not by us" not in seen.out()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_lab_as_main_clears_away_when_it_is_told_to_end(tmp_path: Path, number: int) -> None:
    """INT to the whole group is what a terminal sends at Ctrl-C."""
    with scene(*lab(tmp_path, "zombie"), home=tmp_path) as seen:
        seen.wait_out(STAYS)
        os.killpg(os.getpgid(seen.main), number)
        assert seen.wait() == 0
        assert seen.out().endswith(CLEARED)
        assert "Traceback" not in seen.err()


def test_a_lab_that_was_exec_ed_into_the_container_makes_orphans_for_its_init(tmp_path: Path) -> None:
    with scene("sleep", "100000", home=tmp_path) as seen:
        inside = ["nsenter", "--target", str(seen.init), "--pid", "--mount", *lab(tmp_path, "orphan")]
        with subprocess.Popen(inside, stdout=subprocess.PIPE, text=True) as outside:
            adopted = seen.wait_event("adopted")
            orphan = one(seen, "lab-orphan")
            assert (adopted["process"]["id"], orphan["ppid"]) == (orphan["id"], 1)
            assert one(seen, "initctl")["ppid"] == 0
            seen.post(f"/api/v1/processes/{one(seen, 'initctl')['id']}/signal", {"signal": "INT"})
            out, _ = outside.communicate(timeout=DEADLINE)
        assert (outside.returncode, out.endswith(CLEARED)) == (0, True)
        wait_for(lambda: not of_the_lab(seen), "everyone to be gone")


@pytest.mark.parametrize("name", ["orphan", "zombie", "subreaper", "thread"])
def test_a_lab_that_is_killed_leaves_nothing(tmp_path: Path, name: str) -> None:
    with made(tmp_path, name) as seen:
        seen.post(f"/api/v1/processes/{one(seen, 'initctl')['id']}/signal", {"signal": "KILL"})
        seen.wait_out("code 137")
        wait_for(lambda: not of_the_lab(seen), "everyone to be gone")


def test_a_reader_that_leaves_ends_the_lab_and_nothing_is_left(tmp_path: Path) -> None:
    script = f"{{ {' '.join(lab(tmp_path, 'zombie'))}; echo code $? >&2; }} | head -n 1; exec sleep 100000"
    with scene("sh", "-c", script, home=tmp_path) as seen:
        wait_for(lambda: "code 141\n" in seen.err(), "the lab to end")
        assert "initctl: " not in seen.err()
        wait_for(lambda: not of_the_lab(seen), "everyone to be gone")


def stopped(pid: int) -> bool:
    """Whether any thread of it is; the state of a process is that of its first one."""
    tasks = (kernel.PROC / str(pid) / "task").iterdir()
    return any(parse_stat((task / "stat").read_bytes()).state == "T" for task in tasks)


@pytest.mark.parametrize(("name", "whom"), [("orphan", "lab-orphan"), ("thread", "lab-parent")])
def test_who_was_stopped_is_ended_all_the_same(tmp_path: Path, name: str, whom: str) -> None:
    with made(tmp_path, name) as seen:
        process = one(seen, whom)
        seen.post(f"/api/v1/processes/{process['id']}/signal", {"signal": "STOP"})
        wait_for(lambda: stopped(seen.host(process["pid"])), "it to be stopped")
        end(seen)


def test_where_no_process_can_be_made_one_line_says_so_and_nothing_is_left(tmp_path: Path) -> None:
    wait = ("sh", "-c", 'until [ -e go ]; do :; done; exec "$@"', "sh")  # without forking
    command = (*wait, *lab(tmp_path, "zombie"))
    with limited() as group, scene(*command, home=tmp_path, entry=group.enter) as seen:
        wait_for(lambda: seen.status()["web"]["pid"], "web to be there")
        group.limit(group.current + 3)
        (tmp_path / "go").touch()
        assert seen.wait() == FAILED
        (line,) = (line for line in seen.err().splitlines() if line.startswith("initctl: "))
        assert line.startswith("initctl: cannot make the lab: ")
        assert "Resource temporarily unavailable" in line


@pytest.mark.parametrize("name", LABS)
def test_what_a_lab_says_to_watch_can_be_run(tmp_path: Path, name: str) -> None:
    with made(tmp_path, name, *(["--count", 20] if name == "storm" else []), ready="Watch it") as seen:
        seen.wait_out("code 0" if name == "storm" else STAYS)
        lines = [line for line in seen.out().splitlines() if line.startswith(("  initctl ", "  curl "))]
        assert len(lines) >= 4
        for line in lines:
            if " signal TERM " not in line:  # the line after it does the same, and it can be done but once
                assert shell(line.replace("curl ", "curl -sSf ", 1)), line
