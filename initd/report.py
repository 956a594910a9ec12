"""The core's state as JSON has it: its part of /api/v1/status, and the counters for /metrics. Pure."""

from __future__ import annotations

import sys

from initd import __version__, probes, signals, wire
from initd.books import Books
from initd.model import POST_STOP, PRE_START

_ARGV_ROOM = 4_096  # characters; as much as a person reads, and a sixth of a datagram at worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def status(books: Books) -> dict[str, Any]:
    """What PID 1 knows of itself, main and web; web adds what it sees in /proc."""
    web, ledger = books.web.process, books.ledger
    return {
        "init": {
            "pid": books.init.pid,
            "role": books.init.role,
            "version": __version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            "started_at": wire.rfc3339(books.init.started),
            "phase": books.phase,
            "observe": books.config.observe,
        },
        "main": _main(books),
        "web": {
            "pid": web.pid if web is not None else None,
            "restarts": ledger.web_restarts,
            "spare": books.spare or None,
        },
        "ready": probes.ready(books),
        "draining": books.draining,
        "adopted": {"total": ledger.adopted_total, "alive": len(ledger.adopted)},
        "reaped": {"total": ledger.reaped_total},
        "seq": books.history.last,
    }


def _main(books: Books) -> dict[str, Any]:
    process = books.main.process
    return {
        "state": books.main_state,
        "pid": process.pid if process is not None else None,
        "id": str(process) if process is not None else None,
        "argv": _shortened(books.config.argv),
        "started_at": wire.rfc3339(books.main_started_at) if books.ever_started else None,
        "restarts": books.restarts,
        "restart_policy": books.config.restart[0],
        "last_exit": _last_exit(books),
        "status_text": books.told.status or None,
        "reloading": books.told.reloading,
        "hook": next((name for name in books.helpers.values() if name in (PRE_START, POST_STOP)), None),
        "checks": [_vital(vital) for vital in books.vitals.values()],
    }


def _vital(vital: probes.Vital) -> dict[str, Any]:
    return {
        "name": vital.name,
        "passing": vital.passing,
        "failures": vital.failures,
        "skipped": vital.skipped,
        "why": vital.why,
        "checked_at": wire.rfc3339(vital.checked_at) if vital.checked_at else None,
    }


def _shortened(argv: tuple[str, ...]) -> list[str]:
    """A command line may hold a megabyte, and the answer has to fit into one datagram."""
    shown: list[str] = []
    room = _ARGV_ROOM
    for raw in argv:
        word = raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        if len(word) > room:
            return [*shown, word[:room] + "…"]
        shown.append(word)
        room -= len(word) + 4
    return shown


def _last_exit(books: Books) -> dict[str, Any] | None:
    """As main gave it: --expect-exit changes our own code, not the truth."""
    ended = books.main.last_exit
    if ended is None:
        return None
    name = None if ended.signal is None else signals.name_of(ended.signal)
    return {"code": ended.code, "signal": name, "at": wire.rfc3339(books.main_exit_at), "oom": books.oom}


def counters(books: Books) -> dict[str, Any]:
    """Everything that is counted; docs/letterbox.md."""
    return {
        **books.ledger.as_dict(),
        "main_restart_delay_seconds": books.main.delay if books.main_state == "backoff" else 0.0,
        "events": books.history.counts,
        "open_fds": books.open_fds,
        "own": sorted({*books.helpers, *books.former_mains, books.spare} - {0}),
        "checks": probes.checks(books),
    }
