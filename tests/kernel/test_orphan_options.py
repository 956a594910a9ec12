"""--wait-orphans, --signal-orphans and --kill-orphans with real daemons."""

from __future__ import annotations

import signal
import time

from .client import wait_for
from .harness import run, scene

WORK = 'trap "echo daemon got HUP" HUP; echo daemon up; until [ -e go ]; do sleep 0.05; done'
DAEMON = f"(setsid sh -c '{WORK}' &)"


def test_wait_orphans_leaves_with_mains_code_when_the_daemon_has_ended() -> None:
    script = f"{DAEMON}; until [ -e up ]; do sleep 0.05; done; exit 7"
    with scene("sh", "-c", script, options=["--wait-orphans"]) as made:
        made.wait_out("daemon up")
        (made.home / "up").touch()
        wait_for(lambda: made.status()["init"]["phase"] == "waiting", "main to be gone")
        assert made.ask("GET", "/livez").status == 200
        assert made.ask("GET", "/readyz").status == 503
        assert made.status()["adopted"]["alive"] == 1
        (made.home / "go").touch()
        assert made.wait() == 7


def test_wait_orphans_without_http_too() -> None:
    code, out, error = run("sh", "-c", "(sleep 0.7; echo late) & exit 3", options=["--wait-orphans"])
    assert (code, out) == (3, "late\n"), error


def test_wait_orphans_with_a_limit_ends_then() -> None:
    begin = time.monotonic()
    code, _, error = run("sh", "-c", "(sleep 1000 &); exit 4", options=["--wait-orphans=300ms"])
    assert code == 4, error
    assert time.monotonic() - begin < 10


def test_a_term_while_waiting_ends_the_daemons() -> None:
    with scene("sh", "-c", "(setsid sleep 1000 &); exit 5", options=["--wait-orphans"]) as made:
        wait_for(lambda: made.status()["init"]["phase"] == "waiting", "main to be gone")
        made.send(signal.SIGTERM)
        assert made.wait() == 5


def test_signal_orphans_reaches_a_daemon_in_its_own_session() -> None:
    script = f"{DAEMON}; trap 'echo main got HUP' HUP; while :; do sleep 0.05; done"
    with scene("sh", "-c", script, options=["--signal-orphans"]) as made:
        made.wait_out("daemon up")
        made.send(signal.SIGHUP)
        made.wait_out("daemon got HUP")
        made.wait_out("main got HUP")
        assert made.metric("initd_signals_total", signal="HUP", source="orphan") == 1


def test_kill_orphans_ends_a_daemon_but_not_what_was_there_before_us() -> None:
    before = ("sh", "-c", 'sleep 1001 & exec "$@"', "sh")
    script = "(setsid sh -c 'trap \"\" TERM; echo daemon up; sleep 1002; sleep 1003' &); exec sleep 1004"
    options = ["--kill-orphans", "--stop-timeout", "1s"]
    with scene("sh", "-c", script, options=options, before=before) as made:
        made.wait_out("daemon up")
        wait_for(lambda: made.status()["adopted"]["alive"] >= 1, "the orphan to be met")
        made.wait_event("signal.sent")

        def names() -> list[str]:
            return [p["name"] for p in made.get("/api/v1/processes")["processes"]]

        wait_for(lambda: names().count("sh") == 0, "the stubborn daemon to be gone")
        assert made.metric("initd_signals_total", signal="KILL", source="orphan") >= 1
        assert names().count("sleep") >= 2
