"""Where an answer leads: OpenAPI's links, by path.

Law of this file: data only. Each says which part of an answer is which parameter of another operation.
"""

from __future__ import annotations

from typing import Any

Links = dict[str, dict[str, Any]]


def _link(operation: str, **parameters: str) -> dict[str, Any]:
    """``parameters`` are pointers into the answer's body; RFC 6901."""
    bodies = {name: f"$response.body#{pointer}" for name, pointer in parameters.items()}
    return {"operationId": operation, "parameters": bodies}


def _process(pointer: str) -> dict[str, Any]:
    return _link("get_processes_id", id=pointer)


_OUTCOME: Links = {"outcome": _link("get_operations_n", n="/id")}
_SIGNALLED: Links = {"process": _process("/process/pid")}

LINKS: dict[str, Links] = {
    "/api/v1/status": {"main": _process("/main/id")},
    "/api/v1/processes": {"process": _process("/processes/0/id")},
    "/api/v1/processes/{id}": {"tree": _link("get_tree", root="/id")},
    "/api/v1/processes/{id}/signal": _SIGNALLED,
    "/api/v1/tree": {"process": _process("/roots/0/id")},
    "/api/v1/zombies": {
        "culprit": _process("/culprits/0/process/id"),
        "nudge": _link("post_zombies_id_nudge", id="/culprits/0/process/id"),
    },
    "/api/v1/events": {"following": _link("get_events", after="/next")},
    "/api/v1/operations/{n}": _OUTCOME,
    "/api/v1/main/signal": _SIGNALLED,
    "/api/v1/main/restart": _OUTCOME,
    "/api/v1/main/stop": _OUTCOME,
    "/api/v1/main/start": _OUTCOME,
    "/api/v1/shutdown": _OUTCOME,
}
