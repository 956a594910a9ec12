"""One process in detail: what psutil and /proc/PID say of it, and what they refuse to say.

Law of this file: read once, on the sampler's thread; never the environment, which holds passwords, and the
command line without them unless ``plain``.
A field that web's user may not read is null and named in ``unreadable``; one that the process does
not have (a zombie's command line, a kernel thread's program) is just null.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psutil

from initd.procfs import Stat, decode_name, parse_stat, parse_status, signals_in
from initd.signals import name_of
from web.redact import redact
from web.sampler import TICKS
from web.view import no_such_process

_MASKS = {
    "pending": ("SigPnd", "ShdPnd"),
    "blocked": ("SigBlk",),
    "ignored": ("SigIgn",),
    "caught": ("SigCgt",),
}


def detail(row: Stat, *, plain: bool = False) -> dict[str, Any]:
    """Everything beyond the ``process`` of the API. Raises Problem when it is gone, or was while reading."""
    answer: dict[str, Any] = {
        "pgrp": row.pgrp,
        "session": row.session,
        "cpu": {"user_seconds": row.utime / TICKS, "system_seconds": row.stime / TICKS},
    }
    unreadable: list[str] = []
    try:
        process = psutil.Process(row.pid)
        for name, read in READERS.items():
            answer[name] = _ask(name, read, process, unreadable)
        same = parse_stat(_slurp(row.pid, "stat")).starttime == row.starttime
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        same = False
    if not same:
        raise no_such_process(row.pid)
    if answer["cmdline"] and not plain:
        answer["cmdline"] = redact(answer["cmdline"])
    return answer | {"unreadable": unreadable}


def _ask(
    name: str, read: Callable[[psutil.Process], Any], process: psutil.Process, unreadable: list[str]
) -> Any:
    try:
        return read(process)
    except psutil.ZombieProcess:
        return None
    except (psutil.AccessDenied, PermissionError):
        unreadable.append(name)
        return None


def _cmdline(process: psutil.Process) -> list[str] | None:
    return [_text(word) for word in process.cmdline()] or None


def _exe(process: psutil.Process) -> str | None:
    # Not psutil's: where it may not look it guesses from the command line.
    return _link(process.pid, "exe")


def _cwd(process: psutil.Process) -> str | None:
    return _link(process.pid, "cwd")


def _user(process: psutil.Process) -> dict[str, Any]:
    uids, gids = process.uids(), process.gids()
    return {"name": _text(process.username()), "uid": uids.effective, "gid": gids.effective}


def _memory(process: psutil.Process) -> dict[str, int]:
    memory = process.memory_info()
    return {"resident_bytes": memory.rss, "virtual_bytes": memory.vms, "shared_bytes": memory.shared}


def _memory_full(process: psutil.Process) -> dict[str, int]:
    memory = process.memory_full_info()
    return {"proportional_bytes": memory.pss, "unique_bytes": memory.uss, "swap_bytes": memory.swap}


def status_of(pid: int | str) -> dict[str, str] | None:
    """/proc/PID/status; None where it is not to be read."""
    try:
        return parse_status(_slurp(pid, "status"))
    except OSError:
        return None


def is_nested(pid: int) -> bool:
    """Whether it lives in a PID namespace below ours: then it has a pid in each, proc_pid_status(5)."""
    there, here = ((status_of(one) or {}).get("NSpid", "") for one in (pid, "self"))
    return len(there.split()) > len(here.split())


def _signals(process: psutil.Process) -> dict[str, list[str]]:
    status = parse_status(_slurp(process.pid, "status"))
    return {
        kind: [
            name_of(number) for number in sorted(set[int]().union(*(signals_in(status[key]) for key in keys)))
        ]
        for kind, keys in _MASKS.items()
    }


def _cgroup(process: psutil.Process) -> dict[str, str]:
    """``{"unified": "/path"}``, or a path for each controller of version 1; cgroups(7)."""
    lines = decode_name(_slurp(process.pid, "cgroup")).splitlines()
    fields = (line.split(":", 2) for line in lines if line.count(":") >= 2)
    return {controllers or "unified": path for _, controllers, path in fields}


READERS: dict[str, Callable[[psutil.Process], Any]] = {
    "cmdline": _cmdline,
    "exe": _exe,
    "cwd": _cwd,
    "user": _user,
    "nice": lambda process: process.nice(),
    "memory": _memory,
    "memory_full": _memory_full,
    "fds": lambda process: process.num_fds(),
    "signals": _signals,
    "cgroup": _cgroup,
}


def _slurp(pid: int | str, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def _link(pid: int, name: str) -> str | None:
    try:
        return _text(os.readlink(f"/proc/{pid}/{name}"))
    except FileNotFoundError:  # a zombie or a kernel thread has none; whether it ended is found at the end
        return None


def _text(name: str) -> str:
    """Bytes that are not UTF-8 as ``\\xNN``: JSON cannot carry Python's stand-ins for them."""
    return decode_name(os.fsencode(name))
