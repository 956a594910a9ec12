"""The core's side of the letterbox for tests: a history, a main that can be told, and every way to misbehave.

One thread serves one end of a real SEQPACKET socketpair, so that the web process is tested as it runs. Tests
reach in through the attributes; whatever web asked is kept in ``asked``.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from initd import signals, wire

BOUNDS = {"bounds": [0.001, 0.01, 0.1], "counts": [3, 2, 1, 0], "sum": 0.05}
AT = "2026-01-01T00:00:00.000Z"
LINEAGE: dict[str, Any] = {
    "former_parents": [
        {
            "name": "worker",
            "cmdline": "worker --fast",
            "last": {"id": "40-400", "pid": 40},
            "parents": 2,
            "orphans": 5,
            "alive": 1,
            "dead": 4,
            "median_lifetime_seconds": 2.5,
            "how": {"seen": 4, "inferred": 1},
        }
    ],
    "unknown": {"orphans": 0, "alive": 0, "dead": 0, "median_lifetime_seconds": None},
    "left_out": 0,
    "subreapers": [],
}
FIT = 20  # events in one history answer: few, so that readers must ask again


class Refused(Exception):
    """A question that gets an error: code and detail."""


class FakeCore:
    """Answers as docs/letterbox.md says, from a thread of its own."""

    def __init__(self, web_side: socket.socket, core_side: socket.socket, **hello: Any) -> None:
        self.web_side = web_side
        self.sock = core_side
        self.hello = hello
        self.asked: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []  # what needs no answer: seen, look, observed, census, checked
        self.events: list[dict[str, Any]] = []
        self.operations: dict[int, dict[str, Any]] = {}
        self.checks: list[dict[str, Any]] = [
            {"name": "main", "ok": True, "why": "", "for": ["ready", "startup"]},
            {"name": "stopping", "ok": True, "why": "", "for": ["ready"]},
        ]
        self.kept = 10_000  # events in the history
        self.silent = False  # reads, but answers nothing
        self.deaf = threading.Event()  # set: does not even read
        self.drop = False  # events happen but are not sent
        self.attached = threading.Event()
        self.beats = 0
        self.attributes: dict[str, Any] = {}  # merged into the status
        self.refuse: dict[str, tuple[str, str]] = {}  # what -> (code, detail)
        self.finish = True  # operations end at once
        self.slow: dict[str, float] = {}  # what -> seconds that the core thinks about it
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # --- what tests do -------------------------------------------------------------------------------

    def start(self) -> None:
        self.send({"t": "hello", "v": wire.VERSION, **self.hello})
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.sock.close()

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """What web told that is called ``kind``."""
        return [message for message in tuple(self.told) if message["t"] == kind]

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self.sock.send(wire.encode(message))

    def happen(self, kind: str = "adopted", *, lose: bool = False, **fields: Any) -> dict[str, Any]:
        """An event is recorded, and sent unless lost."""
        with self._lock:
            event = {"seq": len(self.events) + 1, "at": AT, "kind": kind, **fields}
            self.events.append(event)
            if not (lose or self.drop) and self.attached.is_set():
                self.send({"t": "events", "events": [event]})
            return event

    def end_operation(self, number: int, state: str = "done") -> None:
        with self._lock:
            self.operations[number] |= {"state": state, "ended_at": AT}
            self.send({"t": "operation", "operation": self.operations[number]})

    # --- the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([self.sock], [], [], 0.02)
            if not ready or self.deaf.is_set():
                continue
            try:
                data = self.sock.recv(wire.LIMIT + 1)
                if not data:
                    return
                with self._lock:
                    self._read(wire.decode(data))
            except OSError:  # web has gone, as some tests want it to
                return

    def _read(self, message: dict[str, Any]) -> None:
        match message["t"]:
            case "attach":
                self.attached.set()
            case "beat":
                self.beats += 1
            case "ask":
                self.asked.append(message)
                if not self.silent:
                    self._answer(message)
            case _:
                self.told.append(message)

    def _answer(self, message: dict[str, Any]) -> None:
        what = message["what"]
        time.sleep(self.slow.get(what, 0.0))
        try:
            if what in self.refuse:
                raise Refused(*self.refuse[what])
            fields = getattr(self, "on_" + what.replace(".", "_"))(message)
            answer = {"ok": True, **fields}
        except Refused as refused:
            answer = {"ok": False, "error": {"code": refused.args[0], "detail": refused.args[1]}}
        self.send({"t": "reply", "n": message["n"], "seq": len(self.events), **answer})

    # --- questions -------------------------------------------------------------------------------------

    def on_ping(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"checks": self.checks}

    def on_state(self, _: dict[str, Any]) -> dict[str, Any]:
        init = self.hello["init"]
        status = {
            "init": {"pid": init["pid"], "role": "subreaper", "version": "1.2.3", "started_at": AT},
            "main": {
                "state": "running",
                "pid": 7,
                "id": "7-70",
                "argv": ["sleep", "9"],
                "started_at": AT,
                "restarts": 0,
                "last_exit": None,
            },
            "web": {"pid": None, "restarts": 0, "spare": None},
            "ready": True,
            "adopted": {"total": 0, "alive": 0},
            "reaped": {"total": 0},
            "seq": len(self.events),
            **self.attributes,
        }
        return {"status": status, "counters": counters()}

    def on_lineage(self, _: dict[str, Any]) -> dict[str, Any]:
        return LINEAGE

    def on_history(self, message: dict[str, Any]) -> dict[str, Any]:
        kept = self.events[-self.kept :]
        events = [event for event in kept if event["seq"] > message["after"]]
        first = kept[0]["seq"] if kept else 0
        sizes = (n for n in range(FIT, 0, -1) if len(str(events[:n])) < wire.LIMIT - 1_000)
        fit = next(sizes, 1)  # as many as one datagram holds
        return {"events": events[:fit], "first": first, "last": len(self.events)}

    def on_signal(self, message: dict[str, Any]) -> dict[str, Any]:
        process = {"id": f"{message['pid']}-1", "pid": message["pid"], "name": "git"}
        return self._signalled(message, process)

    def on_main_signal(self, message: dict[str, Any]) -> dict[str, Any]:
        return self._signalled(message, {"id": "7-70", "pid": 7, "name": "sleep"})

    def _signalled(self, message: dict[str, Any], process: dict[str, Any]) -> dict[str, Any]:
        number = signals.parse(message["signal"])
        self.happen("signal.sent", signal=message["signal"], process=process, by=message["by"])
        return {"process": process, "signal": signals.name_of(number)}

    def _operation(self, message: dict[str, Any]) -> dict[str, Any]:
        number = len(self.operations) + 1
        operation = {
            "id": number,
            "action": message["what"].removeprefix("main."),
            "state": "running",
            "started_at": AT,
            "ended_at": None,
            "detail": None,
        }
        self.operations[number] = operation
        self.send({"t": "operation", "operation": operation})
        answer = {"operation": dict(operation)}
        if self.finish:
            self.end_operation(number)
        return answer

    on_main_restart = on_main_stop = on_main_start = on_shutdown = _operation

    def on_drain(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"draining": True}

    def on_operation(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["id"] not in self.operations:
            raise Refused("no_such_operation", f"cannot find operation {message['id']}")
        return {"operation": self.operations[message["id"]]}


def counters() -> dict[str, Any]:
    return {
        "adoptions": {"alive": 0, "dead": 0},
        "adopted_alive": 0,
        "reaped": {},
        "undescribed": 0,
        "main_restarts": {},
        "main_restart_delay_seconds": 0.0,
        "signals": {},
        "web_restarts": 0,
        "errors": 0,
        "events": {},
        "events_dropped": 0,
        "reap_batch_seconds": BOUNDS,
        "adopted_lifetime_seconds": BOUNDS,
        "open_fds": 9,
    }


READ, METRICS, HEALTH, CONTROL = "read" * 5, "metrics" * 3, "health" * 4, "control" * 3
TOKENS = [["health", HEALTH], ["metrics", METRICS], ["read", READ], ["control", CONTROL]]


def hello(**changes: Any) -> dict[str, Any]:
    """The fields of a hello; ``changes`` are merged into config, but for listen and init."""
    config = {
        "history": 2_000,
        "anonymous": "metrics",
        "tokens": TOKENS,
        "certificates": [],
        "tls": None,
        "redact": True,
        "connects": True,
        "allow_hosts": [],
        "http_user": "root",
    }
    fields: dict[str, Any] = {
        "version": "1.2.3",
        "listen": [],
        "init": {"pid": os.getpid(), "uid": os.getuid(), "role": "subreaper"},
    }
    for name, value in changes.items():
        (fields if name in fields else config)[name] = value
    return {**fields, "config": config}


@contextmanager
def fake_core(**changes: Any) -> Iterator[FakeCore]:
    """A core with its letterbox, its hello already sent."""
    web_side, core_side = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    core = FakeCore(web_side, core_side, **hello(**changes))
    core.start()
    try:
        yield core
    finally:
        core.stop()
        web_side.close()
