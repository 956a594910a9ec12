"""How a process ended, in the words of JSON, of people, and of a hook's environment. Pure."""

from __future__ import annotations

from initd import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.model import ExitStatus, ProcessId


def as_fields(status: ExitStatus) -> dict[str, Any]:
    """Exit code or signal name, as JSON says it; the other one is null."""
    return {"code": status.code, "signal": None if status.signal is None else signals.name_of(status.signal)}


def in_words(status: ExitStatus) -> str:
    """``exit code 3``, ``killed by SEGV (core dumped)``."""
    if status.signal is not None:
        return f"killed by {signals.name_of(status.signal)}" + (" (core dumped)" if status.dumped else "")
    return f"exit code {status.code}"


def as_environment(process: ProcessId, status: ExitStatus) -> tuple[tuple[str, str], ...]:
    """Main's end for --post-stop, by systemd's names; systemd.exec(5), "EXIT_CODE"."""
    if status.signal is not None:
        how, what = "dumped" if status.dumped else "killed", signals.name_of(status.signal)
    else:
        how, what = "exited", str(status.code)
    return ("MAINPID", str(process.pid)), ("EXIT_CODE", how), ("EXIT_STATUS", what)
