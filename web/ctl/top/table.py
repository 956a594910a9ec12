"""The processes on the screen.

Law of this file: only the lines that are seen are made, so that 2,000 processes cost what 40 do. A line is
made of segments, which are text and a style: nothing in a name is markup.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from web.ctl.show import duration, size
from web.ctl.top.picture import Process, Row

COLUMNS = f"{'PID':>7}  {'STATE':<12} {'AGE':>6} {'THR':>4} {'CPU':>8} {'RSS':>6}  NAME"
STYLES = {
    "zombie": Style(color="red"),
    "culprit": Style(color="red", bold=True),
    "adopted": Style(color="cyan"),
}
CURSOR = Style(reverse=True)


class Table(ScrollView, can_focus=True):
    """A tree of processes with a cursor, which stays on its process when the others change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "move(-1000000)", "first", show=False),
        Binding("end", "move(1000000)", "last", show=False),
        Binding("enter", "choose", "detail"),
    ]

    class Chosen(Message):
        """Enter was pressed on a process, or it was clicked twice."""

        def __init__(self, process: Process) -> None:
            super().__init__()
            self.process = process

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._cursor = 0
        self._now = 0.0

    @property
    def current(self) -> Process | None:
        """The process under the cursor."""
        return self.rows[self._cursor].process if self.rows else None

    def show(self, rows: list[Row], now: float) -> None:
        """Show these from now on; ``now`` is the time that their ages are counted to."""
        before = self.current
        self.rows, self._now = rows, now
        places = {row.process.id: place for place, row in enumerate(rows)}
        place = places.get(before.id, self._cursor) if before else 0
        self.virtual_size = Size(self.size.width, len(rows))
        self._put(place)

    def render_line(self, y: int) -> Strip:
        place = y + self.scroll_offset.y
        if place >= len(self.rows):
            return Strip.blank(self.size.width, self.rich_style)
        row = self.rows[place]
        style = self.rich_style + STYLES.get(row.process.kind, Style())
        if place == self._cursor:
            style += CURSOR
        return Strip([Segment(line(row, self._now), style)]).adjust_cell_length(self.size.width, style)

    def action_move(self, rows: int) -> None:
        self._put(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        self._put(self._cursor + pages * max(1, self.size.height - 1))

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self.current))

    def _put(self, place: int) -> None:
        self._cursor = max(0, min(place, len(self.rows) - 1))
        top, height = self.scroll_offset.y, self.size.height
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False)
        self.refresh()


def line(row: Row, now: float) -> str:
    """One process as text, its columns under COLUMNS."""
    one = row.process
    cpu = "-" if one.cpu_seconds is None else f"{one.cpu_seconds:.1f}s"
    threads = "-" if one.threads is None else one.threads
    age = "-" if one.born is None else duration(now - one.born)
    figures = f"{age:>6} {threads:>4} {cpu:>8} {size(one.resident_bytes):>6}"
    return f"{one.pid:>7}  {one.state:<12} {figures}  {row.branch}{one.name}  {one.note}"
