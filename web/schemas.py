"""What the API's bodies look like: the components of its description, JSON Schema 2020-12.

Law of this file: data only. A field that may be absent is not in ``required``; a field that may be null says
so. Objects may get further members in a later version.
"""

from __future__ import annotations

from typing import Any

from initd.model import EVENT_KINDS, PROCESS_STATES, PUBLIC_STATES
from initd.signals import NAMES, NUMBERS, RTMAX, RTMIN, name_of
from web.api.signals import PID_MAX_LIMIT
from web.culprits import WHYS
from web.problem import CODES
from web.query import ID_PATTERN
from web.tree import RELATIONS

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


def maybe(**members: Schema) -> Schema:
    """An object with these members, each of which may be null where it is not known."""
    return thing(**{name: nullable(schema) for name, schema in members.items()})


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

REFERENCE = thing(id=ID, pid=PID, name=STRING)
FORMER = maybe(id=ID, pid=PID, name=STRING, cmdline=STRING)  # one that is inferred may be a bare number
RATE: Schema = {"type": "number"}

_PROCESS = {
    "id": ID,
    "pid": PID,
    "ppid": PID,
    "name": STRING,
    "state": {"type": "string", "enum": [*PROCESS_STATES.values(), "unknown"]},
    "adopted": FLAG,
    "former_parent": nullable(FORMER),
    "started_at": TIME,
    "threads": COUNT,
    "cpu_seconds": NUMBER,
    "resident_bytes": COUNT,
}

_HEIR = thing(
    process=nullable(REFERENCE),
    step={"type": "string", "enum": ["subreaper", "init"]},
    sure=FLAG,
    live_thread={**FLAG, "description": "It has further threads: while one lives, its children stay."},
    detail=STRING,
)
_PRESSURE = maybe(some_seconds=NUMBER, full_seconds=NUMBER)
_ROOM = thing(
    memory=maybe(current_bytes=COUNT, max_bytes=COUNT, oom_kills=COUNT),
    cpu=maybe(max_cores=NUMBER, throttled_seconds=NUMBER),
    pressure=nullable(thing(cpu=_PRESSURE, memory=_PRESSURE, io=_PRESSURE)),
    kernel=maybe(pid_max=COUNT, threads_max=COUNT, threads=COUNT),
    nproc=maybe(soft=COUNT, hard=COUNT),
)
_CULPRIT = thing(
    process=nullable(ref("Process")),
    relation={"type": "string", "enum": list(RELATIONS)},
    count=COUNT,
    oldest_at=TIME,
    names=listing(STRING),
    zombies=listing(REFERENCE),
    growth_per_minute=nullable(RATE),
    why=thing(code={"type": "string", "enum": list(WHYS)}, detail=STRING),
)
_LIVES = {"orphans": COUNT, "alive": COUNT, "dead": COUNT, "median_lifetime_seconds": nullable(NUMBER)}

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
        caller=thing(role=STRING, known=FLAG),
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
        web=thing(pid=nullable(PID), restarts=COUNT, spare=nullable(PID)),
        ready=FLAG,
        processes=nullable(COUNT),
        zombies=nullable(COUNT),
        adopted=thing(total=COUNT, alive=COUNT),
        reaped=thing(total=COUNT),
        pids=maybe(current=COUNT, max=COUNT, growth_per_minute=RATE, minutes_until_full=NUMBER),
        room=nullable(_ROOM),
        snapshot={
            **maybe(taken_at=TIME, interval_seconds=NUMBER),
            "description": "When web last looked at all processes by itself, and how often it does.",
        },
        seq=COUNT,
    ),
    "Process": thing(**_PROCESS),
    "ProcessDetail": {
        "allOf": [
            ref("Process"),
            thing(
                unreadable={**listing(STRING), "description": "What web's user may not read; it is null."},
                would_adopt={
                    **nullable(_HEIR),
                    "description": "Who would get its children if it ended now; null for a zombie.",
                },
            ),
        ]
    },
    "Processes": thing(taken_at=TIME, processes=listing(ref("Process")), total=COUNT),
    "TreeNode": {
        "allOf": [ref("Process"), thing({"truncated": FLAG}, children=listing(ref("TreeNode")))],
    },
    "Tree": thing(taken_at=TIME, roots=listing(ref("TreeNode"))),
    "Zombies": thing(taken_at=TIME, total=COUNT, culprits=listing(_CULPRIT)),
    "Nudged": thing(process=REFERENCE, signal=STRING, before=COUNT, after=COUNT, helped=FLAG),
    "Lineage": thing(
        {"left_out": COUNT},
        former_parents=listing(
            thing(
                name=nullable(STRING),
                cmdline=nullable(STRING),
                last=thing(id=nullable(ID), pid=PID),
                parents=COUNT,
                how=thing(seen=COUNT, inferred=COUNT),
                **_LIVES,
            )
        ),
        unknown=thing(**_LIVES),
        subreapers=listing(REFERENCE),
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
