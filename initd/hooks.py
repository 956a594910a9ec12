"""What runs before each start of main, and after each of its ends. Pure.

Law of this file: where there is no such command, whoever waits for it goes on at once. What main does
meanwhile is the table's in unit.py: STARTING before, ENDING (or STOPPING) after.
"""

from __future__ import annotations

from initd import signals
from initd.books import Books
from initd.endings import as_environment
from initd.helpers import Helpers, Outcome
from initd.inputs import ChildEnded
from initd.model import POST_STOP, PRE_START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KILL, TERM = signals.NUMBERS["KILL"], signals.NUMBERS["TERM"]


class Hooks:
    """--pre-start and --post-stop."""

    def __init__(self, books: Books, helpers: Helpers) -> None:
        self.books, self.helpers = books, helpers

    def before(self, done: Callable[[Outcome], None]) -> None:
        """Main may be started once ``done`` is called without a why."""
        if self.books.config.pre_start is None:
            done(Outcome(None))
        else:
            self.helpers.run(PRE_START, self.books.config.pre_start_timeout, done)

    def after(self, end: ChildEnded, go_on: Callable[[], None]) -> None:
        """Tell the command how main ended; however it ends itself, ``go_on`` follows."""

        def done(outcome: Outcome) -> None:
            if outcome.why is not None:
                self.books.log("warning", f"--post-stop failed: {outcome.why}")
            go_on()

        environ = as_environment(end.process, end.status)
        self.helpers.run(POST_STOP, self.books.config.post_stop_timeout, done, environ)

    def stop(self) -> None:
        """Main is not wanted any more before it was started."""
        self.helpers.signal(PRE_START, TERM)

    def kill(self) -> None:
        """Now, whichever runs."""
        for name in (PRE_START, POST_STOP):
            self.helpers.signal(name, KILL)
