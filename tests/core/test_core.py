"""core.py as a whole: whatever happens, in whatever order, these things stay true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from initd.helpers import Helpers, Outcome
from initd.inputs import SpawnFailed

from .driver import KILL, World, begin, missing, no_fork, no_room, prepare

POLICIES = st.sampled_from(["no", "always", "on-failure", "on-failure:1"])
HOUSES = st.sampled_from([(), ("--no-http",)])
SECONDS = st.sampled_from([0.0, 0.02, 0.1, 0.6, 1.0, 5.0, 40.0])
SIGNALS = st.sampled_from(["HUP", "TERM", "INT", "QUIT", "USR1"])
ORDERS = st.sampled_from(["main.start", "main.stop", "main.restart", "shutdown", "drain", "ping", "state"])
WAITING = ("backoff", "stopping", "restarting", "ending")
HOOKS = (("--pre-start", "before"), ("--post-stop", "after"))
CHECKS = (
    ("--ready-exec", "look", "--ready-timeout", "3s"),
    ("--health-exec", "look", "--health-period", "1s", "--health-failures", "1"),
)
WEBS_CHECKS = (("--ready-tcp", "80"), ("--health-http", "80", "--health-failures", "2"))
HELPERS = ("pre-start", "post-stop", "ready-exec", "health-exec")
JUNK = st.sampled_from([None, True, -1, "1", [1], 2**70])


def numbers(counters: Any, path: str = "") -> dict[str, float]:
    """Every counter under its path; gauges are left out."""
    if isinstance(counters, dict):
        parts = [numbers(value, f"{path}/{name}") for name, value in counters.items()]
        return {name: value for part in parts for name, value in part.items()}
    if isinstance(counters, list):
        return {f"{path}/{place}": value for place, value in enumerate(counters)}
    return {path: counters}


def tally(helpers: Helpers) -> list[int]:
    """For each helper that is run from now on: how often whoever wanted it was told of its end."""
    told: list[int] = []
    run = helpers.run

    def counted(name: str, seconds: float, done: Any, environ: tuple[tuple[str, str], ...] = ()) -> None:
        place = len(told)
        told.append(0)

        def tell(outcome: Outcome) -> None:
            told[place] += 1
            done(outcome)

        run(name, seconds, tell, environ)

    vars(helpers)["run"] = counted
    return told


class Life(RuleBasedStateMachine):
    """One container, from its start to its exit."""

    world: World
    counted: dict[str, float]
    told: list[int]
    last_word = False  # web's

    @initialize(
        policy=POLICIES,
        house=HOUSES,
        drain=st.sampled_from(["0", "3s"]),
        sweep=st.sampled_from(["0", "1s"]),
        more=st.sets(st.sampled_from([*HOOKS, *CHECKS, *WEBS_CHECKS])),
        action=st.sampled_from(["restart", "shutdown", "none"]),
        fails=st.booleans(),
    )
    def start(
        self,
        policy: str,
        house: tuple[str, ...],
        drain: str,
        sweep: str,
        more: set[tuple[str, ...]],
        action: str,
        fails: bool,
    ) -> None:
        options = ("--restart", policy, "--drain", drain, "--sweep-timeout", sweep, *house)
        extra = [word for words in more if not (house and words in WEBS_CHECKS) for word in words]
        self.world = prepare(*options, "--stop-timeout", "2s", "--health-action", action, *extra)
        self.counted, self.told = {}, tally(self.world.desk.core.helpers)
        if fails:
            self.world.failing["main"] = [no_fork()]
        begin(self.world)

    def alive(self) -> bool:
        return not self.world.exits

    def children(self, *, ours: bool) -> list[int]:
        return [pid for pid, child in self.world.children.items() if bool(child.unit) == ours]

    # --- what may happen -----------------------------------------------------------------------------

    @precondition(alive)
    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @precondition(alive)
    @rule(seconds=SECONDS)
    def time_leaps(self, seconds: float) -> None:
        self.world.leap(seconds)

    @precondition(alive)
    @rule(name=SIGNALS)
    def a_signal_comes(self, name: str) -> None:
        self.world.signal(name)

    @precondition(alive)
    @rule(what=ORDERS)
    def somebody_asks(self, what: str) -> None:
        full, self.world.full = self.world.full, False
        self.world.ask(what)
        self.world.full = full

    @precondition(lambda self: self.alive() and self.children(ours=True))
    @rule(data=st.data(), code=st.sampled_from([0, 1, 9]), signal=st.sampled_from([None, 9, 15]))
    def one_of_ours_ends(self, data: st.DataObject, code: int, signal: int | None) -> None:
        self.world.end(data.draw(st.sampled_from(self.children(ours=True))), code, signal)

    @precondition(alive)
    @rule(zombie=st.booleans())
    def a_stranger_arrives(self, zombie: bool) -> None:
        used = [process.id.pid for process in self.world.spawned if process.id.pid not in self.world.children]
        self.world.add_child("git", pid=used[0] if used else None, zombie=zombie)

    @precondition(lambda self: self.alive() and self.children(ours=False))
    @rule(data=st.data())
    def a_stranger_ends(self, data: st.DataObject) -> None:
        self.world.end(data.draw(st.sampled_from(self.children(ours=False))), 3)

    @precondition(alive)
    @rule(there=st.booleans())
    def a_grandchild_comes_or_goes(self, there: bool) -> None:
        self.world.others = {99} if there else set()

    @precondition(alive)
    @rule(
        unit=st.sampled_from(["main", "web", *HELPERS]),
        failure=st.sampled_from([no_fork, missing, no_room]),
    )
    def the_next_spawn_fails(self, unit: str, failure: Callable[[str], SpawnFailed]) -> None:
        spared = failure is no_room and not unit.endswith("-exec")  # nobody spares anything but a check
        self.world.failing[unit] = [no_fork(unit) if spared else failure(unit)]

    @precondition(alive)
    @rule(number=st.integers(0, 5) | JUNK, ok=st.booleans() | JUNK, why=st.none() | st.just("no") | JUNK)
    def web_says_what_it_saw(self, number: object, ok: object, why: object) -> None:
        asked = self.world.said("check")
        if isinstance(number, int) and 0 <= number < len(asked):
            number = asked[-1 - number]["n"]
        self.world.say({"t": "checked", "n": number, "ok": ok, "why": why})

    @precondition(alive)
    @rule()
    def web_attaches(self) -> None:
        self.world.attach()

    @precondition(alive)
    @rule()
    def web_closes_its_letterbox(self) -> None:
        self.last_word = True
        self.world.close_letterbox()

    @precondition(alive)
    @rule(full=st.booleans())
    def the_letterbox_fills_or_empties(self, full: bool) -> None:
        self.world.full = full

    @precondition(lambda self: not self.alive())
    @rule()
    def it_is_over(self) -> None:
        """Nothing reaches an init that has left."""

    # --- what stays true -------------------------------------------------------------------------------

    @invariant()
    def the_history_has_no_gap(self) -> None:
        history = self.world.desk.books.history
        kept = [event["seq"] for event in self.world.history()]
        assert kept == list(range(history.first, history.last + 1))

    @invariant()
    def counters_only_go_up(self) -> None:
        ledger, books = self.world.desk.books.ledger, self.world.desk.books
        counters = {**ledger.as_dict(), "events": books.history.counts}
        del counters["adopted_alive"]
        now = numbers(counters)
        assert all(now[name] >= value for name, value in self.counted.items())
        self.counted = now

    @invariant()
    def every_stranger_is_counted_once(self) -> None:
        ledger = self.world.desk.books.ledger
        assert ledger.adopted_total == len(self.world.met)
        met_and_there = [child.id for child in self.world.children.values() if child.id in self.world.met]
        assert ledger.adopted == {process.pid: process.starttime for process in met_and_there}

    @invariant()
    def whatever_is_waited_for_has_a_deadline(self) -> None:
        books = self.world.desk.books
        waiting = books.main.state in WAITING or books.phase != "up" or not books.config.no_http
        if waiting and not self.world.exits:
            assert books.deadline() is not None

    @invariant()
    def whoever_wants_a_helper_is_told_once(self) -> None:
        running = sum(self.world.runs(name) for name in HELPERS)
        assert set(self.told) <= {0, 1}
        assert self.told.count(0) <= running

    @invariant()
    def main_runs_neither_before_what_is_before_it_nor_beside_what_is_after_it(self) -> None:
        """But for one that was killed and is stuck in the kernel: main does not wait for that."""
        if self.world.runs("main"):
            helpers = self.world.desk.core.helpers
            beside = [name for name in ("pre-start", "post-stop") if helpers.running(name)]
            assert [name for name in beside if not helpers.stuck(name)] == []

    @invariant()
    def what_runs_is_not_held_at_rest(self) -> None:
        books = self.world.desk.books
        assert not (books.held and books.main.state == "running")

    @invariant()
    def the_state_is_what_the_children_say(self) -> None:
        for which in (self.world.desk.books.main, self.world.desk.books.web):
            living = [child.id for child in self.world.children.values() if child.unit == which.name]
            assert living == ([which.process] if which.process is not None else [])

    @invariant()
    def the_exit_comes_once_and_after_main(self) -> None:
        assert len(self.world.exits) <= 1
        if self.world.exits:
            assert self.world.state == "stopped"
            assert not self.world.runs("main")
            if self.world.runs("web"):  # once it has said its last word or was killed, it is the kernel's
                killed = (self.world.pid("web"), KILL, True) in self.world.signals
                assert killed or self.last_word

    def teardown(self) -> None:
        """Sooner or later it ends: two TERMs, main and web gone, and time."""
        if not hasattr(self, "world"):
            return
        self.world.failing.clear()
        for _ in range(3):
            if self.alive():
                self.world.signal("TERM")
        for _ in range(8):
            for pid in self.children(ours=True):
                if self.alive():
                    self.world.end(pid, 0)
            if self.alive():
                self.world.advance(5)
        assert len(self.world.exits) == 1


TestLife = Life.TestCase
TestLife.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)


def test_the_same_inputs_give_the_same_effects() -> None:
    """The brain has no clock and no dice of its own."""
    lives = []
    for _ in range(2):
        world = begin(prepare("--restart", "always", dice=0.3))
        world.attach()
        world.end(world.pid(), 1)
        world.advance(3)
        world.ask("state")
        lives.append((world.sent, world.logs, world.signals, world.desk.books.timers))
    assert lives[0] == lives[1]
