"""The spare process that becomes web when no other can be made: when there is to be one. Pure.

Law of this file: one, where pids are limited, and as soon as there is room for it; none once we leave. It is
asked for whether or not pids are short: a window that does not open in a full house is none.
"""

from __future__ import annotations

from initd.books import Books
from initd.effects import Dismiss, Park
from initd.inputs import Parked

_SOON = 1.0
_LATER = 10.0  # nobody limits pids now; somebody may


class SpareKeeper:
    """Once it is parked nothing is done about it until it is used, or was killed."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def begin(self) -> None:
        """The bootstrap has tried already."""
        if not self.books.spare:
            self.books.after("spare", _SOON)

    def due(self) -> None:
        self.books.emit(Park())

    def parked(self, parked: Parked) -> None:
        self.books.spare = parked.pid
        if not parked.pid:
            self.books.after("spare", _SOON if parked.limited else _LATER)

    def gone(self) -> None:
        """It is web now, or dead."""
        self.books.spare = 0
        if self.books.serving:
            self.books.after("spare", _SOON)

    def dismiss(self) -> None:
        """We leave."""
        self.books.cancel("spare")
        if self.books.spare:
            self.books.emit(Dismiss())
