"""What containers run into: no pids, no memory, probes that take too long, an engine that executes things."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

from tests.containers.engine import Container, Engine
from tests.kernel import kernel
from tests.kernel.client import wait_for

WAITS = ("sh", "-c", "while :; do sleep 0.1; done")
EATS = "import time\nheld = []\nwhile True: held.append(bytes(b'x' * 4_000_000)); time.sleep(0.02)"
FILLS = """
import os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
try:
    while os.fork() or time.sleep(1000):
        pass
except OSError:
    print("full", flush=True)
time.sleep(1000)
"""
# Half of it is left behind when it is killed, as a runtime kills a probe: that one process, and no other.
PROBE = "sleep 1001 & sleep 1002"


def event(made: Container, kind: str) -> dict[str, Any]:
    """The newest event of that kind, once there is one."""
    found = wait_for(lambda: made.api(f"/api/v1/events?kind={kind}&limit=2000")["events"], kind)
    return dict(found[-1])


def test_a_main_that_is_killed_for_memory_says_so_and_shows_the_limit(engine: Engine) -> None:
    options = "--memory 80m --env INITD_RESTART=on-failure:5"
    with engine.container("python3", "-c", EATS, options=options) as made:
        exited = event(made, "main.exited")
        assert (exited["signal"], exited["oom"]) == ("KILL", True)
        made.ready()
        assert made.metric("initd_cgroup_memory_max_bytes") == 80 * 1024 * 1024
        assert made.metric("initd_cgroup_memory_oom_kills_total") >= 1
        assert made.api("/api/v1/status")["init"]["pid"] == 1


def test_without_a_restart_its_end_is_the_containers(engine: Engine) -> None:
    with engine.container("python3", "-c", EATS, options="--memory 80m") as made:
        assert engine.run("wait", made.name).strip() == str(128 + signal.SIGKILL)


def test_in_a_full_container_the_port_still_answers(engine: Engine) -> None:
    with engine.container("python3", "-c", FILLS, options="--pids-limit 24") as made:
        made.ready()
        wait_for(lambda: "ready" in made.logs(), "main")
        engine.run("kill", "--signal", "USR1", made.name)
        wait_for(lambda: "full" in made.logs(), "a full container")
        wait_for(lambda: made.metric("initd_cgroup_pids_current") == 24, "all pids to be used")
        assert made.metric("initd_cgroup_pids_max") == 24
        assert made.get("/livez").text == "ok"
        # The engine puts what it executes into the group from outside, which no limit forbids: it may get in.
        forks = engine.command("exec", made.name, "sh", "-c", "/bin/true; true")
        assert engine.perform(forks, check=False).returncode != 0
        assert made.stop(grace=60) in (128 + signal.SIGTERM, 0)


def test_what_is_executed_stands_beside_the_init(engine: Engine) -> None:
    with engine.container(*WAITS) as made:
        made.ready()
        engine.run("exec", "--detach", made.name, "sleep", "1003")
        roots = wait_for(lambda: _roots(made, "sleep"), "a second root")
        assert (roots["ppid"], roots["adopted"]) == (0, False)


def _roots(made: Container, name: str) -> Any:
    return next((root for root in made.api("/api/v1/tree")["roots"] if root["name"] == name), None)


def test_the_debris_of_a_probe_that_took_too_long_is_adopted_and_reaped(engine: Engine) -> None:
    with engine.container(*WAITS) as made:
        made.ready()
        asked = engine.command("exec", made.name, "sh", "-c", PROBE)
        with subprocess.Popen(asked, env=engine.environ) as probe:
            shell = wait_for(lambda: _executed(made, "sh"), "the probe to run")
            left = wait_for(lambda: _children(shell, 2), "its children")
            _look(made)  # it may have begun before they were there
            _look(made)
            os.kill(shell, signal.SIGKILL)
            assert probe.wait() == 128 + signal.SIGKILL
        wait_for(lambda: all(pid in kernel.children(made.init) for pid in left), "the init to have them")
        adopted = event(made, "adopted")
        assert (adopted["process"]["name"], adopted["former_parent"]["name"]) == ("sleep", "sh")
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: made.api("/api/v1/status")["reaped"]["total"] >= len(left), "them to be reaped")
        assert not [pid for pid in kernel.children(made.init) if kernel.state(pid) == "Z"]


def _children(pid: int, count: int) -> list[int] | None:
    found = kernel.children(pid)
    return found if len(found) == count else None


def _look(made: Container) -> None:
    """Let web look around once more: who is whose child is known from then on."""
    before = _taken(made)
    wait_for(lambda: _taken(made) != before, "another look")


def _taken(made: Container) -> Any:
    return made.api("/api/v1/status")["snapshot"]["taken_at"]


def _executed(made: Container, name: str) -> int | None:
    """The host's pid of what was executed there: of that name, and no descendant of the init."""
    root = _roots(made, name)
    inside = _namespace(made.init)
    pids = (int(each) for each in os.listdir("/proc") if each.isdigit())
    return root and next(
        (pid for pid in pids if kernel.inner(pid) == root["pid"] and _namespace(pid) == inside), None
    )


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:  # gone, or a kernel thread
        return ""


def test_an_init_that_cannot_be_asked_is_unhealthy(engine: Engine) -> None:
    options = "--env INITD_LISTEN=none --env INITD_SOCKET=none"
    with engine.container(*WAITS, options=options) as made:
        checked = engine.perform(engine.command("healthcheck", "run", made.name), check=False)
        assert (checked.returncode, checked.stdout) == (1, "unhealthy\n")
