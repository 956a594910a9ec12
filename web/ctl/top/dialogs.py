"""What opens over the table: a question before anything is done, and one process in detail.

Law of this file: a dialog asks and answers, and does nothing itself. Its texts are never read as markup.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

USUAL_SIGNAL = "TERM"


class Confirm(ModalScreen[bool]):
    """Yes only to a y: Enter is what a hand does by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "yes"),
        Binding("n,escape,q", "dismiss(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        yield Vertical(Static(self._question, markup=False), Static("y yes   Esc no", classes="keys"))


class AskSignal(ModalScreen[str | None]):
    """Which signal a process shall get; None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "no")]

    def __init__(self, whose: str) -> None:
        super().__init__()
        self._whose = whose

    def compose(self) -> ComposeResult:
        yield Vertical(
            Static(f"Send which signal to {self._whose}?", markup=False),
            Input(USUAL_SIGNAL, select_on_focus=True),
            Static("Enter sends it   Esc does not", classes="keys"),
        )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


class Detail(ModalScreen[None]):
    """Everything that is known of one process, once the answer is there."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "back")]

    def __init__(self, whose: str) -> None:
        super().__init__()
        self._whose = whose

    def compose(self) -> ComposeResult:
        yield VerticalScroll(
            Static(self._whose, markup=False, classes="keys"),
            Static("asking …", markup=False, id="facts"),
        )

    def show(self, text: str) -> None:
        """Show the answer."""
        self.query_one("#facts", Static).update(text)
