"""The application: keys to orders, answers to the screen.

Law of this file: it runs on the screen's thread and never waits; what takes time is the feed's. What the
feed's threads have to say comes as a message.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.widgets import Footer, Input, RichLog, Static

from web.ctl.client import Client
from web.ctl.top import head
from web.ctl.top.dialogs import AskSignal, Confirm, Detail
from web.ctl.top.feed import Feed
from web.ctl.top.picture import Picture, Process, rows
from web.ctl.top.table import COLUMNS, Table

TICK = 0.5  # seconds between two looks at how old the picture is
KEPT = 1000  # lines of events
LAST = 5  # seconds to leave in once a signal says so


class Said(Message):
    """From another thread: do this on the screen's."""

    def __init__(self, todo: Callable[[], object]) -> None:
        super().__init__()
        self.todo = todo


class Events(RichLog):
    """The last events. A lower pane would go on showing the first line it showed, which is old."""

    def on_resize(self, event: Resize) -> None:  # beside RichLog's own: textual calls both
        del event
        self.scroll_end(animate=False)


class Top(App[None]):
    """``client`` is asked each second."""

    TITLE = "initctl top"
    CSS_PATH = "top.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),  # from a dialog too; there q is its own
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("z", "zombies", "zombies only"),
        Binding("p", "pause", "pause"),
        Binding("k", "signal", "signal"),
        Binding("r", "restart", "restart main"),
        Binding("escape", "unfilter", "all", show=False),
    ]

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._screens_loop: asyncio.AbstractEventLoop | None = None
        self._feed = Feed(
            client,
            self._from_thread(self._show_picture),
            self._from_thread(self._show_trouble),
            self._from_thread(self._show_event),
        )
        self._picture: Picture | None = None
        self._came = 0.0
        self._trouble: str | None = None
        self._paused = self._zombies_only = False
        self.held: list[str] = []  # events that came while paused
        self._wanted = ""
        self._head = Static(id="head", markup=False)
        self.table = Table()
        self.events = Events(id="events", max_lines=KEPT, markup=False, highlight=False)
        self._filter = Input(placeholder="name, pid, state or note", id="filter")

    def compose(self) -> ComposeResult:
        yield self._head
        yield Static(COLUMNS, id="columns", markup=False)
        yield self.table
        yield self.events
        yield self._filter
        yield Footer()

    def on_load(self) -> None:
        self._screens_loop = asyncio.get_running_loop()

    def on_mount(self) -> None:
        self._filter.display = False
        self.events.can_focus = False
        self.table.focus()
        self.set_interval(TICK, self._draw_head)
        self._feed.start()

    def on_unmount(self) -> None:
        self._feed.stop()

    def leave_by(self, number: int, _frame: FrameType | None) -> None:
        """A signal's handler: give the terminal back before the end.

        Where the terminal is stuck or gone, the loop may wait for it for ever: then the alarm is the end.
        """
        signal.alarm(LAST)
        if self._screens_loop is None:
            raise SystemExit(128 + number)
        with suppress(RuntimeError):  # the loop is closed: it is just leaving
            self._screens_loop.call_soon_threadsafe(lambda: self.exit(return_code=128 + number))

    def _from_thread(self, do: Callable[..., object]) -> Callable[..., None]:
        """``do`` for another thread to call."""

        def say(*arguments: object) -> None:
            with suppress(RuntimeError):  # the user left while the answer was on its way
                self.post_message(Said(lambda: do(*arguments)))

        return say

    def on_said(self, message: Said) -> None:
        if self.table.is_attached:  # else the user is just leaving
            message.todo()

    # --- what comes in

    def _show_picture(self, picture: Picture) -> None:
        self._trouble = None
        if not self._paused:
            self._picture, self._came = picture, time.monotonic()
            self._draw()

    def _show_trouble(self, trouble: str) -> None:
        self._trouble = trouble
        self._draw_head()

    def _show_event(self, text: str) -> None:
        if self._paused:
            self.held.append(text)
        else:
            self.events.write(text)

    def _show_answer(self, text: str, bad: bool) -> None:
        self.notify(text, severity="error" if bad else "information", markup=False)

    def _draw(self) -> None:
        if self._picture is not None:
            self.table.show(rows(self._picture.processes, self._shown()), self._picture.now)
        self._draw_head()

    def _shown(self) -> Callable[[Process], bool] | None:
        if not (self._wanted or self._zombies_only):
            return None
        return lambda one: (not self._zombies_only or one.kind == "zombie") and one.says(self._wanted)

    def _draw_head(self) -> None:
        modes = ["paused"] if self._paused else []
        modes += ["zombies only"] if self._zombies_only else []
        modes += [f"filter: {self._wanted}"] if self._wanted else []
        old = time.monotonic() - self._came
        self._head.update(head.lines(self._picture, old, self._trouble, modes))

    # --- keys

    def action_filter(self) -> None:
        self._filter.display = True
        self._filter.focus()

    def action_unfilter(self) -> None:
        self._filter.value = ""
        self._leave_filter()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self._filter:
            self._wanted = event.value
            self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self._filter:
            self._leave_filter()

    def _leave_filter(self) -> None:
        self._filter.display = False
        self.table.focus()

    def action_zombies(self) -> None:
        self._zombies_only = not self._zombies_only
        self._draw()

    def action_pause(self) -> None:
        """Hold the picture; the events of the meantime are shown afterwards, none is left out."""
        self._paused = not self._paused
        if not self._paused:
            for text in self.held:
                self.events.write(text)
            self.held.clear()
        self._draw_head()

    def action_signal(self) -> None:
        if (process := self.table.current) is None:
            return

        def send(name: str | None) -> None:
            if name:
                self._feed.ask_aside(
                    lambda: self._feed.signal(process.id, name), self._from_thread(self._show_answer)
                )

        self.push_screen(AskSignal(f"{process.name} ({process.id})"), send)

    def action_restart(self) -> None:
        def restart(sure: bool | None) -> None:
            if sure:
                self._feed.ask_aside(self._feed.restart, self._from_thread(self._show_answer))

        self.push_screen(Confirm("Stop main, and start it again?"), restart)

    def on_table_chosen(self, message: Table.Chosen) -> None:
        process = message.process
        detail = Detail(f"{process.name} ({process.id})  {process.note}")

        def show(text: str, _bad: bool) -> None:
            if detail.is_attached:
                detail.show(text)

        self.push_screen(detail)
        self._feed.ask_aside(lambda: self._feed.detail(process.id), self._from_thread(show))
