"""What web asks of the core, and what it is told: one table of questions. Pure.

Law of this file: a question is checked for form here, whoever may ask it was web's business, and
what it does is core.py's. Audit event first, reply second. Messages: docs/letterbox.md.
"""

from __future__ import annotations

import sys

from initd import __version__, signals, wire
from initd.core import UP, Core
from initd.model import Asked, ChildrenListed, Deliver, Delivered, Garbled, Look, Send
from initd.wire import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_UNSTOPPABLE = (signals.NUMBERS["KILL"], signals.NUMBERS["STOP"])
_GONE = 3  # ESRCH, errno(3)


class Refused(Exception):
    """A question that gets an error for an answer: a stable code, and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Desk:
    """The core with its letterbox: whatever the core handles, and what web asks."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._tickets: dict[int, tuple[int, int, dict[str, Any]]] = {}  # ticket -> n, signal, by
        self._last_ticket = 0
        self._waiting: list[int] = []  # state questions that wait for a fresh list of children
        self._garbled = 0
        self._questions: dict[str, Callable[[int, dict[str, Any]], None]] = {
            "ping": self._ping,
            "state": self._state,
            "history": self._history,
            "signal": self._signal,
            "main.signal": self._main_signal,
            "main.restart": self._run,
            "main.start": self._run,
            "main.stop": self._stop,
            "shutdown": self._stop,
            "drain": self._drain,
            "operation": self._operation,
        }

    def handle(self, happened: object, now: float, wall: float) -> list[Any]:
        """One input; the effects to perform."""
        self.core.now, self.core.wall = now, wall
        if isinstance(happened, Asked):
            self._asked(happened.message)
        elif isinstance(happened, Delivered):
            self._delivered(happened)
        elif isinstance(happened, Garbled):
            self._garble(happened)
        else:
            effects = self.core.handle(happened, now, wall)
            if isinstance(happened, ChildrenListed):
                self._answer_waiting()
            return effects + self.core.take_effects()
        return self.core.take_effects()

    # --- reading and answering -----------------------------------------------------------------------

    def _asked(self, message: dict[str, Any]) -> None:
        self.core.heard()
        if message["t"] == "attach":
            self.core.attached = True
        elif message["t"] == "ask":
            self._ask(message)
        elif message["t"] != "beat":
            self._garble(Garbled(f"no message is called {message['t'][:40]!r}"))

    def _ask(self, message: dict[str, Any]) -> None:
        number = message.get("n")
        if not isinstance(number, int):
            self._garble(Garbled("a question has no number"))
            return
        question = self._questions.get(str(message.get("what")))
        try:
            if question is None:
                raise Refused("malformed", f"no question is called {str(message.get('what'))[:40]!r}")
            question(number, message)
        except Refused as refused:
            self._reply(number, ok=False, error={"code": refused.code, "detail": str(refused)})

    def _reply(self, number: int, *, ok: bool = True, **fields: object) -> None:
        self.core.flush()  # whoever reads the reply finds the events already there
        answer = {"t": "reply", "n": number, "ok": ok, "seq": self.core.history.last, **fields}
        try:
            self.core.emit(Send(wire.encode(answer)))
        except Malformed as too_long:  # an argv of a megabyte
            self._reply(number, ok=False, error={"code": "malformed", "detail": str(too_long)})

    def _garble(self, garbled: Garbled) -> None:
        self._garbled += 1
        if self._garbled == 1:
            self.core.log("warning", f"web sent what is not a message: {garbled.why}; such are ignored")

    # --- questions -------------------------------------------------------------------------------------

    def _ping(self, number: int, _: dict[str, Any]) -> None:
        self._reply(number, checks=self.core.checks())

    def _state(self, number: int, _: dict[str, Any]) -> None:
        self._waiting.append(number)
        self.core.emit(Look())

    def _answer_waiting(self) -> None:
        for number in self._waiting:
            self._reply(number, status=self._status(), counters=self._counters())
        self._waiting.clear()

    def _history(self, number: int, message: dict[str, Any]) -> None:
        after = _integer(message, "after", 0, 2**53)
        history = self.core.history
        head = (
            f'{{"t":"reply","n":{number},"ok":true,"seq":{history.last},'
            f'"first":{history.first},"last":{history.last}'
        ).encode()
        self.core.flush()
        for datagram, _count in wire.join_events(history.after(after), head):
            self.core.emit(Send(datagram))
            return  # one datagram; web asks again for the rest
        self._reply(number, events=[], first=history.first, last=history.last)

    def _signal(self, number: int, message: dict[str, Any]) -> None:
        pid = _integer(message, "pid", 1, 2**22)
        started = message.get("starttime")
        starttime = None if started is None else _integer(message, "starttime", 0, 2**63)
        wanted = _wanted_signal(message)
        if pid == self.core.init.pid and wanted in _UNSTOPPABLE:
            raise Refused("not_permitted", "cannot send that to the init itself; ask for a shutdown")
        self._deliver(number, pid, starttime, wanted, message)

    def _main_signal(self, number: int, message: dict[str, Any]) -> None:
        wanted = _wanted_signal(message)
        main = self.core.main
        if main.process is None:
            raise Refused("wrong_state", f"cannot signal main: it is {self.core.public_state}; start it first")
        self._deliver(number, main.process.pid, main.process.starttime, wanted, message)

    def _deliver(self, number: int, pid: int, starttime: int | None, wanted: int, message: dict[str, Any]) -> None:
        self._last_ticket += 1
        self._tickets[self._last_ticket] = (number, wanted, _by(message))
        self.core.emit(Deliver(self._last_ticket, pid, starttime, wanted))

    def _delivered(self, result: Delivered) -> None:
        number, wanted, by = self._tickets.pop(result.ticket)
        name = signals.name_of(wanted)
        process = self.core.describe(result.process, result.name)
        failure = _failure(result)
        outcome = "sent" if failure is None else failure.code
        self.core.record("signal.sent", signal=name, process=process, source="api", by=by, outcome=outcome)
        if failure is None:
            self.core.ledger.count_signal(wanted, "api")
            self._reply(number, process=process, signal=name)
        else:
            self._reply(number, ok=False, error={"code": failure.code, "detail": str(failure)})

    def _run(self, number: int, message: dict[str, Any]) -> None:
        self._must_be_up()
        self._reply(number, operation=dict(self.core.run_main(message["what"].removeprefix("main."))))

    def _stop(self, number: int, message: dict[str, Any]) -> None:
        self._must_be_up()
        operation = self.core.stop_main(message["what"].removeprefix("main."))
        self._reply(number, operation=dict(operation))

    def _must_be_up(self) -> None:
        if self.core.phase != UP:
            raise Refused("wrong_state", "cannot do that: the init is shutting down")

    def _drain(self, number: int, _: dict[str, Any]) -> None:
        self.core.drain()
        self._reply(number, draining=True)

    def _operation(self, number: int, message: dict[str, Any]) -> None:
        wanted = _integer(message, "id", 1, 2**53)
        operation = self.core.operations.get(wanted)
        if operation is None:
            raise Refused("no_such_operation", f"cannot find operation {wanted}: the last 100 are kept")
        self._reply(number, operation=dict(operation))

    # --- the state ---------------------------------------------------------------------------------------

    def _status(self) -> dict[str, Any]:
        core = self.core
        web = core.web.process
        return {
            "init": {
                "pid": core.init.pid,
                "role": core.init.role,
                "version": __version__,
                "python": ".".join(map(str, sys.version_info[:3])),
                "started_at": wire.rfc3339(core.init.started),
                "phase": core.phase,
            },
            "main": self._main(),
            "web": {"pid": web.pid if web is not None else None, "restarts": core.ledger.web_restarts},
            "ready": core.ready,
            "draining": core.draining,
            "adopted": {"total": core.ledger.adopted_total, "alive": len(core.ledger.adopted)},
            "reaped": {"total": core.ledger.reaped_total},
            "seq": core.history.last,
        }

    def _main(self) -> dict[str, Any]:
        core = self.core
        process, ended = core.main.process, core.main.last_exit
        last_exit = None
        if ended is not None:
            name = None if ended.signal is None else signals.name_of(ended.signal)
            last_exit = {"code": ended.code, "signal": name, "at": wire.rfc3339(core.main_exit_at)}
        return {
            "state": core.public_state,
            "pid": process.pid if process is not None else None,
            "id": str(process) if process is not None else None,
            "argv": list(core.config.argv),
            "started_at": wire.rfc3339(core.main_started_at) if core.ever_started else None,
            "restarts": sum(core.ledger.main_restarts.values()),
            "restart_policy": core.config.restart[0],
            "last_exit": last_exit,
        }

    def _counters(self) -> dict[str, Any]:
        core = self.core
        return {
            **core.ledger.as_dict(),
            "main_restart_delay_seconds": core.main.delay if core.public_state == "backoff" else 0.0,
            "events": core.history.counts,
            "open_fds": core.open_fds,
            "checks": core.checks(),
        }


def _failure(result: Delivered) -> Refused | None:
    pid = result.process.pid
    if result.reused:
        return Refused("reused_pid", f"cannot signal {result.process}: pid {pid} is another process now")
    if result.errno == _GONE:
        return Refused("no_such_process", f"cannot signal {pid}: there is no such process")
    if result.errno:
        return Refused("not_permitted", f"cannot signal {pid}: {result.why}")
    return None


def _wanted_signal(message: dict[str, Any]) -> int:
    try:
        return signals.parse(str(message.get("signal")))
    except signals.UnknownSignal as unknown:
        raise Refused("unknown_signal", str(unknown)) from None


def _integer(message: dict[str, Any], name: str, low: int, high: int) -> int:
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused("malformed", f"cannot use {name} {str(value)[:40]!r}: say a number from {low} to {high}")
    return value


def _by(message: dict[str, Any]) -> dict[str, Any]:
    """Who asked, as web says: the role, and the address or unix."""
    by = message.get("by")
    if not isinstance(by, dict):
        return {"role": None, "peer": None}
    return {name: str(by.get(name))[:100] for name in ("role", "peer")}
