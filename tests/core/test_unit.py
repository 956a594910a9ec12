"""unit.py: the table is total and as expected, a dead end changes nothing, backoff is Docker's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import unit
from initd.books import WEB_POLICY
from initd.model import STATES, ExitStatus, ProcessId
from initd.unit import IllegalMove, Policy, Unit

from .driver import QUICK

# Written by hand from what each input means, not from the table: state, then for each input the
# next state and the actions; "-" is what cannot happen.
INPUTS = ("start", "stop", "restart", "up", "ended", "down_retry", "down_final", "due", "overdue")
EXPECTED = {
    "starting": (
        "starting", "stopping ask", "starting", "running", "-", "backoff wait", "stopped settle", "-", "-",
    ),
    "running": (
        "running", "stopping ask", "restarting ask", "-", "ending after", "backoff wait", "stopped settle",
        "-", "-",
    ),
    "backoff": (
        "starting spawn", "stopped settle", "starting spawn", "-", "-", "-", "-", "starting spawn", "-",
    ),
    "stopping": (
        "restarting", "stopping", "restarting", "-", "stopping after", "stopped settle", "stopped settle",
        "-", "stopping kill",
    ),
    "restarting": (
        "restarting", "stopping", "restarting", "-", "restarting after", "starting spawn", "starting spawn",
        "-", "restarting kill",
    ),
    "ending": ("restarting", "stopping", "restarting", "-", "-", "backoff wait", "stopped settle", "-", "-"),
    "stopped": ("starting spawn", "stopped", "starting spawn", "-", "-", "-", "-", "-", "-"),
}  # fmt: skip
CELLS = [
    (state, what, expected)
    for state, row in EXPECTED.items()
    for what, expected in zip(INPUTS, row, strict=True)
]
LEGAL = [cell for cell in CELLS if cell[2] != "-"]
DEAD_ENDS = [cell[:2] for cell in CELLS if cell[2] == "-"]
ONE = ProcessId(7, 70)
FAILED, CLEAN = ExitStatus(1, None), ExitStatus(0, None)
MAIN_POLICY = Policy("always", None, 0.5, 30.0, 10.0, 0.2)


def a_unit(state: str = "stopped", policy: Policy = MAIN_POLICY, dice: float = 0.0) -> Unit:
    made = Unit("main", policy, lambda: dice)
    made.state = state
    return made


def put(which: Unit, what: str) -> tuple[str, ...]:
    """The input by its name, through the methods that others use."""
    if what == "up":
        return which.up(ONE, 5.0)
    if what == "ended":
        return which.ended(CLEAN, 5.0)
    if what.startswith("down"):
        return which.down(FAILED, 5.0, failed=True, back=what == "down_retry")
    return which.ask(what)


def everything(which: Unit) -> dict[str, object]:
    return {name: value for name, value in vars(which).items() if not callable(value)}


def test_every_state_answers_every_input() -> None:
    assert set(unit.TABLE) == set(STATES) == set(EXPECTED)
    assert unit.INPUTS == INPUTS
    assert all(tuple(row) == INPUTS for row in unit.TABLE.values())


@pytest.mark.parametrize(("state", "what", "expected"), LEGAL)
def test_a_move_leads_to_its_state_with_its_actions(state: str, what: str, expected: str) -> None:
    which = a_unit(state)
    after, *actions = expected.split()
    assert put(which, what) == tuple(actions)
    assert which.state == after


@pytest.mark.parametrize(("state", "what"), DEAD_ENDS)
def test_what_cannot_happen_is_an_error_that_changes_nothing(state: str, what: str) -> None:
    which = a_unit(state)
    which.process, which.since, which.failures, which.delay = ProcessId(3, 30), -100.0, 4, 2.0
    before = everything(which)
    with pytest.raises(IllegalMove, match=f"main is {state}: {what}"):
        put(which, what)
    assert everything(which) == before


def test_every_action_of_the_table_is_a_known_one() -> None:
    found = {action for row in unit.TABLE.values() for move in row.values() if move for action in move[1]}
    assert found == {"spawn", "ask", "after", "kill", "wait", "settle"}


def test_up_remembers_the_process_and_down_forgets_it() -> None:
    which = a_unit("starting")
    which.up(ONE, 5.0)
    assert (which.process, which.since) == (ONE, 5.0)
    which.down(FAILED, 6.0, failed=True)
    assert (which.process, which.last_exit) == (None, FAILED)


def test_an_end_that_something_runs_after_takes_the_process_at_once_and_is_judged_later() -> None:
    which = a_unit("starting")
    which.up(ONE, 5.0)
    assert which.ended(CLEAN, 6.0) == ("after",)
    assert (which.state, which.process, which.last_process) == ("ending", None, ONE)
    assert which.down(FAILED, 9.0, failed=True) == ("wait",)
    assert (which.state, which.last_process, which.last_exit, which.failures) == ("backoff", ONE, FAILED, 1)


@pytest.mark.parametrize(("ran", "failures"), [(10.0, 1), (9.99, 4)])
def test_what_runs_after_an_end_does_not_make_the_run_before_it_longer(ran: float, failures: int) -> None:
    which = a_unit("starting")
    which.failures = 3
    which.up(ONE, 100.0)
    which.ended(CLEAN, 100.0 + ran)
    which.down(FAILED, 200.0, failed=True)
    assert which.failures == failures


@pytest.mark.parametrize(
    ("policy", "failed", "after"),
    [
        ("no", True, "stopped"),
        ("no", False, "stopped"),
        ("on-failure", True, "backoff"),
        ("on-failure", False, "stopped"),
        ("always", True, "backoff"),
        ("always", False, "backoff"),
    ],
)
def test_the_policy_decides_who_comes_back(policy: str, failed: bool, after: str) -> None:
    which = a_unit("running", Policy(policy, None, 0.5, 30.0, 10.0, 0.2))
    which.down(FAILED if failed else CLEAN, 1.0, failed=failed)
    assert which.state == after


@pytest.mark.parametrize("limit", [1, 3])
def test_on_failure_bears_as_many_failures_in_a_row_as_its_limit(limit: int) -> None:
    which = a_unit("running", Policy("on-failure", limit, 0.5, 30.0, 10.0, 0.2))
    for _ in range(limit):
        which.down(FAILED, 1.0, failed=True)
        assert which.state == "backoff"
        which.ask("due")
        which.up(ONE, 1.0)
    which.down(FAILED, 2.0, failed=True)
    assert which.state == "stopped"


@pytest.mark.parametrize(("lasted", "delay"), [(10.0, 0.5), (9.99, 4.0)])
def test_a_healthy_run_of_ten_seconds_makes_the_next_failure_the_first(lasted: float, delay: float) -> None:
    which = a_unit("starting")
    which.failures = 3
    which.up(ONE, 100.0)
    which.down(FAILED, 100.0 + lasted, failed=True)
    assert which.delay == delay


@pytest.mark.parametrize("what", ["start", "restart"])
def test_a_start_that_somebody_asked_for_forgets_the_failures_before_it(what: str) -> None:
    which = a_unit("backoff")
    which.failures = 4
    which.ask(what)
    assert which.failures == 0


@pytest.mark.parametrize("state", ["stopping", "restarting"])
def test_an_end_that_somebody_asked_for_is_no_failure(state: str) -> None:
    which = a_unit(state)
    which.down(FAILED, 1.0, failed=True)
    assert which.failures == 0


def test_a_backoff_that_is_over_forgets_nothing() -> None:
    which = a_unit("backoff")
    which.failures = 4
    which.ask("due")
    assert which.failures == 4


def test_a_failing_spawn_is_never_a_healthy_run() -> None:
    which = a_unit("starting")
    which.failures = 3
    which.down(FAILED, 1_000_000.0, failed=True, back=True)
    assert which.failures == 4


def test_the_length_of_an_earlier_run_is_not_that_of_a_start_that_failed() -> None:
    which = a_unit("starting")
    which.up(ONE, 100.0)
    which.ended(CLEAN, 150.0)
    which.down(FAILED, 151.0, failed=True)
    for failures in (2, 3):
        which.ask("due")
        which.down(FAILED, 160.0, failed=True)
        assert which.failures == failures


def test_the_caller_may_overrule_the_policy() -> None:
    which = a_unit("running")
    which.down(FAILED, 1.0, failed=True, back=False)
    assert which.state == "stopped"


def test_delays_double_from_half_a_second_to_thirty() -> None:
    delays = [MAIN_POLICY.delay(failures, 0.0) for failures in range(1, 10)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_web_comes_back_within_two_seconds_however_often_it_fails() -> None:
    delays = [WEB_POLICY.delay(failures, 0.99) for failures in range(1, 8)]
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@QUICK
@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_jitter_only_stretches_a_delay_and_by_a_fifth_at_most(failures: int, dice: float) -> None:
    bare, delay = MAIN_POLICY.delay(failures, 0.0), MAIN_POLICY.delay(failures, dice)
    assert bare <= delay <= min(30.0, bare * 1.2)


def test_jitter_follows_the_dice() -> None:
    assert MAIN_POLICY.delay(1, 0.5) == pytest.approx(0.55)
    assert a_unit("running", dice=0.5).down(FAILED, 1.0, failed=True) == ("wait",)


def test_the_diagram_lists_every_move_and_no_dead_end() -> None:
    head, *lines = unit.diagram().splitlines()
    expected = set()
    for state, what, cell in LEGAL:
        after, *actions = cell.split()
        tail = f" / {', '.join(actions)}" if actions else ""
        expected.add(f"    {state} --> {after}: {what}{tail}")
    assert head == "stateDiagram-v2"
    assert len(lines) == len(expected)
    assert set(lines) == expected
