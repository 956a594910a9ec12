"""What the API's bodies look like: the components of its description, JSON Schema 2020-12.

Law of this file: data only. A field that may be absent is not in ``required``; a field that may be null says
so. Objects may get further members in a later version.
"""

from __future__ import annotations

from typing import Any

from initd.model import EVENT_KINDS, PROCESS_STATES, PUBLIC_STATES
from initd.signals import NAMES, NUMBERS, RTMAX, RTMIN, name_of
from web.api.signals import PID_MAX_LIMIT
from web.problem import CODES
from web.query import ID_PATTERN

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
NUMBER: Schema = {"type": "number", "minimum": 0}
PID: Schema = {"type": "integer", "minimum": 0, "maximum": PID_MAX_LIMIT}
ID: Schema = {"type": "string", "pattern": ID_PATTERN, "examples": ["42", "42-18372"]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def listing(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def thing(optional: Schema | None = None, /, **required: Schema) -> Schema:
    """An object with these members, all of them required but the ``optional``."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _signal_words() -> list[str]:
    """Every spelling of every signal but the case of letters, which is free."""
    numbers = sorted({*NAMES, *range(RTMIN, RTMAX + 1)})
    names = sorted({*NUMBERS, *map(name_of, numbers), "RTMAX"})
    return [*names, *(f"SIG{name}" for name in names), *map(str, numbers)]


def _signal_numbers() -> list[int]:
    return sorted({*NAMES, *range(RTMIN, RTMAX + 1)})


SIGNAL: Schema = {
    "description": "A name, with or without SIG and in any case, or a number; signal(7).",
    "anyOf": [{"type": "string", "enum": _signal_words()}, {"type": "integer", "enum": _signal_numbers()}],
}
SIGNAL_BODY = thing(signal=SIGNAL)
SIGNAL_FORM = thing(signal={"type": "string", "enum": _signal_words()})

_PROCESS = {
    "id": ID,
    "pid": PID,
    "ppid": PID,
    "name": STRING,
    "state": {"type": "string", "enum": [*PROCESS_STATES.values(), "unknown"]},
    "adopted": FLAG,
    "started_at": TIME,
    "threads": COUNT,
    "cpu_seconds": NUMBER,
    "resident_bytes": COUNT,
}

SCHEMAS: dict[str, Schema] = {
    "Problem": thing(
        type={"type": "string", "format": "uri-reference"},
        title=STRING,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=STRING,
        code={"type": "string", "enum": list(CODES)},
    ),
    "Status": thing(
        {"listen": listing(thing(kind={"type": "string", "enum": ["tcp", "unix"]}, address=STRING))},
        init=thing(pid=PID, role=STRING, version=STRING, started_at=TIME),
        main=thing(
            state={"type": "string", "enum": list(PUBLIC_STATES)},
            pid=nullable(PID),
            id=nullable(ID),
            argv=listing(STRING),
            started_at=nullable(TIME),
            restarts=COUNT,
            last_exit=nullable(thing(code=nullable(COUNT), signal=nullable(STRING), at=TIME)),
        ),
        web=thing(pid=nullable(PID), restarts=COUNT),
        ready=FLAG,
        processes=nullable(COUNT),
        zombies=nullable(COUNT),
        adopted=thing(total=COUNT, alive=COUNT),
        reaped=thing(total=COUNT),
        pids=thing(current=nullable(COUNT), max=nullable(COUNT)),
        seq=COUNT,
    ),
    "Process": thing(**_PROCESS),
    "ProcessDetail": {
        "allOf": [
            ref("Process"),
            thing(unreadable={**listing(STRING), "description": "What web's user may not read; it is null."}),
        ]
    },
    "Processes": thing(processes=listing(ref("Process")), total=COUNT),
    "TreeNode": {
        "allOf": [ref("Process"), thing({"truncated": FLAG}, children=listing(ref("TreeNode")))],
    },
    "Tree": thing(roots=listing(ref("TreeNode"))),
    "Zombies": thing(
        total=COUNT,
        culprits=listing(
            thing(process=nullable(ref("Process")), count=COUNT, oldest_at=TIME, names=listing(STRING))
        ),
    ),
    "Event": thing(
        {
            "missed": {**COUNT, "description": "In a gap: how many events were lost, from first to last."},
            "first": COUNT,
            "last": COUNT,
        },
        seq=COUNT,
        at=nullable(TIME),
        kind={"type": "string", "enum": [*EVENT_KINDS, "gap"]},
    ),
    "Events": thing(
        events=listing(ref("Event")),
        next={**COUNT, "description": "What to give as ``after`` the next time."},
    ),
    "Operation": thing(
        id={"type": "integer", "minimum": 1},
        action=STRING,
        state={"type": "string", "enum": ["running", "done", "failed"]},
        started_at=TIME,
        ended_at=nullable(TIME),
        detail=nullable(STRING),
    ),
    "Signalled": thing(process=thing(pid=PID), signal=STRING, seq=COUNT),
    "Draining": thing(draining=FLAG),
}
