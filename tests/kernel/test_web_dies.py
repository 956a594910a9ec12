"""web may crash, hang, or never start: main, reaping, counters and the history go on without it."""

from __future__ import annotations

import http.client
import os
import signal
import time
from typing import Any

import pytest

from . import kernel
from .client import wait_for
from .harness import Scene, program, scene

HANG = 20.0  # 10 s of silence, seen at a beat every 5 s; kubelet gives up after 30 s


def main_and_counters(made: Scene) -> dict[str, Any]:
    """What must not change when web is replaced."""
    status = made.status()
    return {key: status[key] for key in ("main", "adopted")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_web_that_dies_is_replaced_and_nothing_is_lost(number: signal.Signals) -> None:
    with scene(*program("storm.sh", 30), listen="127.0.0.1:0") as made:
        made.ready()
        wait_for(lambda: made.status()["reaped"]["total"] == 30, "30 reaped")
        before, port, web = main_and_counters(made), made.port, made.web
        history = made.events()
        os.kill(web, number)
        wait_for(lambda: not kernel.state(web), "web to be reaped")
        exited = made.wait_event("web.exited")
        assert main_and_counters(made) == before
        assert made.port == port
        assert made.tcp("GET", "/livez").status == 200
        assert made.events()[: len(history)] == history
        assert exited["process"]["pid"] != made.status()["web"]["pid"]
        assert made.status()["web"]["restarts"] == 1
        assert made.metric("initd_web_restarts_total") == 1
        assert made.metric("initd_adoptions_total") == 30


def test_while_web_is_away_connections_wait_instead_of_being_refused() -> None:
    with scene(*program("catcher.py"), listen="127.0.0.1:0") as made:
        made.ready()
        port = made.port
        for _ in range(3):
            os.kill(made.web, signal.SIGKILL)
            begun = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/livez")  # ConnectionRefusedError would end the test here
            assert connection.getresponse().status == 200
            assert time.monotonic() - begun < 8
            connection.close()


def test_a_web_that_keeps_dying_is_restarted_again_and_again() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        for restarts in range(1, 5):
            os.kill(made.web, signal.SIGKILL)
            wait_for(lambda: made.status()["web"]["restarts"] == restarts, "a restart of web")  # noqa: B023
        assert made.status()["main"]["restarts"] == 0


def test_an_event_for_a_web_that_has_just_died_is_no_signal_for_main() -> None:
    """Writing to its letterbox raises SIGPIPE in us, blocked as all signals are; it is not main's."""
    with scene(*program("catcher.py")) as made:
        made.ready()
        for restarts in range(1, 4):
            web = made.web
            made.send(signal.SIGSTOP)  # so that death and event are one moment for us
            wait_for(lambda: kernel.state(made.init) == "T", "us to be stopped")
            os.kill(web, signal.SIGKILL)
            wait_for(lambda: kernel.state(web) == "Z", "web to be dead")  # noqa: B023
            made.send(signal.SIGWINCH)
            made.send(signal.SIGCONT)
            wait_for(lambda: made.status()["web"]["restarts"] == restarts, "a restart of web")  # noqa: B023
        assert set(made.out().split()) == {"ready", "18", "28"}


def test_a_web_that_hangs_is_replaced_and_orphans_are_reaped_meanwhile() -> None:
    with scene(*program("crowd.py", 25)) as made:
        made.ready()
        before, web = made.status()["main"], made.web
        os.kill(web, signal.SIGSTOP)
        os.kill(made.host(before["pid"]), signal.SIGUSR1)
        wait_for(
            lambda: not made.zombies() and len(kernel.children(made.init)) == 2, "the crowd to be reaped"
        )
        assert kernel.state(web) == "T"
        wait_for(lambda: kernel.state(web) == "", "the hung web to be gone", HANG)
        status = made.status()
        assert status["main"] == before
        assert status["reaped"]["total"] >= 25
        assert status["adopted"] == {"total": 25, "alive": 0}


def test_a_stopped_web_does_not_hold_up_our_end() -> None:
    with scene("sleep", "100000") as made:
        os.kill(made.web, signal.SIGSTOP)
        begun = time.monotonic()
        assert made.stop() == 143
        assert time.monotonic() - begun < 4


def test_an_open_stream_does_not_hold_up_our_end() -> None:
    with scene("sleep", "100000", listen="127.0.0.1:0", options=["--anonymous", "read"]) as made:
        connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=20)
        connection.request("GET", "/api/v1/events", headers={"Accept": "text/event-stream"})
        response = connection.getresponse()
        assert response.readline()
        begun = time.monotonic()
        assert made.stop() == 143
        assert time.monotonic() - begun < 4
        assert b"shutdown" in response.read()
        connection.close()


def test_a_flooded_letterbox_loses_no_count_and_the_history_says_what_is_missing() -> None:
    """web is stopped while several times the history happens: what it missed is named, not hidden."""
    with scene(*program("catcher.py"), options=["--history", "1000"]) as made:
        made.ready()
        web, seen, init = made.web, made.status()["seq"], made.init
        os.kill(web, signal.SIGSTOP)
        for _ in range(3000):
            os.kill(init, signal.SIGRTMIN + 1)  # real-time signals are queued, each of them
        wait_for(lambda: not int(kernel.status(init)["ShdPnd"], 16), "all to be taken")
        os.kill(web, signal.SIGCONT)
        newest = made.status()["seq"]
        assert newest - seen >= 3000
        assert made.status()["web"]["restarts"] == 0
        wait_for(lambda: made.events(after=newest - 1), "the newest event")
        assert missing(made.events(after=seen), seen + 1, newest) >= 2000
        assert made.metric("initd_signals_total", signal="RT", source="forwarded") == 3000


def missing(events: list[dict[str, Any]], first_number: int, last_number: int) -> int:
    """How many numbers the gaps name; every number must be an event or in a gap, in order."""
    expected, missed = first_number, 0
    for event in events:
        if event["kind"] == "gap":
            assert event["first"] == expected
            assert event["missed"] == event["last"] - event["first"] + 1
            missed += event["missed"]
            expected = event["last"] + 1
        else:
            assert event["seq"] == expected
            expected += 1
    assert expected == last_number + 1
    return missed
