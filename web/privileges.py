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

from web.say import once, say
from web.syscalls import libc, prctl

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAP_DAC_READ_SEARCH, _CAP_SYS_PTRACE = 1 << 2, 1 << 19  # capabilities(7)
_CAPABILITY_VERSION = 0x20080522
NOBODY = 65_534  # by the kernel's overflowuid, where there is no passwd file


def die_with_parent() -> None:
    """Be killed when PID 1 goes. The kernel forgets this at each change of user."""
    try:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except OSError as error:
        once(f"cannot ask for a signal at the init's death ({error.strerror}); the closed letterbox will do")


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
    """Become ``user`` for good, when started as root; None and root keep it. No capability outlives that."""
    with suppress(OSError):  # EPERM: not root, nothing to give up; EINVAL: the kernel knows no more
        for number in range(64):
            prctl(_PR_CAPBSET_DROP, number)
    if os.geteuid() == 0 and user not in (None, "root", "0"):
        uid, gid, name = _look_up(user)
        try:
            _become(uid, gid, name)
        except OSError as error:
            say(
                f"cannot become {user} ({error.strerror}), web goes on as root: "
                "grant SETUID and SETGID, or say --http-user root"
            )
    if os.geteuid() == 0:
        _only_look()
    try:
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        say(f"cannot give up new privileges ({error.strerror}); allow prctl")


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


def _only_look() -> None:
    """Of root's capabilities keep those to look at other processes, for which web was left root.

    Where SYS_PTRACE is not among them the kernel shows us only processes that can do no more than we, so that
    all of them stay.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable of the first 32, then of the others
    if libc.capget(header, sets) == 0 and sets[1] & _CAP_SYS_PTRACE:
        kept = sets[1] & (_CAP_SYS_PTRACE | _CAP_DAC_READ_SEARCH)
        libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept))


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
