"""Main: what its state machine asks for becomes effects and timers; and what people may ask of it. Pure.

Law of this file: nothing is decided about states here, unit.py's table does that.
"""

from __future__ import annotations

from initd import signals, unit
from initd.books import KILL_AGAIN, UP, Books, describe
from initd.effects import Signal, Spawn
from initd.endings import as_fields, in_words
from initd.helpers import Outcome
from initd.hooks import Hooks
from initd.inputs import ChildEnded, Spawned, SpawnFailed
from initd.keeper import Keeper
from initd.model import MAIN, RUNNING, STARTING, STOPPED, ExitStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KILL, TERM = signals.NUMBERS["KILL"], signals.NUMBERS["TERM"]
_NOT_PREPARED = 125  # as all of our own refusals


class Supervisor(Keeper):
    """Starts, stops and restarts; ``at_rest`` is called when main has settled."""

    main_up: Callable[[], None]  # set by core.py: whoever wants to know of a new main

    def __init__(self, books: Books, hooks: Hooks, at_rest: Callable[[], None]) -> None:
        super().__init__(books, books.main)
        self.hooks, self._at_rest = hooks, at_rest
        self._end: ChildEnded | None = None  # of main, while --post-stop runs
        self._ask_by: int | None = None  # the signal of this one stop, where it is not the configured one
        self._reason = "exit"  # why the next start of main happens
        self._why = ""  # how its last run or start ended, in words
        self._from_rest = False  # the start that is under way was asked for while main was held

    # --- what people ask of main -------------------------------------------------------------------

    def run(self, action: str, by: dict[str, Any] | None = None) -> dict[str, Any]:
        """``restart`` or ``start``: also undoes a stop that a signal began."""
        books = self.books
        operation = books.operations.begin(action, books.wall, by)
        self._from_rest = self._from_rest or (books.held and self.unit.state == STOPPED)
        books.held = books.retiring = books.draining = False
        books.cancel("drain")
        running = self.unit.state == RUNNING
        self._reason = "api"
        self.move(unit.START if action == "start" else unit.RESTART)
        if running and action == "start":
            self._reason = "exit"
            books.operations.finish("done", books.wall, "main is running", action)
        return operation

    def stop(self, action: str, by: dict[str, Any] | None = None) -> dict[str, Any]:
        """``stop``: main ends and the init stays. ``shutdown``: the init ends with it."""
        books = self.books
        operation = books.operations.begin(action, books.wall, by)
        books.held = action == "stop" and not books.retiring
        books.retiring = books.retiring or not books.held
        at_rest = self.unit.state == STOPPED
        self.move(unit.STOP)
        if at_rest:
            books.operations.finish("done", books.wall, "main is stopped", action)
            self._at_rest()
        return operation

    def restart_for(self, reason: str, number: int | None = None) -> None:
        """Main does not do its work: restart it under every policy, ``number`` being the way to say so."""
        self._reason, self._ask_by = reason, number
        self.move(unit.STOP if self.books.retiring else unit.RESTART)
        self._ask_by = None

    # --- actions -----------------------------------------------------------------------------------

    def spawn(self) -> None:
        """First what runs before it."""
        self.books.cancel("main.due")
        self.hooks.before(self._prepared)

    def _prepared(self, outcome: Outcome) -> None:
        """What runs before main has ended: well, or main is not started; or nobody wants it any more."""
        books = self.books
        if outcome.why is None and self.unit.state == STARTING:
            books.emit(Spawn(MAIN))
            return
        if self.unit.state == STARTING:
            why, status = f"--pre-start failed: {outcome.why}", ExitStatus(_NOT_PREPARED, None)
            books.log("error", f"cannot start main: {why}")
        else:  # whoever stops it knows why it was not started: what is left to say is how that ended
            why, status = "it was stopped before it was started", outcome.status or ExitStatus(0, None)
        self._not_up(why, status, again=outcome.spared)

    def ask(self) -> None:
        """The stop signal, to main or to what runs before it."""
        books = self.books
        if self.unit.process is None:
            self.hooks.stop()
        else:
            number = self._ask_by or books.config.stop_signal
            self._audit(number)
            books.emit(Signal(self.unit.process.pid, number, books.main_group))
        books.after("main.overdue", books.config.stop_timeout)

    def _audit(self, number: int) -> None:
        """A signal of ours to main is counted and recorded, with whoever asked for the stop."""
        books = self.books
        assert self.unit.process is not None
        books.ledger.count_signal(number, "stop")
        books.record(
            "signal.sent",
            signal=signals.name_of(number),
            process=describe(self.unit.process, books.main_name),
            source="stop",
            by=books.operations.by,
            outcome="sent",
        )

    def kill(self) -> None:
        books = self.books
        if self.unit.process is None:
            self.hooks.kill()
        else:
            self._audit(KILL)
            books.log("warning", f"main did not stop within {books.config.stop_timeout:g} s and is killed")
            books.emit(Signal(self.unit.process.pid, KILL, group=True))
        books.after("main.overdue", KILL_AGAIN)

    def wait(self) -> None:
        super().wait()
        delay = round(self.unit.delay, 3)
        self.books.record("main.backoff", delay_seconds=delay, failures=self.unit.failures, why=self._why)

    def settle(self) -> None:
        super().settle()
        books = self.books
        books.record("main.stopped", held=books.held)
        books.operations.finish("done", books.wall, "main is stopped", "stop", "shutdown")
        failure = "a stop came between" if books.retiring else "main could not be started"
        books.operations.finish("failed", books.wall, failure, "start", "restart")
        self._at_rest()

    # --- births and deaths -------------------------------------------------------------------------

    def spawned(self, up: Spawned) -> None:
        books = self.books
        self.do(self.unit.up(up.process, books.now))
        if books.ever_started:
            books.ledger.main_restarts[self._reason] += 1
        books.ever_started, self._reason = True, "exit"
        books.held = self._from_rest = False
        books.main_started_at = books.wall
        process = describe(up.process, books.main_name)
        books.record("main.started", process=process, restarts=books.restarts)
        detail = f"main is running as pid {up.process.pid}"
        books.operations.finish("done", books.wall, detail, "start", "restart")
        self.main_up()

    def spawn_failed(self, failure: SpawnFailed) -> None:
        self._not_up(failure.why, self.missed("run", failure), again=failure.forking)

    def _not_up(self, why: str, status: ExitStatus, *, again: bool) -> None:
        """``again``: too few pids or too little memory may pass, so it is tried again under every policy."""
        books = self.books
        books.cancel("main.overdue")
        books.main_exit_at, self._why, books.oom = books.wall, why, False
        # A start from rest that fails leaves it at rest, not us at the end.
        books.held = (books.held or self._from_rest) and not books.retiring
        back = False if books.retiring or books.phase != UP else True if again else None
        self.do(self.unit.down(status, books.now, failed=True, back=back))

    def ended(self, end: ChildEnded) -> None:
        books = self.books
        books.oom = self._out_of_memory(end)
        words = in_words(end.status) + (" (out of memory)" if books.oom else "")
        books.main_exit_at, self._why = books.wall, words
        books.cancel("main.overdue")
        books.record(
            "main.exited",
            process=describe(end.process, end.name),
            **as_fields(end.status),
            core_dumped=end.status.dumped,
            oom=books.oom,
        )
        books.log("info", f"main (pid {end.process.pid}) ended: {words}")
        self._end = end
        if books.config.post_stop is None:
            self._judge()
        else:
            self.do(self.unit.ended(end.status, books.now))

    def _out_of_memory(self, end: ChildEnded) -> bool | None:
        """Was it the kernel, for memory? None: it was killed, and no control group tells."""
        self.books.count_oom(end.oom_kills)
        return end.status.signal == KILL and self.books.short_of_memory

    def after(self) -> None:
        """What runs after main is told how it ended."""
        assert self._end is not None
        self.hooks.after(self._end, self._judge)

    def _judge(self) -> None:
        """Main's end is over, with what runs after it: what next?"""
        books, end = self.books, self._end
        assert end is not None
        back = False if books.retiring or books.phase != UP else None
        failed = books.judge(end.status) != 0
        self.do(self.unit.down(end.status, books.now, failed=failed, back=back))
