"""What the tests of checks.py do over and over: a round is made, and answered.

Law of this file: driving and reading only; it asserts nothing.
"""

from __future__ import annotations

from typing import Any

from .driver import World, running

READY_WEB = ("--ready-http", "8080/health")
HEALTH_WEB = ("--health-tcp", "8080")
READY_EXEC = ("--ready-exec", "look --well")
HEALTH_EXEC = ("--health-exec", "look --well", "--health-period", "2s")


def waiting(*options: str) -> World:
    """Main runs, and its first round of checks has begun."""
    world = running(*options)
    world.tick()
    return world


def answer(world: World, ok: object, why: object = None, question: int = -1) -> None:
    """web says what came of the question that it was asked last."""
    number = world.said("check")[question]["n"]
    world.say({"t": "checked", "n": number, "ok": ok, "why": why})


def round_of(world: World, ok: bool, unit: str = "") -> None:
    """The next round is made and ends: of web's check, or of a command's."""
    world.advance(max(0.0, world.desk.books.timers[f"{unit or name_of(world)}.due"] - world.now))
    if unit:
        world.end(world.pid(unit), 0 if ok else 1)
    else:
        answer(world, ok, None if ok else "refused")


def name_of(world: World) -> str:
    return next(iter(world.desk.books.vitals))


def shown(world: World, place: int = 0) -> dict[str, Any]:
    """A check as the status has it."""
    found: dict[str, Any] = world.ask("state")["status"]["main"]["checks"][place]
    return found


def told(world: World) -> list[tuple[str, str | None]]:
    """What became news, without whose it was."""
    kinds = ("check.passed", "check.failed", "main.ready")
    return [(event["kind"], event.get("why")) for event in world.history(*kinds)]
