"""Who web runs as: nobody, for the least that it needs.

Law of this file: start only. Everything here is best effort with one line that names the cure: an init whose
web could not drop a privilege is still better than an init that cannot be asked.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
from contextlib import suppress

from web.say import say

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38
NOBODY = 65_534  # by the kernel's overflowuid, where there is no passwd file
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent() -> None:
    """Be killed when PID 1 goes. The kernel forgets this at each change of user."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except OSError as error:
        say(f"cannot ask for a signal at the init's death ({error.strerror}); the closed letterbox will do")


def first_to_go() -> None:
    """Let the kernel's OOM killer take web before anything of the user's."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except FileNotFoundError:
        return  # no /proc: the core has said so
    except OSError as error:
        say(f"cannot make web the first to go when memory ends ({error.strerror}); mount /proc writable")


def name_self(name: str) -> None:
    """What ps shows for us, instead of python3."""
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name)


def drop(user: str | None) -> None:
    """Become ``user`` for good, when started as root; None and root keep it."""
    if os.geteuid() == 0 and user not in (None, "root", "0"):
        uid, gid, name = _look_up(user)
        try:
            _become(uid, gid, name)
        except OSError as error:
            say(
                f"cannot become {user} ({error.strerror}), web goes on as root: "
                "grant SETUID and SETGID, or say --http-user root"
            )
    try:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        say(f"cannot give up new privileges ({error.strerror}); a kernel of 3.5 or later can")


def look_around(init: int) -> None:
    """Say so when this user sees no other processes: hidepid, proc(5)."""
    if os.path.exists("/proc/self") and not os.path.exists(f"/proc/{init}/stat"):
        say(
            "cannot see other processes: /proc hides them from this user; "
            "say --http-user root, or mount /proc with gid= of a group of it"
        )


def _become(uid: int, gid: int, name: str | None) -> None:
    """Groups, then group, then user: each needs what the next one gives up."""
    if name is None:
        os.setgroups([])
    else:
        os.initgroups(name, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _look_up(user: str) -> tuple[int, int, str | None]:
    try:
        entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
        return entry.pw_uid, entry.pw_gid, entry.pw_name
    except KeyError:
        pass
    if user.isdecimal():
        return int(user), int(user), None
    if user != "nobody":
        say(f"cannot find the user {user}, web runs as {NOBODY}: add it to /etc/passwd, or give a number")
    return NOBODY, NOBODY, None
