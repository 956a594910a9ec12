"""hooks.py, after main: it is told how main ended, has its time, and changes nothing of that."""

from __future__ import annotations

import pytest

from initd.inputs import Notified, SpawnFailed

from .driver import KILL, TERM, failing, missing, no_fork, running
from .hooking import POST, PRE, end, ended, finish, main_of


@pytest.mark.parametrize(
    ("code", "signal", "dumped", "how", "what"),
    [
        (0, None, False, "exited", "0"),
        (3, None, False, "exited", "3"),
        (None, 9, False, "killed", "KILL"),
        (None, 11, True, "dumped", "SEGV"),
        (None, 64, False, "killed", "RTMIN+30"),
    ],
)
def test_it_is_told_how_main_ended(
    code: int | None, signal: int | None, dumped: bool, how: str, what: str
) -> None:
    world = ended(code=code, signal=signal, dumped=dumped)
    main, hook = world.spawned[0], world.spawned[-1]
    assert hook.unit == "post-stop"
    assert hook.environ == {"MAINPID": str(main.id.pid), "EXIT_CODE": how, "EXIT_STATUS": what}
    end(world, "post-stop")
    assert finish(world) == [code if signal is None else 128 + signal]


def test_while_it_runs_main_is_stopping_and_has_no_pid() -> None:
    world = ended("--restart", "always", code=3)
    main = main_of(world)
    assert (main["state"], main["pid"], main["hook"]) == ("stopping", None, "post-stop")
    assert failing(world) == ["main"]
    assert [event["code"] for event in world.history("main.exited")] == [3]
    assert world.history("main.backoff") == []


def test_while_it_runs_the_last_exit_is_the_one_that_it_is_about() -> None:
    world = ended("--restart", "always", code=3)
    end(world, "post-stop")
    world.advance(0.5)
    world.end(world.pid(), signal=9)
    last = main_of(world)["last_exit"]
    assert (last["code"], last["signal"]) == (None, "KILL")
    assert last["at"] == world.history("main.exited")[-1]["at"]


OUTCOMES: list[tuple[int | None, int | None]] = [(0, None), (9, None), (125, None), (None, KILL)]


@pytest.mark.parametrize(("code", "signal"), OUTCOMES)
def test_however_it_ends_our_code_is_mains(code: int | None, signal: int | None) -> None:
    world = ended(code=5)
    end(world, "post-stop", code, signal)
    assert finish(world) == [5]
    assert len([text for _, text in world.logs if "--post-stop failed" in text]) == (code != 0)


@pytest.mark.parametrize("failure", [missing("post-stop"), no_fork("post-stop")])
def test_when_it_cannot_be_started_it_is_said_and_we_go_on(failure: SpawnFailed) -> None:
    world = running(*POST, "--no-http")
    world.failing["post-stop"] = [failure]
    world.end(world.pid(), 5)
    assert world.exits == [5]
    assert ("warning", f"--post-stop failed: {failure.why}") in world.logs


@pytest.mark.parametrize("when", ["in-time", "late"])
def test_when_it_takes_too_long_it_is_killed_and_we_go_on_at_once(when: str) -> None:
    world = ended("--sweep-timeout", "0", code=5)
    hook = world.pid("post-stop")
    world.advance(4.9)
    assert world.signals == []
    if when == "in-time":
        world.end(hook, 0)
    else:
        world.advance(0.2)
        assert (world.signals[0], world.desk.books.phase) == ((hook, KILL, True), "closing")
        assert ("warning", "--post-stop failed: it did not end within 5 s") in world.logs
        world.end(hook, signal=KILL)
        assert len([text for _, text in world.logs if "--post-stop" in text]) == 1
    assert finish(world) == [5]


@pytest.mark.parametrize(
    ("policy", "code", "after"),
    [
        ("no", 1, "stopped"),
        ("on-failure", 1, "backoff"),
        ("on-failure", 0, "stopped"),
        ("on-failure", 4, "stopped"),
        ("always", 0, "backoff"),
    ],
)
def test_the_policy_goes_on_after_it(policy: str, code: int, after: str) -> None:
    world = ended("--restart", policy, "--expect-exit", "4", code=code)
    world.advance(2)
    assert world.starts() == 1
    end(world, "post-stop", 1)
    assert world.state == after


def test_the_backoff_is_counted_from_its_end_and_doubles() -> None:
    world = ended("--restart", "always", code=1)
    for delay in (0.5, 1.0, 2.0):
        starts = world.starts()
        world.advance(3)
        end(world, "post-stop")
        world.advance(delay - 0.01)
        assert (world.state, world.starts()) == ("backoff", starts)
        world.advance(0.02)
        assert world.starts() == starts + 1
        world.end(world.pid(), 1)


