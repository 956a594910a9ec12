"""The state machine of one supervised command: a transition table as data, total over states. Pure.

Law of this file: everything that decides what state main or web is in lives here, and nothing
else does. The table is used twice with different policy. Every state answers every input;
NEVER marks what cannot happen, raises IllegalMove and changes nothing.
"""

from __future__ import annotations

from initd.model import (
    BACKOFF,
    ENDING,
    RESTARTING,
    RUNNING,
    STARTING,
    STATES,
    STOPPED,
    STOPPING,
    ExitStatus,
    ProcessId,
    record,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Inputs: what happened to the command, or what someone asks of it.
START = "start"  # someone asks for it to run
STOP = "stop"  # someone asks for it to end, and stay ended
RESTART = "restart"  # someone asks for it to end and run again
UP = "up"  # it was spawned
ENDED = "ended"  # it ended, and what is to run after it comes first
DOWN_RETRY = "down_retry"  # it ended or could not be spawned, and policy wants it back
DOWN_FINAL = "down_final"  # the same, and policy lets it rest
DUE = "due"  # its backoff is over
OVERDUE = "overdue"  # it did not stop in time
INPUTS = (START, STOP, RESTART, UP, ENDED, DOWN_RETRY, DOWN_FINAL, DUE, OVERDUE)

# Actions: what the owner of the unit has to do about it, in this order.
SPAWN = "spawn"  # start the command, or first what is to run before it
ASK = "ask"  # send the stop signal to what runs, and come back with OVERDUE after the stop timeout
AFTER = "after"  # start what is to run after the command; its end is DOWN_RETRY or DOWN_FINAL
KILL = "kill"  # SIGKILL to its group
WAIT = "wait"  # come back with DUE after the backoff
SETTLE = "settle"  # it is at rest: whoever waits for that is to be told

NEVER = None
_Move = tuple[str, tuple[str, ...]]

TABLE: dict[str, dict[str, _Move | None]] = {
    STARTING: {  # a spawn's result is fed back at once: what can come between is for what runs before it
        START: (STARTING, ()),
        STOP: (STOPPING, (ASK,)),
        RESTART: (STARTING, ()),
        UP: (RUNNING, ()),
        ENDED: NEVER,
        DOWN_RETRY: (BACKOFF, (WAIT,)),
        DOWN_FINAL: (STOPPED, (SETTLE,)),
        DUE: NEVER,
        OVERDUE: NEVER,
    },
    RUNNING: {
        START: (RUNNING, ()),
        STOP: (STOPPING, (ASK,)),
        RESTART: (RESTARTING, (ASK,)),
        UP: NEVER,
        ENDED: (ENDING, (AFTER,)),
        DOWN_RETRY: (BACKOFF, (WAIT,)),
        DOWN_FINAL: (STOPPED, (SETTLE,)),
        DUE: NEVER,
        OVERDUE: NEVER,
    },
    BACKOFF: {
        START: (STARTING, (SPAWN,)),
        STOP: (STOPPED, (SETTLE,)),
        RESTART: (STARTING, (SPAWN,)),
        UP: NEVER,
        ENDED: NEVER,
        DOWN_RETRY: NEVER,
        DOWN_FINAL: NEVER,
        DUE: (STARTING, (SPAWN,)),
        OVERDUE: NEVER,
    },
    STOPPING: {
        START: (RESTARTING, ()),
        STOP: (STOPPING, ()),
        RESTART: (RESTARTING, ()),
        UP: NEVER,
        ENDED: (STOPPING, (AFTER,)),
        DOWN_RETRY: (STOPPED, (SETTLE,)),
        DOWN_FINAL: (STOPPED, (SETTLE,)),
        DUE: NEVER,
        OVERDUE: (STOPPING, (KILL,)),
    },
    RESTARTING: {
        START: (RESTARTING, ()),
        STOP: (STOPPING, ()),
        RESTART: (RESTARTING, ()),
        UP: NEVER,
        ENDED: (RESTARTING, (AFTER,)),
        DOWN_RETRY: (STARTING, (SPAWN,)),
        DOWN_FINAL: (STARTING, (SPAWN,)),
        DUE: NEVER,
        OVERDUE: (RESTARTING, (KILL,)),
    },
    ENDING: {
        START: (RESTARTING, ()),
        STOP: (STOPPING, ()),
        RESTART: (RESTARTING, ()),
        UP: NEVER,
        ENDED: NEVER,
        DOWN_RETRY: (BACKOFF, (WAIT,)),
        DOWN_FINAL: (STOPPED, (SETTLE,)),
        DUE: NEVER,
        OVERDUE: NEVER,
    },
    STOPPED: {
        START: (STARTING, (SPAWN,)),
        STOP: (STOPPED, ()),
        RESTART: (STARTING, (SPAWN,)),
        UP: NEVER,
        ENDED: NEVER,
        DOWN_RETRY: NEVER,
        DOWN_FINAL: NEVER,
        DUE: NEVER,
        OVERDUE: NEVER,
    },
}


class IllegalMove(Exception):
    """An input that cannot happen in this state; nothing was changed."""


@record
class Policy:
    """When a command that ended is started again, and how soon. Times in seconds."""

    restart: str  # no, on-failure, always
    limit: int | None  # how many failures in a row on-failure bears
    first_delay: float
    longest_delay: float
    healthy_after: float  # running this long makes the next failure the first again
    spread: float  # jitter: a delay is stretched by up to this part of itself

    def delay(self, failures: int, dice: float) -> float:
        """Seconds to wait before the start after failure number ``failures`` (from 1); dice in [0, 1)."""
        doubled = self.first_delay * 2.0 ** min(failures - 1, 20)
        return min(self.longest_delay, doubled * (1.0 + self.spread * dice))


class Unit:
    """One supervised command: its state, its process, and how often it failed in a row."""

    def __init__(self, name: str, policy: Policy, dice: Callable[[], float]) -> None:
        self.name = name
        self.policy = policy
        self.state = STOPPED
        self.process: ProcessId | None = None
        self.last_process: ProcessId | None = None  # the one that ended last
        self.last_exit: ExitStatus | None = None
        self.since = 0.0  # when the present process was started, monotonic seconds
        self.lasted = 0.0  # how long the last one ran
        self.failures = 0  # in a row
        self.delay = 0.0  # the backoff that is running, or ran last
        self._dice = dice

    def ask(self, what: str) -> tuple[str, ...]:
        """START, STOP, RESTART, DUE or OVERDUE; the actions to take."""
        actions = self._move(what)
        if what in (START, RESTART):
            self.failures = 0  # somebody looked at it: its past does not count against it
        return actions

    def up(self, process: ProcessId, now: float) -> tuple[str, ...]:
        """It was spawned."""
        actions = self._move(UP)
        self.process, self.since = process, now
        return actions

    def succeed(self, process: ProcessId) -> None:
        """Another process is the command from now on; its state is not changed by that."""
        self.last_process, self.process = self.process, process

    def found(self, process: ProcessId, now: float) -> None:
        """The last guard's, where ``up`` could not be heard out: it runs."""
        self.state, self.process, self.since = RUNNING, process, now

    def lost(self) -> None:
        """The last guard's, where ``down`` could not be heard out: it does not run, and may be due again."""
        self.state = BACKOFF
        if self.process is not None:
            self.last_process, self.process = self.process, None

    def ended(self, status: ExitStatus, now: float) -> tuple[str, ...]:
        """It ended; ``down`` follows when what runs after it has ended too."""
        actions = self._move(ENDED)
        self._gone(now)
        self.last_exit = status
        return actions

    def _gone(self, now: float) -> None:
        if self.process is not None:
            self.last_process, self.process, self.lasted = self.process, None, now - self.since

    def down(
        self, status: ExitStatus, now: float, *, failed: bool, back: bool | None = None
    ) -> tuple[str, ...]:
        """It ended, or could not be spawned. ``failed`` judges the exit; ``back`` overrules the policy."""
        lasted = self.lasted if self.process is None else now - self.since
        healthy = lasted >= self.policy.healthy_after
        asked_for = self.state in (STOPPING, RESTARTING)  # an end that somebody wanted is no failure
        failures = (0 if healthy else self.failures) + (not asked_for)
        wanted = self.wanted_back(failed, failures) if back is None else back
        actions = self._move(DOWN_RETRY if wanted else DOWN_FINAL)
        self._gone(now)
        self.last_exit, self.failures, self.lasted = status, failures, 0.0
        if self.state == BACKOFF:
            self.delay = self.policy.delay(self.failures, self._dice())
        return actions

    def wanted_back(self, failed: bool, failures: int) -> bool:
        """By the policy, after so many failures in a row."""
        if self.policy.restart == "on-failure":
            return failed and (self.policy.limit is None or failures <= self.policy.limit)
        return self.policy.restart == "always"

    def _move(self, what: str) -> tuple[str, ...]:
        move = TABLE[self.state][what]
        if move is None:
            raise IllegalMove(f"{self.name} is {self.state}: {what} cannot happen")
        self.state, actions = move
        return actions


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs: generated, so that it cannot drift."""
    lines = ["stateDiagram-v2"]
    for state in STATES:
        for what in INPUTS:
            move = TABLE[state][what]
            if move is not None:
                actions = f" / {', '.join(move[1])}" if move[1] else ""
                lines.append(f"    {state} --> {move[0]}: {what}{actions}")
    return "\n".join(lines)
