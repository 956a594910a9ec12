"""GET /openapi.json: the API's description, made from the route table and what is said here of each row.

Law of this file: it describes exactly what is served. Paths, methods and roles come from the table; every
status that a row can answer is listed, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from initd.model import EVENT_KINDS
from web import body
from web.access import ROLES
from web.answer import answer, encode
from web.api import events, processes
from web.api.operations import NUMBER_PATTERN
from web.house import Config
from web.links import LINKS
from web.order import LONGEST_WAIT
from web.page import FILES
from web.problem import MEDIA_TYPE
from web.schemas import ID, SCHEMAS, SIGNAL_BODY, SIGNAL_FORM, Schema, ref
from web.tree import DEEPEST, DEPTH

if TYPE_CHECKING:
    from web.app import Row

JSON, TEXT = "application/json", "text/plain"


def _query(name: str, description: str, /, **schema: Any) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _whole(low: int, high: int, **more: Any) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, **more}


PROCESS_ID = _path("id", "PID, or PID-STARTTIME: then a pid that another process has by now is refused.", ID)
WAIT = _query("wait", "Seconds to wait for the end of it.", **_whole(0, LONGEST_WAIT, default=0))
VERBOSE = _query("verbose", "Say each check, not only the result.", type="string")
EXCLUDE = _query(
    "exclude", "A check not to count; may be given more than once.", type="array", items={"type": "string"}
)


class Said(NamedTuple):
    """What the table does not say of a row: its answers by status (media type: schema), and its problems."""

    summary: str
    answers: dict[int, dict[str, Schema]]
    parameters: tuple[Schema, ...] = ()
    problems: tuple[int, ...] = ()
    body: dict[str, Schema] | None = None


def _probe(summary: str) -> Said:
    text = {TEXT: {"type": "string"}}
    return Said(summary, {200: text, 503: text}, (VERBOSE, EXCLUDE))


def _operation(summary: str) -> Said:
    done = {JSON: ref("Operation")}
    return Said(summary, {200: done, 202: done}, (WAIT,), (400, 409, 503, 504))


def _get(
    summary: str, name: str, parameters: tuple[Schema, ...] = (), problems: tuple[int, ...] = (503,)
) -> Said:
    return Said(summary, {200: {JSON: ref(name)}}, parameters, problems)


SIGNAL = {body.JSON: SIGNAL_BODY, body.FORM: SIGNAL_FORM}
SIGNALLED = {200: {JSON: ref("Signalled")}}

SAID: dict[str, Said] = {
    "/livez": _probe("Whether the init answers."),
    "/healthz": _probe("The same as /livez."),
    "/readyz": _probe("Whether the main command runs, is ready and is not being stopped."),
    "/startupz": _probe("Whether the main command has been started."),
    "/metrics": Said(
        "Metrics for Prometheus.",
        {200: {TEXT: {"type": "string"}, "application/openmetrics-text": {"type": "string"}}},
        problems=(503,),
    ),
    "/": Said("The page.", {200: {"text/html": {"type": "string"}}}),
    "/static/{name}": Said(
        "The page's files.",
        {200: {kind.partition(";")[0]: {"type": "string"} for _, kind in FILES.values()}},
        (_path("name", "The file's name.", {"type": "string", "examples": sorted(FILES)}),),
        (404,),
    ),
    "/openapi.json": Said("This description.", {200: {JSON: {"type": "object"}}}),
    "/api/v1/status": _get("The init, the main command, web, counters and limits.", "Status"),
    "/api/v1/processes": _get(
        "All processes that the init can see, by pid.",
        "Processes",
        (
            _query("state", "Only those in this state.", type="string", enum=list(processes.STATES)),
            _query(
                "adopted",
                "Only orphans that the init adopted, or all others.",
                type="string",
                enum=["true", "false", "1", "0"],
            ),
            _query(
                "name",
                "Only those of this name.",
                type="string",
                minLength=1,
                maxLength=processes.LONGEST_NAME,
            ),
            _query("limit", "At most this many.", **_whole(1, processes.MOST)),
        ),
        (400, 503),
    ),
    "/api/v1/processes/{id}": _get(
        "One process in detail.", "ProcessDetail", (PROCESS_ID,), (400, 404, 409, 503)
    ),
    "/api/v1/processes/{id}/signal": Said(
        "Send a signal to a process.",
        SIGNALLED,
        (PROCESS_ID,),
        (400, 404, 409, 413, 415, 422, 503, 504),
        SIGNAL,
    ),
    "/api/v1/tree": Said(
        "The process tree.",
        {200: {JSON: ref("Tree"), TEXT: {"type": "string"}}},
        (
            {"name": "root", "in": "query", "description": "The process to begin with.", "schema": ID},
            _query("depth", f"How many levels; in JSON {DEPTH} where it is not given.", **_whole(1, DEEPEST)),
        ),
        (400, 404, 409, 503),
    ),
    "/api/v1/zombies": _get("Zombies, by the parent that does not wait for them.", "Zombies"),
    "/api/v1/zombies/{id}/nudge": Said(
        "Send SIGCHLD to the parent of zombies, and see whether it waits for them.",
        {200: {JSON: ref("Nudged")}},
        (_path("id", "A zombie, or the parent that does not wait: PID, or PID-STARTTIME.", ID),),
        (400, 404, 409, 503, 504),
    ),
    "/api/v1/lineage": _get("Whose children the orphans were, by former parent.", "Lineage"),
    "/api/v1/events": Said(
        "What happened: a page of it, a long poll, or a stream.",
        {200: {JSON: ref("Events"), events.STREAM: {"type": "string"}}},
        (
            _query(
                "after",
                "Only events after this number; all where none has it yet; the newest where it is not given.",
                **_whole(0, events.LARGEST_SEQ),
            ),
            _query("limit", "At most this many.", **_whole(1, events.MOST, default=events.USUAL)),
            _query(
                "kind",
                "Only these kinds; several by repeating it, or by commas.",
                type="array",
                items={"type": "string", "enum": list(EVENT_KINDS)},
            ),
            _query(
                "wait",
                "Seconds to wait for an event, where there is none.",
                **_whole(0, events.LONGEST_WAIT, default=0),
            ),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "The last event that a stream had; it goes on from there.",
                "schema": {"type": "string", "pattern": events.LAST_ID_PATTERN},
            },
        ),
        (400, 503),
    ),
    "/api/v1/operations/{n}": _get(
        "How far an operation is.",
        "Operation",
        (_path("n", "Its number.", {"type": "string", "pattern": NUMBER_PATTERN}),),
        (400, 404, 503),
    ),
    "/api/v1/main/signal": Said(
        "Send a signal to the main command.", SIGNALLED, (), (400, 409, 413, 415, 422, 503, 504), SIGNAL
    ),
    "/api/v1/main/restart": _operation("Stop the main command and start it again."),
    "/api/v1/main/stop": _operation("Stop the main command; the init stays."),
    "/api/v1/main/start": _operation("Start the main command where it does not run."),
    "/api/v1/shutdown": _operation("Stop the main command, end what is left, and exit."),
    "/api/v1/drain": Said("Readiness off.", {200: {JSON: ref("Draining")}}, (), (409, 503, 504)),
}


_SCHEMES = {"bearer": {"type": "http", "scheme": "bearer"}, "certificate": {"type": "mutualTLS"}}


def describe(table: Iterable[Row], config: Config) -> bytes:
    """The whole document. What anonymous callers may do depends on how this init was started."""
    paths: dict[str, Any] = {}
    for row in table:
        paths[row.path] = {method.lower(): _described(row, method, config) for method in row.methods}
    return encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "initd",
                "version": config.version,
                "description": "A container's PID 1 that answers questions.",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "paths": paths,
            "components": {
                "schemas": SCHEMAS,
                "securitySchemes": _SCHEMES,
            },
        }
    )


def _described(row: Row, method: str, config: Config) -> dict[str, Any]:
    said = SAID[row.path]
    answers = {str(status): _answer(status, content, method) for status, content in said.answers.items()}
    for good in answers.values() if row.path in LINKS else ():
        good["links"] = LINKS[row.path]
    problems = {
        str(status): _answer(status, {MEDIA_TYPE: ref("Problem")}, method) for status in _problems(row, said)
    }
    words = [word.strip("{}") for word in row.path.split("/") if word not in ("", "api", "v1")]
    operation = {
        "operationId": "_".join([method.lower(), *(word.replace(".", "_") for word in words)]),
        "summary": said.summary,
        "description": f"Needs the role {row.role}.",
        "tags": [row.group],
        "parameters": list(said.parameters),
        "responses": dict(sorted({**answers, **problems}.items())),
        "security": _security(row, config),
    }
    if said.body is not None:
        content = {media: {"schema": schema} for media, schema in said.body.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _problems(row: Row, said: Said) -> set[int]:
    found = {400, 431, *said.problems}  # what is not HTTP, or has too many headers, gets to no row
    if row.role != "health":
        found |= {401, 403}
    if row.named:
        found.add(421)
    return found


def _answer(status: int, content: dict[str, Schema], method: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if method != "HEAD":
        answer["content"] = {media: {"schema": schema} for media, schema in content.items()}
    return answer


def _security(row: Row, config: Config) -> list[dict[str, list[str]]]:
    """None at all where it is never looked at; optional where anonymous callers may."""
    if row.role == "health":
        return []
    shown: list[dict[str, list[str]]] = [{scheme: []} for scheme in _SCHEMES]
    if config.tls is None or config.tls.client_ca is None:
        shown.remove({"certificate": []})
    return [{}, *shown] if ROLES.index(config.anonymous) >= ROLES.index(row.role) else shown


async def show(request: Request) -> Response:
    """The document, made once."""
    return answer(request.app.state.description)
