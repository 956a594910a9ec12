"""Is main ready, is it well: the checks of --ready-… and --health-…, round by round. Pure.

Law of this file: one round of a check at a time, each judged once, and what a failure leads to. A command
is helpers.py's to run; a connection is made by web, because PID 1 reads nothing that a network may send.
A round that could not be made (no room for a process, no such command, no web) says nothing of main.
"""

from __future__ import annotations

from initd import wire
from initd.books import Books
from initd.effects import Send
from initd.helpers import Helpers, Outcome
from initd.model import RUNNING, ExitStatus
from initd.probes import Vital
from initd.readiness import Readiness
from initd.supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = tuple(f"{kind}-{how}" for kind in ("ready", "health") for how in ("tcp", "http", "exec"))
_WHY = 200  # characters
_WELL, _UNWELL = ExitStatus(0, None), ExitStatus(1, None)  # what web's answers are as ends of a command
_LATE = 1.0  # beyond its time web's answer does not come any more


class _Plan:
    """How often, how long, how many: what the options say of one check."""

    def __init__(self, config: Any, name: str) -> None:
        kind, _, self.how = name.partition("-")
        self.period: float = getattr(config, f"{kind}_period")
        self.timeout: float = getattr(config, f"{kind}_timeout")
        self.failures: int = getattr(config, f"{kind}_failures")
        self.target: Any = getattr(config, name.replace("-", "_"))


class Checks:
    """All that were asked for; none is the usual case, and costs nothing."""

    def __init__(self, books: Books, helpers: Helpers, supervisor: Supervisor, readiness: Readiness) -> None:
        self.books, self.helpers, self.supervisor, self.readiness = books, helpers, supervisor, readiness
        plans = {name: _Plan(books.config, name) for name in NAMES}
        self._plans = {name: plan for name, plan in plans.items() if plan.target is not None}
        books.vitals.update({name: Vital(name) for name in self._plans})
        self._number = 0
        self._asked: dict[int, tuple[str, float]] = {}  # questions to web: the check, and until when
        self._main = 0  # so many mains there were: a verdict on an earlier one is none

    # --- rounds ------------------------------------------------------------------------------------

    def main_up(self) -> None:
        """A new main: nothing that was found of the old one is true of it."""
        self._main += 1
        self._asked.clear()
        for name in self._plans:
            vital = self.books.vitals[name] = Vital(name)
            self.books.after(f"{name}.due", 0.0 if vital.gates else self._plans[name].period)

    def due(self, name: str) -> None:
        """The time for a round, unless main does not run, or the last one is still open."""
        if self.books.main.state != RUNNING:
            return
        plan = self._plans[name]
        self.books.after(f"{name}.due", plan.period)
        main = self._main
        if plan.how != "exec":
            self._ask_web(name, plan)
        elif self.helpers.stuck(name):
            self._judge(name, main, Outcome("the last one was killed, and has not ended", _UNWELL))
        elif not self.helpers.running(name):
            self.helpers.run(name, plan.timeout, lambda outcome: self._judge(name, main, outcome))

    def _ask_web(self, name: str, plan: _Plan) -> None:
        now = self.books.now
        self._asked = {n: asked for n, asked in self._asked.items() if asked[1] > now}
        if not self.books.attached or any(asked == name for asked, _ in self._asked.values()):
            return
        self._number += 1
        self._asked[self._number] = name, now + plan.timeout + _LATE
        question = {"t": "check", "n": self._number, "how": plan.how, "target": plan.target}
        self.books.emit(Send(wire.encode({**question, "timeout": plan.timeout})))

    def answered(self, message: dict[str, Any]) -> None:
        """web looked. An answer to what was not asked, or long ago, is none."""
        number = message.get("n")
        name, until = self._asked.pop(number, ("", 0.0)) if type(number) is int else ("", 0.0)
        if name and self.books.now <= until:
            why = message.get("why")
            why = why[:_WHY] if isinstance(why, str) and why else "web does not say why"
            well = message.get("ok") is True
            self._judge(name, self._main, Outcome(None if well else why, _WELL if well else _UNWELL))

    # --- verdicts ----------------------------------------------------------------------------------

    def _judge(self, name: str, main: int, outcome: Outcome) -> None:
        books, vital = self.books, self.books.vitals[name]
        if main != self._main or books.main.state != RUNNING:
            return
        if outcome.status is None:
            vital.skipped += 1
            if vital.skipped == 1:
                books.log("warning", f"cannot run --{name}: {outcome.why}; its last result stands")
            if vital.passing is None:
                vital.why = outcome.why
            return
        vital.checked_at, vital.why = books.wall, outcome.why
        if outcome.why is None:
            self._passed(vital)
        else:
            self._failed(vital, outcome)

    def _passed(self, vital: Vital) -> None:
        news = not vital.passing
        vital.failures, vital.passing = 0, True
        if news:
            self.books.record("check.passed", check=vital.name)
            if vital.gates:
                self.readiness.announce()

    def _failed(self, vital: Vital, outcome: Outcome) -> None:
        """One that gates fails at once until it has passed; after that, and for health, they are counted."""
        books, plan = self.books, self._plans[vital.name]
        if not vital.gates and books.now - books.main.since < books.config.health_grace:
            return
        vital.failures += 1
        first = vital.passing is None and vital.gates
        if vital.passing is False or not (first or vital.failures >= plan.failures):
            return
        vital.passing = False
        books.record("check.failed", check=vital.name, why=outcome.why, output=outcome.output)
        if not vital.gates:
            self._unwell(vital, outcome)

    def _unwell(self, vital: Vital, outcome: Outcome) -> None:
        """Health has failed: what --health-action says."""
        books, action = self.books, self.books.config.health_action
        said = f"main failed --{vital.name} {vital.failures} times ({outcome.why})"
        if action == "restart" and not books.retiring:
            books.log("warning", f"{said} and is restarted")
            self.supervisor.restart_for("health")
        elif action == "shutdown" and not books.retiring:
            books.log("warning", f"{said}: shutting down")
            self.supervisor.stop("shutdown")
        else:
            books.log("warning", said)
