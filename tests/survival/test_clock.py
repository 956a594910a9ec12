"""A clock that jumps.

The wall clock is set while we run; the monotonic one is another's, by a time namespace.
"""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, program, scene

from .misfortune import misfortune, refusing
from .soak import soak

Figures = dict[str, object]
HOUR, DAY = 3_600, 86_400
SILENCE = soak(11)  # seconds: more than web may be silent


def ahead(text: str) -> timedelta:
    """How far a time of the API is from ours."""
    return datetime.fromisoformat(text) - datetime.now(UTC)


def is_near(text: str, seconds: float) -> bool:
    """Is it that time, by a clock which is wrong by so many seconds?"""
    return abs(ahead(text).total_seconds() - seconds) < 60


def numbers(made: Scene) -> list[int]:
    return [event["seq"] for event in made.events()]


@pytest.mark.survives(
    "the wall clock jumps, days ahead and back", "timers, limits, the order of events, restarts"
)
@pytest.mark.parametrize("jump", [DAY, -2 * DAY], ids=["ahead", "back"])
def test_no_timer_follows_a_wall_clock_that_is_set(jump: int, figures: Figures) -> None:
    options = ["--restart", "always", "--stop-timeout", "1s"]
    with misfortune() as bad, scene(*program("catcher.py", 15), options=options, before=bad.before) as made:
        made.ready()
        newest = made.status()["seq"]  # web has seen the right time
        bad.befall(seconds=jump)
        begun = time.monotonic()
        assert made.get(f"/api/v1/events?after={newest}&wait=1")["events"] == []
        assert 0.9 < time.monotonic() - begun < 10
        os.kill(made.main, signal.SIGKILL)  # the backoff of 0.5 s
        wait_for(lambda: made.out().count("ready\n") == 2, "the second run")
        figures["main back after"] = f"{time.monotonic() - begun - 1:.1f} s"
        assert is_near(made.wait_event("main.started", 2)["at"], jump)
        seen = made.get("/api/v1/processes")["processes"]
        assert all(is_near(process["started_at"], jump) for process in seen)
        bad.befall(seconds=HOUR)
        assert made.post("/api/v1/main/restart?wait=15")["state"] == "done"
        time.sleep(SILENCE)
        status = made.status()
        assert status["web"]["restarts"] == 0
        assert status["main"]["restarts"] == 2
        assert numbers(made) == list(range(1, made.status()["seq"] + 1))
        assert made.stop() == 0


@pytest.mark.survives("a time namespace: monotonic and boot clock are days off", "ages, start times, timers")
@pytest.mark.parametrize("offset", [30 * DAY, 1_000 * DAY], ids=["a month", "years"])
def test_ages_are_right_where_the_machine_seems_to_run_for_long(offset: int) -> None:
    clocks = ("--time", f"--monotonic={offset}", f"--boottime={offset}")
    main = ("sh", "-c", "echo ready; ( sleep 0.3 & ); while :; do sleep 1; done")
    with scene(*main, unshare=clocks, options=["--restart", "always"]) as made:
        made.ready()
        reaped = wait_for(
            lambda: [e for e in made.events("reaped") if e["origin"] == "adopted"], "the orphan"
        )
        assert 0 <= reaped[0]["lifetime_seconds"] < 30
        assert all(is_near(each["started_at"], 0) for each in made.get("/api/v1/processes")["processes"])
        assert made.post(f"/api/v1/processes/{made.status()['main']['id']}/signal", {"signal": "WINCH"})
        assert made.post("/api/v1/main/restart?wait=15")["state"] == "done"
        assert made.stop() == 143


@pytest.mark.survives(
    "the init stands still past its deadlines (docker pause, a debugger)", "no signal is made up; it goes on"
)
@pytest.mark.parametrize("refused", [(), ("signalfd4",)], ids=["with a signalfd", "without"])
def test_an_init_that_stood_still_makes_up_no_signal(refused: tuple[str, ...]) -> None:
    """CPython's sigtimedwait would; main lists each signal that it gets."""
    before = refusing(*refused, number="EPERM") if refused else ()
    with scene(*program("catcher.py", 15), options=["-v", "--kill-orphans"], before=before) as made:
        made.ready()
        for count in range(1, 4):
            made.send(signal.SIGSTOP)
            wait_for(lambda: kernel.state(made.init) == "T", "the init to stand still")
            time.sleep(1.5)  # it looks at its children each second
            made.send(signal.SIGALRM)  # what comes meanwhile is not lost either
            made.send(signal.SIGCONT)
            wait_for(lambda: made.out().count("18\n") == count, "CONT")  # noqa: B023  asked at once
        assert {event["signal"] for event in made.events("signal.forwarded")} == {"ALRM", "CONT"}
        assert not [line for line in made.err().splitlines() if "dropped" in line or "could not" in line]
        assert sorted(made.out().split()) == [*["14"] * 3, *["18"] * 3, "ready"]
        assert made.ask("GET", "/livez").text == "ok"
        assert made.stop() == 0
