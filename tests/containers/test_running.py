"""The image at work: as an init, and with less and less allowed."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

import initd
from tests.containers.engine import Container, Engine
from tests.kernel import kernel
from tests.kernel.client import wait_for

WAITS = ("sh", "-c", "while :; do sleep 0.1; done")


def test_a_container_is_asked_over_its_port_and_its_socket(engine: Engine) -> None:
    with engine.container(*WAITS) as made:
        made.ready()
        assert made.get("/livez").text == "ok"
        status = made.api("/api/v1/status")
        assert (status["init"]["pid"], status["init"]["version"]) == (1, initd.__version__)
        assert status["main"]["argv"] == list(WAITS)
        assert made.exec("initctl", "tree").startswith("initd(1)\n")
        assert made.get("/api/v1/status").status == 401


LESS = {
    "a root that cannot be written": ("--read-only --read-only-tmpfs=false", 0, "cannot make the socket"),
    "another user": ("--user 12345:12345", 12345, "cannot make the socket"),
    "no capability and no new privileges": (
        "--cap-drop ALL --security-opt no-new-privileges",
        0,
        "cannot become",
    ),
    "all of it": (
        "--user 12345 --read-only --read-only-tmpfs=false --cap-drop ALL --security-opt no-new-privileges",
        12345,
        "cannot make the socket",
    ),
}


@pytest.mark.parametrize(("options", "uid", "warning"), LESS.values(), ids=LESS)
def test_with_less_it_says_what_is_missing_once_and_goes_on(
    engine: Engine, options: str, uid: int, warning: str
) -> None:
    with engine.container(*WAITS, options=options) as made:
        made.ready()
        assert made.logs().count("cannot") == made.logs().count(warning) == 1
        assert made.exec("initctl", "check", "live").strip() == "ok"
        assert engine.run("healthcheck", "run", made.name) == ""
        assert made.metric("initd_main_up") == 1
        (main,) = (pid for pid in kernel.children(made.init) if kernel.name(pid) == "sh")
        assert kernel.status(main)["Uid"].split()[0] == str(uid)
        assert made.stop() == 128 + signal.SIGTERM


def test_another_user_may_have_a_socket_elsewhere(engine: Engine) -> None:
    options = "--user 12345 --read-only --tmpfs /tmp --env INITD_SOCKET=/tmp/initd.sock"
    with engine.container(*WAITS, options=options) as made:
        made.ready()
        assert "cannot" not in made.logs()
        said = made.exec("initctl", "--json", "--socket", "/tmp/initd.sock", "status")  # noqa: S108  a container's own
        assert json.loads(said)["main"]["state"] == "running"


def test_nothing_is_compiled_when_it_runs(engine: Engine) -> None:
    options = "--env INITD_HTTP_USER=root --env INITD_ANONYMOUS=control"
    with engine.container(*WAITS, options=options) as made:
        made.ready()
        for path in ("/", "/metrics", "/openapi.json", "/api/v1/tree", "/api/v1/zombies", "/api/v1/events"):
            assert made.get(path).status == 200
        for verb in ("status", "tree", "ps", "lineage", "events"):
            made.exec("initctl", verb)
        changed = engine.run("diff", made.name).splitlines()
        assert changed
        assert not [line for line in changed if line.endswith(".pyc")]


def test_two_containers_side_by_side_know_nothing_of_each_other(engine: Engine) -> None:
    with engine.container(*WAITS) as one, engine.container("sleep", "1000") as other:
        one.ready()
        other.ready()
        assert _names(one) == {"initd", "initd-spare", "initd-web", "sh", "sleep"}  # an engine limits pids
        assert _names(other) == {"initd", "initd-spare", "initd-web", "sleep"}
        os.kill(one.init, signal.SIGKILL)
        assert other.get("/readyz").status == 200


def _names(made: Container) -> set[str]:
    """Who is in it, apart from what asks."""
    found = made.api("/api/v1/processes")["processes"]
    return {each["name"] for each in found if each["ppid"] or each["pid"] == 1}


def test_a_signal_of_the_engine_reaches_main(engine: Engine) -> None:
    script = "trap 'echo got HUP' HUP; echo ready; while :; do sleep 0.1; done"
    with engine.container("sh", "-c", script) as made:
        wait_for(lambda: "ready" in made.logs(), "main")
        engine.run("kill", "--signal", "HUP", made.name)
        wait_for(lambda: "got HUP" in made.logs(), "the signal")


def test_stop_waits_for_main_and_not_for_its_own_patience(engine: Engine) -> None:
    with engine.container("sh", "-c", "sleep 1000 & exec sleep 1000") as made:
        made.ready()
        began = time.monotonic()
        assert made.stop(grace=60) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 30