def test_a_restart_runs_after_the_old_and_before_the_new() -> None:
    world = running(*PRE, *POST)
    end(world, "pre-start")
    world.ask("main.restart")
    world.end(world.pid(), 0)
    end(world, "post-stop")
    end(world, "pre-start")
    units = [process.unit for process in world.spawned if process.unit != "web"]
    assert units == ["pre-start", "main", "post-stop", "pre-start", "main"]


def test_a_stop_is_done_when_it_has_ended() -> None:
    world = running(*POST)
    asked = world.ask("main.stop")["operation"]["id"]
    world.end(world.pid(), 0)
    assert (world.starts("post-stop"), world.ask("operation", id=asked)["operation"]["state"]) == (
        1,
        "running",
    )
    world.advance(4)
    assert world.signals == [(world.spawned[0].id.pid, TERM, False)]  # the stop timeout was main's
    end(world, "post-stop")
    assert world.ask("operation", id=asked)["operation"]["state"] == "done"
    assert (world.state, world.exits) == ("stopped", [])


def test_a_stop_that_comes_while_it_runs_keeps_main_down() -> None:
    world = ended("--restart", "always", code=1)
    world.ask("main.stop")
    assert world.signals == []
    end(world, "post-stop")
    world.advance(5)
    assert (world.state, world.starts(), world.exits) == ("stopped", 1, [])


@pytest.mark.parametrize("what", ["main.start", "main.restart"])
def test_a_start_that_comes_while_it_runs_follows_it(what: str) -> None:
    world = ended(code=1)
    asked = world.ask(what)["operation"]["id"]
    assert world.starts() == 1
    end(world, "post-stop")
    assert (world.state, world.starts()) == ("running", 2)
    assert world.ask("operation", id=asked)["operation"]["state"] == "done"


@pytest.mark.parametrize("by_signal", [True, False])
def test_the_end_that_comes_while_it_runs_waits_for_it(by_signal: bool) -> None:
    world = ended("--restart", "always", code=6)
    if by_signal:
        world.signal("TERM")
    else:
        world.ask("shutdown")
    assert (world.signals, world.exits, world.sweeps) == ([], [], [])
    world.advance(4)
    end(world, "post-stop")
    assert (finish(world), world.starts()) == ([6], 1)


def test_a_second_stop_signal_kills_what_runs_after_main() -> None:
    world = ended("--restart", "always", code=6)
    hook = world.pid("post-stop")
    world.signal("TERM")
    world.signal("INT")
    assert world.signals == [(hook, KILL, True)]
    world.end(hook, signal=KILL)
    assert finish(world) == [6]


def test_the_signal_that_stopped_main_is_no_second_one_when_the_drain_is_over() -> None:
    """One TERM, held back for 3 s; main ends by itself after 1 s; what runs after it has its own 5 s."""
    world = running(*POST, "--drain", "3s")
    world.signal("TERM")
    world.advance(1)
    world.end(world.pid(), 0)
    world.advance(4)
    assert world.signals == []
    end(world, "post-stop")
    assert finish(world) == [0]


def test_what_main_left_is_swept_after_it() -> None:
    world = running(*POST)
    world.others.add(99)
    world.end(world.pid(), 0)
    world.advance(3)
    assert world.sweeps == []
    end(world, "post-stop")
    assert world.sweeps[0] == TERM


def test_it_does_not_run_after_a_start_that_failed() -> None:
    world = running(*PRE, *POST, "--restart", "on-failure")
    world.failing["main"] = [missing(), no_fork()]
    end(world, "pre-start", 1)
    for _ in range(2):
        world.advance(5)
        end(world, "pre-start", 0)
    assert (world.starts(), world.starts("post-stop")) == (0, 0)


def test_of_a_main_that_named_another_it_is_told_the_other_ones_end() -> None:
    world = running(*POST, "--notify")
    heir = world.add_child("server").id
    world.feed(Notified({"MAINPID": heir.pid, "READY": True}, heir))
    world.end(world.spawned[0].id.pid, 0)
    assert world.starts("post-stop") == 0
    world.end(heir.pid, 9)
    assert world.spawned[-1].environ == {
        "MAINPID": str(heir.pid),
        "EXIT_CODE": "exited",
        "EXIT_STATUS": "9",
    }


def test_the_first_term_after_a_shutdown_by_the_api_is_the_first() -> None:
    world = running(*POST)
    world.ask("shutdown")
    world.end(world.pid(), 0)
    hook = world.pid("post-stop")
    world.signal("TERM")
    assert (hook, KILL, True) not in world.signals
    world.signal("TERM")
    assert (hook, KILL, True) in world.signals
