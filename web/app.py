"""The application: one table of what is served, to whom, by which handler.

Law of this file: the table is the only place that knows paths, methods, roles and groups. Routes, access
checks, the API's description, the figures and the tests' matrix are made from it. Handlers are
``async def``: a plain function would need a new thread, and there may be none to have.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import health, openapi, page
from web.access import Names, caller, require
from web.api import events, lineage, main, metrics, operations, processes, signals, status, tree, zombies
from web.house import House
from web.intake import Intake
from web.problem import Problem, response
from web.say import say

Handler = Callable[[Request], Awaitable[Response]]
ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]


class Row(NamedTuple):
    """One line of the table. ``role`` is the lowest that may; ``group`` is the one in the metrics."""

    path: str
    methods: tuple[str, ...]
    role: str
    group: str
    handler: Handler

    @property
    def named(self) -> bool:
        """Whether Host and Origin are looked at: probes and scrapes come by any name."""
        return self.group not in ("health", "metrics")


GET, POST, PROBE = ("GET",), ("POST",), ("GET", "HEAD")

TABLE = (
    Row("/livez", PROBE, "health", "health", health.live),
    Row("/healthz", PROBE, "health", "health", health.live),
    Row("/readyz", PROBE, "health", "health", health.ready),
    Row("/startupz", PROBE, "health", "health", health.startup),
    Row("/metrics", GET, "metrics", "metrics", metrics.show),
    Row("/", GET, "health", "page", page.index),
    Row("/static/{name}", GET, "health", "page", page.static),
    Row("/openapi.json", GET, "health", "page", openapi.show),
    Row("/api/v1/status", GET, "read", "api", status.show),
    Row("/api/v1/processes", GET, "read", "api", processes.listing),
    Row("/api/v1/processes/{id}", GET, "read", "api", processes.detail),
    Row("/api/v1/processes/{id}/signal", POST, "control", "api", signals.send),
    Row("/api/v1/tree", GET, "read", "api", tree.show),
    Row("/api/v1/zombies", GET, "read", "api", zombies.show),
    Row("/api/v1/zombies/{id}/nudge", POST, "control", "api", zombies.nudge),
    Row("/api/v1/lineage", GET, "read", "api", lineage.show),
    Row("/api/v1/events", GET, "read", "api", events.show),
    Row("/api/v1/operations/{n}", GET, "read", "api", operations.show),
    Row("/api/v1/main/signal", POST, "control", "api", signals.send_main),
    Row("/api/v1/main/restart", POST, "control", "api", main.restart),
    Row("/api/v1/main/stop", POST, "control", "api", main.stop),
    Row("/api/v1/main/start", POST, "control", "api", main.start),
    Row("/api/v1/shutdown", POST, "control", "api", main.shutdown),
    Row("/api/v1/drain", POST, "control", "api", main.drain),
)
_PAGE = next(row for row in TABLE if row.path == "/")
_NAMED = {row.path for row in TABLE if row.named}


def _endpoint(row: Row, names: Names) -> Handler:
    told: set[str] = set()

    async def endpoint(request: Request) -> Response:
        request.state.group = row.group
        try:
            _admit(row, names, request)
            return await row.handler(request)
        except Problem as problem:
            return response(problem)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody will read it; nginx's word for it in the figures
        except Exception as error:  # noqa: BLE001  a bug of ours costs one answer, not the connection
            where = _where(error)
            if where not in told:  # once: anyone may ask again and again
                told.add(where)
                say(f"cannot answer {request.method} {row.path}: {error!r} in {where}")
            return response(Problem("internal", "cannot answer this: an error in initd, see its log"))

    return endpoint


def _where(error: BaseException) -> str:
    """File and line of the last frame: enough to find it, on one line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "nowhere" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _admit(row: Row, names: Names, request: Request) -> None:
    """Raises unless this caller may have this row. Names are checked where a foreign page may have asked."""
    if row.group == "health":
        return
    shown = [value.encode("latin-1") for value in request.headers.getlist("authorization")]
    try:
        who = caller(request.state.peer, shown, request.app.state.house.config)
    except Problem:
        _check_names(row, names, request)
        if row.role == "health":
            return
        raise
    if not who.meant:
        _check_names(row, names, request, strict=who.known)
    if row.role != "health":
        request.state.caller = who
        require(row.role, who)


def _check_names(row: Row, names: Names, request: Request, *, strict: bool = False) -> None:
    if row.named and request.state.peer.kind == "tcp":
        names.check(request.headers.get("host"), request.headers.getlist("origin"), strict=strict)


def _not_routed(names: Names) -> ErrorHandler:
    """What the table has no row for. A foreign name is not told so, where the rows beside it refuse it."""

    async def refuse(request: Request, error: Exception) -> Response:
        path: str = request.scope["path"]
        try:
            if path in _NAMED or path.startswith(("/api/", "/static/")):
                _admit(_PAGE, names, request)  # whoever may have the page may know
        except Problem as problem:
            return response(problem)
        return _missing(request, error)

    return refuse


def _missing(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        allow = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        return response(
            Problem("method_not_allowed", f"cannot {request.method} here: use {allow}", {"Allow": allow})
        )
    return response(Problem("not_found", "cannot find this: /openapi.json lists what there is"))


class Measure:
    """Counts answers and the time to their first byte; so an open stream is one quick answer."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                group = scope.get("state", {}).get("group") or _group_of(scope["path"])
                self._house.http.observe(group, message["status"], time.perf_counter() - begin)
            await send(message)

        await self._app(scope, receive, counting)


_GROUPS = {row.path: row.group for row in TABLE}


def _group_of(path: str) -> str:
    return _GROUPS.get(path) or ("api" if path.startswith("/api/") else "page")


def _route(row: Row, names: Names) -> Route:
    route = Route(row.path, _endpoint(row, names), methods=row.methods)
    route.methods = set(row.methods)  # Starlette adds HEAD by itself
    return route


def make(house: House) -> Starlette:
    """The application around ``house``."""
    names = Names(socket.gethostname(), house.config.allow_hosts)
    app = Starlette(
        routes=[_route(row, names) for row in TABLE],
        middleware=[Middleware(Measure, house=house), Middleware(Intake)],
        exception_handlers={HTTPException: _not_routed(names)},
    )
    app.router.redirect_slashes = False  # kubelet takes a redirect for success
    app.state.house = house
    app.state.description = openapi.describe(TABLE, house.config)
    return app
