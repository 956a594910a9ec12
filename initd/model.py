"""The vocabulary: process id, exit status, states, event kinds, labels of what is counted.

Law of this file: values only. Nothing here acts, nothing here knows the time, and it imports
nothing of ours but what makes a record.
"""

from __future__ import annotations

from initd.record import record as record  # noqa: PLC0414  because everybody takes it from here

# --- who ---------------------------------------------------------------------------------------

MAIN = "main"
WEB = "web"
PRE_START, POST_STOP = "pre-start", "post-stop"  # what runs before and after main
READY_EXEC, HEALTH_EXEC = "ready-exec", "health-exec"  # what looks whether it is well
TLS_CHECK = "tls-check"  # what looks whether new certificates are any good


@record
class ProcessId:
    """A process is (pid, start time): the pid alone is reused. Start time in clock ticks since boot."""

    pid: int
    starttime: int

    def __str__(self) -> str:
        return f"{self.pid}-{self.starttime}"


@record
class ExitStatus:
    """How a process ended. Exactly one of ``code`` and ``signal`` is set; wait(2), "status"."""

    code: int | None
    signal: int | None
    dumped: bool = False

    @property
    def shell_code(self) -> int:
        """What a shell would show: the exit code, or 128 + the signal's number."""
        return self.code if self.code is not None else 128 + (self.signal or 0)

    @property
    def outcome(self) -> str:
        return "signaled" if self.code is None else "exited"


# --- states of a supervised command (the words are also those of JSON and metrics) ---------------

STARTING = "starting"  # spawn asked for, result not yet known
RUNNING = "running"  # it has a pid
BACKOFF = "backoff"  # it ended or could not start, and is to be started again later
STOPPING = "stopping"  # told to stop, and to stay stopped
RESTARTING = "restarting"  # told to stop, and to be started again; outside this is "stopping"
ENDING = "ending"  # it has ended, and what runs after it has not; outside this is "stopping"
STOPPED = "stopped"  # no process, and none will be started unless someone asks
STATES = (STARTING, RUNNING, BACKOFF, STOPPING, RESTARTING, ENDING, STOPPED)
PUBLIC_STATES = (STARTING, RUNNING, BACKOFF, STOPPING, STOPPED)

# --- states of any process: the letter in /proc/PID/stat (proc_pid_stat(5)) to our word -----------

PROCESS_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "disk_sleep",
    "T": "stopped",
    "t": "tracing_stop",
    "Z": "zombie",
    "I": "idle",
    "X": "dead",
}

# --- events: one closed list, in the order of the page -------------------------------------------

EVENT_KINDS = (
    "main.started",
    "main.ready",
    "main.exited",
    "main.backoff",
    "main.stopped",
    "adopted",
    "reaped",
    "reparented",
    "zombie.found",
    "zombie.gone",
    "signal.sent",
    "signal.forwarded",
    "web.started",
    "web.exited",
    "pids.high",
    "pids.normal",
    "fork.failed",
    "check.passed",
    "check.failed",
    "status",
    "drain",
    "shutdown",
)

# --- closed sets of what is counted: the labels of the metrics ------------------------------------

ORIGINS = (MAIN, WEB, "adopted", "helper")
OUTCOMES = ("exited", "signaled")
RESTART_REASONS = ("exit", "api", "watchdog", "health")
SOURCES = ("forwarded", "api", "stop", "sweep", "orphan")
LIMITS = ("cgroup_pids", "nproc", "open_files", "kernel_pid_max", "kernel_threads_max", "memory", "unknown")
# The ten that a container sees in practice; others appear when first sent.
COMMON_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "WINCH")
