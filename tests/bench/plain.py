"""What one writes in an afternoon, to compare with: processes as JSON by psutil, and one that never changes.

``python plain.py SOCKET``. ``/tree`` does what Glances' REST API does for a process list; ``/static`` is the
ceiling of Starlette and uvicorn, as Pebble's ``/v1/services`` would be if it were Python.
"""

from __future__ import annotations

import sys

import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_ATTRIBUTES = ["pid", "ppid", "name", "status", "create_time", "num_threads", "cpu_times", "memory_info"]
_SERVICES = [{"name": "main", "startup": "enabled", "current": "active", "since": "2026-01-01T00:00:00Z"}]


async def tree(_: Request) -> JSONResponse:
    return JSONResponse([process.info for process in psutil.process_iter(_ATTRIBUTES)])


async def static(_: Request) -> JSONResponse:
    return JSONResponse({"type": "sync", "status-code": 200, "status": "OK", "result": _SERVICES})


if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=[Route("/tree", tree), Route("/static", static)]),
        uds=sys.argv[1],
        log_config=None,
        access_log=False,
        http="h11",
        loop="asyncio",
        ws="none",
    )
