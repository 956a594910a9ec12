"""POST /api/v1/processes/{id}/signal and /api/v1/main/signal."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from initd import signals
from web import body, query
from web.answer import answer
from web.order import order
from web.problem import Problem

PID_MAX_LIMIT = 4_194_304  # proc_sys_kernel(5), pid_max


async def send(request: Request) -> Response:
    """To any process by its id; with a start time in it, never to another that has the pid now."""
    pid, starttime = query.parse_id(request.path_params["id"])
    signal = await _signal(request)
    if pid > PID_MAX_LIMIT:
        raise Problem("no_such_process", f"cannot find process {pid}: no pid is larger than {PID_MAX_LIMIT}")
    return _sent(await order(request, "signal", pid=pid, starttime=starttime, signal=signal))


async def send_main(request: Request) -> Response:
    """To the main command, as it would get a forwarded one."""
    signal = await _signal(request)
    return _sent(await order(request, "main.signal", signal=signal))


def _sent(reply: dict[str, Any]) -> Response:
    return answer({"process": reply["process"], "signal": reply["signal"], "seq": reply["seq"]})


async def _signal(request: Request) -> str:
    """The signal's name in our spelling."""
    wanted = (await body.fields(request)).get("signal")
    if not isinstance(wanted, str | int) or isinstance(wanted, bool) or wanted == "":
        raise Problem("malformed", 'cannot find the signal to send: send {"signal":"TERM"} or signal=TERM')
    if isinstance(wanted, str):
        wanted = wanted.replace("RTMIN ", "RTMIN+")  # curl -d signal=RTMIN+3: in a form a plus is a space
    try:
        return signals.name_of(signals.parse(wanted))
    except signals.UnknownSignal as error:
        raise Problem("unknown_signal", str(error)) from None
    except ValueError:  # a whole number of more than 4,300 digits has no text
        raise Problem("unknown_signal", "cannot find a signal with a number that long") from None
