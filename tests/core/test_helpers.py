"""helpers.py: one at a time under each name, and whoever wanted it is told once."""

from __future__ import annotations

from initd.helpers import Outcome
from initd.model import ExitStatus

from .driver import KILL, running
from .hooking import POST, end


def test_a_second_run_under_a_name_is_told_that_the_first_has_not_ended() -> None:
    world = running(*POST)
    told: list[Outcome] = []
    helpers = world.desk.core.helpers
    for _ in range(2):
        helpers.run("post-stop", 1.0, told.append)
        world.perform(world.desk.books.take())
    assert told == [Outcome("the last one has not ended yet")]
    end(world, "post-stop")
    assert told[1:] == [Outcome(None, ExitStatus(0, None))]
    assert not helpers.running("post-stop")


def test_whoever_wanted_it_is_told_once_though_it_ends_after_its_time() -> None:
    world = running(*POST)
    told: list[Outcome] = []
    world.desk.core.helpers.run("post-stop", 1.0, told.append)
    world.perform(world.desk.books.take())
    world.advance(1.1)
    end(world, "post-stop", 0)
    world.advance(5)
    assert told == [Outcome("it did not end within 1 s", ExitStatus(None, KILL))]
    assert "post-stop.timeout" not in world.desk.books.timers
