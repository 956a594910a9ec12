"""What web asks of the core, and what it is told: one table of questions. Pure.

Law of this file: a question is checked for form here, whoever may ask it was web's business, and
what it does is core.py's. Audit event first, reply second. Messages: docs/letterbox.md.
"""

from __future__ import annotations

from initd import probes, report, signals, wire
from initd.allowance import Allowance
from initd.books import UP, describe
from initd.core import Core
from initd.effects import Deliver, Look, Send
from initd.inputs import Asked, ChildrenListed, Delivered, Garbled
from initd.sightings import Sightings
from initd.wire import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_UNSTOPPABLE = (signals.NUMBERS["KILL"], signals.NUMBERS["STOP"])
_GONE = 3  # ESRCH, errno(3)
_FAILURES, _PER_SECOND = 20, 1  # signals that reached nobody in the history: at once, and then


class Refused(Exception):
    """A question that gets an error for an answer: a stable code, and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Desk:
    """The core with its letterbox: whatever the core handles, and what web asks."""

    def __init__(self, core: Core) -> None:
        self.core, self.books = core, core.books
        self._orders: dict[int, tuple[int, dict[str, Any]]] = {}  # ticket -> signal, by whom
        self._failures, self._left_out = Allowance(_FAILURES, _PER_SECOND), 0
        self._waiting: list[int] = []  # state questions that wait for a fresh list of children
        self._garbled = 0
        self._sightings = Sightings(core.books).messages
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
            "lineage": self._lineage,
        }

    def handle(self, happened: object, now: float, wall: float) -> list[Any]:
        """One input; the effects to perform."""
        self.books.now, self.books.wall = now, wall
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
            return effects + self.books.take()
        return self.books.take()

    # --- reading and answering -----------------------------------------------------------------------

    def _asked(self, message: dict[str, Any]) -> None:
        self.core.web.heard()
        if message["t"] == "attach":
            self.books.attached = True
        elif message["t"] == "ask":
            self._ask(message)
        elif message["t"] == "checked":
            self.core.checks.answered(message)
        elif message["t"] in self._sightings:
            try:
                self._sightings[message["t"]](message)
            except (Malformed, KeyError, TypeError) as odd:
                self._garble(Garbled(f"{message['t']}: {odd}"))
        elif message["t"] != "beat":
            self._garble(Garbled(f"no message is called {message['t'][:40]!r}"))

    def _ask(self, message: dict[str, Any]) -> None:
        number = message.get("n")
        if not isinstance(number, int) or isinstance(number, bool):
            self._garble(Garbled("a question has no number"))
            return
        what = message.get("what")
        question = self._questions.get(what) if isinstance(what, str) else None
        try:
            if question is None:
                raise Refused("malformed", f"no question is called {wire.shown(what)}")
            question(number, message)
        except Refused as refused:
            self._reply(number, ok=False, error={"code": refused.code, "detail": str(refused)})

    def _reply(self, number: int, *, ok: bool = True, **fields: object) -> None:
        self.books.flush()  # whoever reads the reply finds the events already there
        answer = {"t": "reply", "n": number, "ok": ok, "seq": self.books.history.last, **fields}
        try:
            self.books.emit(Send(wire.encode(answer)))
        except Malformed as too_long:  # an argv of a megabyte
            self._reply(number, ok=False, error={"code": "malformed", "detail": str(too_long)})

    def _garble(self, garbled: Garbled) -> None:
        self._garbled += 1
        if self._garbled == 1:
            self.books.log("warning", f"web sent what is not a message: {garbled.why}; such are ignored")

    # --- questions -------------------------------------------------------------------------------------

    def _ping(self, number: int, _: dict[str, Any]) -> None:
        errors, last = self.books.ledger.errors, self.books.last_error
        self._reply(number, checks=probes.checks(self.books), errors=errors, last_error=last)

    def _state(self, number: int, _: dict[str, Any]) -> None:
        self._waiting.append(number)
        self.books.emit(Look(fds=True))

    def _answer_waiting(self) -> None:
        if self._waiting:
            self.core.children.tell_untold()  # whoever reads the numbers finds them in the history
        for number in self._waiting:
            self._reply(number, status=report.status(self.books), counters=report.counters(self.books))
        self._waiting.clear()

    def _history(self, number: int, message: dict[str, Any]) -> None:
        after = _integer(message, "after", 0, 2**53)
        self.core.children.tell_untold()
        history = self.books.history
        head = (
            f'{{"t":"reply","n":{number},"ok":true,"seq":{history.last},'
            f'"first":{history.first},"last":{history.last}'
        ).encode()
        self.books.flush()
        for datagram, _count in wire.join_events(history.after(after), head):
            self.books.emit(Send(datagram))
            return  # one datagram; web asks again for the rest
        self._reply(number, events=[], first=history.first, last=history.last)

    def _lineage(self, number: int, _: dict[str, Any]) -> None:
        self._reply(number, **self.books.lineage.summary())

    def _signal(self, number: int, message: dict[str, Any]) -> None:
        pid = _integer(message, "pid", 1, 2**22)
        started = message.get("starttime")
        starttime = None if started is None else _integer(message, "starttime", 0, 2**63)
        wanted = _wanted_signal(message)
        if pid == self.books.init.pid and wanted in _UNSTOPPABLE:
            raise Refused("not_permitted", "cannot send that to the init itself; ask for a shutdown")
        self._deliver(message, Deliver(number, pid, starttime, wanted))

    def _main_signal(self, number: int, message: dict[str, Any]) -> None:
        wanted = _wanted_signal(message)
        main = self.books.main  # not reaped, so that its pid alone is enough
        if main.process is None:
            raise Refused("wrong_state", f"cannot signal main: it is {self.books.main_state}; start it first")
        self._deliver(message, Deliver(number, main.process.pid, None, wanted))

    def _deliver(self, message: dict[str, Any], order: Deliver) -> None:
        """The question's number is the order's ticket: web never uses one twice."""
        self._orders[order.ticket] = (order.number, _by(message))
        self.books.emit(order)

    def _delivered(self, result: Delivered) -> None:
        wanted, by = self._orders.pop(result.ticket)
        name = signals.name_of(wanted)
        process = describe(result.process, result.name)
        failure = _failure(result)
        outcome = "sent" if failure is None else failure.code
        self._audit(signal=name, process=process, source="api", by=by, outcome=outcome)
        if failure is None:
            self.books.ledger.count_signal(wanted, "api")
            self._reply(result.ticket, process=process, signal=name)
        else:
            self._reply(result.ticket, ok=False, error={"code": failure.code, "detail": str(failure)})

    def _audit(self, **event: Any) -> None:
        """All that was done, and of what failed so much as does not push out what people did."""
        if event["outcome"] != "sent" and not self._failures.take(self.books.now):
            self._left_out += 1
            return
        more = {"left_out": self._left_out} if self._left_out else {}
        self._left_out = 0
        self.books.record("signal.sent", **event, **more)

    def _run(self, number: int, message: dict[str, Any]) -> None:
        self._must_be_up()
        self._must_have_main()
        action = message["what"].removeprefix("main.")
        self._reply(number, operation=dict(self.core.supervisor.run(action, _by(message))))

    def _stop(self, number: int, message: dict[str, Any]) -> None:
        action = message["what"].removeprefix("main.")
        if action == "stop":
            self._must_be_up()
            self._must_have_main()
        operation = self.core.supervisor.stop(action, _by(message))
        self._reply(number, operation=dict(operation))

    def _must_have_main(self) -> None:
        if not self.books.config.argv:
            what = "an observer" if self.books.config.observe else "a pause (-P)"
            raise Refused("wrong_state", f"cannot do that: this is {what}, and there is no main")

    def _must_be_up(self) -> None:
        if self.books.phase != UP:
            raise Refused("wrong_state", "cannot do that: the init is shutting down")

    def _drain(self, number: int, message: dict[str, Any]) -> None:
        self._must_be_up()
        self._must_have_main()
        self.core.forwarding.drain(_by(message))
        self._reply(number, draining=True)

    def _operation(self, number: int, message: dict[str, Any]) -> None:
        wanted = _integer(message, "id", 1, 2**53)
        operation = self.books.operations.get(wanted)
        if operation is None:
            raise Refused("no_such_operation", f"cannot find operation {wanted}: the last 100 are kept")
        self._reply(number, operation=dict(operation))


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
    wanted = message.get("signal")
    try:
        return signals.parse(wanted if isinstance(wanted, str | int) else "")
    except signals.UnknownSignal as unknown:
        raise Refused("unknown_signal", str(unknown)) from None


def _integer(message: dict[str, Any], name: str, low: int, high: int) -> int:
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused(
            "malformed", f"cannot use {name} {wire.shown(value)}: say a number from {low} to {high}"
        )
    return value


def _by(message: dict[str, Any]) -> dict[str, Any]:
    """Who asked, as web says: the role, and the address or unix."""
    by = message.get("by")
    if not isinstance(by, dict):
        return {"role": None, "peer": None}
    return {name: by[name][:256] if isinstance(by.get(name), str) else None for name in ("role", "peer")}
