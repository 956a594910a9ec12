"""What the tests of real applications share: asking the application itself, and its children.

Law of this file: nothing about one application.
"""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

from tests.kernel.client import UnixConnection, ask, wait_for
from tests.kernel.harness import Scene


def body_of(socket: Path) -> str | None:
    """What the application answers to GET / on its unix socket; None while nobody answers."""
    try:
        return ask(UnixConnection(socket, 5), "GET", "/").text
    except (OSError, http.client.HTTPException):
        return None


def answers(socket: Path, text: str) -> None:
    """Wait until the application answers with this text."""
    wait_for(lambda: body_of(socket) == text, f"{text!r} on {socket.name}")


def workers(made: Scene, name: str | None = None) -> dict[str, dict[str, Any]]:
    """Main's children by id, as the tree has them, zombies left out; of this name where one is given."""
    (main,) = made.get(f"/api/v1/tree?root={made.status()['main']['id']}")["roots"]
    alive = (child for child in main["children"] if child["state"] != "zombie")
    return {child["id"]: child for child in alive if name in (None, child["name"])}


def wait_workers(made: Scene, count: int, name: str | None = None) -> dict[str, dict[str, Any]]:
    """Main's children once there are ``count`` of them."""
    found = wait_for(
        lambda: some if len(some := workers(made, name)) == count else None, f"{count} workers {name or ''}"
    )
    return dict(found)


def signal_main(made: Scene, name: str) -> None:
    made.post("/api/v1/main/signal", {"signal": name})


def kill(made: Scene, process_id: str) -> None:
    """Kill one process through the API, guarded by its start time."""
    made.post(f"/api/v1/processes/{process_id}/signal", {"signal": "KILL"})


def no_zombie(made: Scene) -> None:
    """By the kernel and by the API: none is left."""
    wait_for(lambda: not made.zombies(), "no zombies")
    assert made.status()["zombies"] == 0
    assert made.get("/api/v1/zombies")["culprits"] == []
