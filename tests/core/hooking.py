"""What the tests of hooks.py do over and over.

Law of this file: driving and reading only; it asserts nothing.
"""

from __future__ import annotations

from typing import Any

from .driver import World, running

PRE = ("--pre-start", "migrate --all")
POST = ("--post-stop", "tidy up")


def end(world: World, unit: str, code: int | None = 0, signal: int | None = None, **more: Any) -> None:
    world.end(world.pid(unit), code, signal, **more)


def ended(*options: str, code: int | None = 0, signal: int | None = None, dumped: bool = False) -> World:
    """Main has ended, and what runs after it is running."""
    world = running(*POST, *options)
    world.end(world.pid(), code, signal, dumped=dumped)
    return world


def main_of(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.ask("state")["status"]["main"]
    return found


def finish(world: World) -> list[int]:
    """Web ends as well; the exit codes."""
    if world.runs("web"):
        end(world, "web")
    return world.exits
