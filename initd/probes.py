"""What /readyz and /startupz are answered by: named parts, each well or with a reason. Pure.

Law of this file: read from the books alone, so that a probe costs no lock, no disk and no look at /proc.
"""

from __future__ import annotations

from initd.books import UP, Books
from initd.model import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Part = tuple[str, str | None]  # its name, and why it fails


class Vital:
    """One of the checks of main that --ready-… and --health-… ask for, and what it said last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gates = name.startswith("ready")  # it has to pass before main is ready
        self.passing: bool | None = None  # None: not known of this main
        self.failures = 0  # in a row
        self.why: str | None = None
        self.skipped = 0  # rounds, because there was no room for a process
        self.checked_at = 0.0  # wall

    @property
    def failed(self) -> str | None:
        """Why main is not ready by this check; None where it does not say so."""
        if self.passing or (self.passing is None and not self.gates):
            return None
        if self.passing is None:  # anybody may ask: which command, and why, is in the status
            return "it cannot be run" if self.skipped else "not checked yet"
        return self.why


def checks(books: Books) -> list[dict[str, Any]]:
    """All parts; docs/letterbox.md, ``ping``."""
    return [
        *(_check(name, why, "ready") for name, why in _readiness(books)),
        _check("started", _not_started(books), "startup"),
    ]


def ready(books: Books) -> bool:
    """Is every part of readiness well?"""
    return not any(why for _, why in _readiness(books))


def _check(name: str, why: str | None, probe: str) -> dict[str, Any]:
    return {"name": name, "ok": why is None, "why": why, "for": [probe]}


def _not_started(books: Books) -> str | None:
    """Sticky: once started, and ready by whatever says so, it stays started."""
    if not (books.ever_started or books.config.observe):
        return "main has not been started yet"
    vouched = books.config.notify or any(vital.gates for vital in books.vitals.values())
    return "main has not become ready yet" if vouched and not books.ever_ready else None


def _readiness(books: Books) -> Iterator[Part]:
    if not books.config.observe:
        yield "main", None if books.main.state == RUNNING else f"main is {books.main_state}"
    yield "stopping", "a stop has begun" if books.retiring or books.phase != UP else None
    yield "drain", "draining" if books.draining else None
    yield from _told(books)
    yield from ((vital.name, vital.failed) for vital in books.vitals.values())
    yield from _room(books)


def _told(books: Books) -> Iterator[Part]:
    """What only main can vouch for, where it was asked to."""
    told = books.told
    if books.config.notify:
        why = None if told.ready else "main has not said READY=1"
        yield "notify", "main says that it is stopping" if told.stopping else why
    if books.config.watchdog:
        yield "watchdog", "main did not feed it in time" if told.starving else None


def _room(books: Books) -> Iterator[Part]:
    """The thresholds, where they were asked for, by what web counted last."""
    most, least = books.config.ready_max_zombies, books.config.ready_free_pids
    zombies, current, limit = (books.census.get(name) for name in ("zombies", "current", "max"))
    if most is not None:
        yield "zombies", f"{zombies} zombies, and at most {most} are borne" if (zombies or 0) > most else None
    if least is not None:
        few = current is not None and limit is not None and limit - current < least
        yield "pids", f"pids {current} of {limit}: fewer than {least} are left" if few else None
