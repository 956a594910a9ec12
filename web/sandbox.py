"""web's own walls: what it needs no more is taken from it, for the day when somebody else steers it.

Law of this file: when which wall goes up. Two moments: before its second thread is started, for what holds
only for the thread that asks and those that come of it; and once everything is imported, started and taken,
before the first request. Nothing here may keep web from serving: what the kernel refuses is said, once.
"""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress

from web import cgroup, landlock, seccomp
from web.house import Config
from web.say import say
from web.syscalls import prctl

_PR_SET_DUMPABLE = 4  # prctl(2)
_ABSENT = (errno.ENOSYS, errno.EOPNOTSUPP)


def raise_walls(config: Config) -> None:
    """The first moment: no core, no debugger, no new file; and where web is nobody's, no look at files."""
    os.umask(0o077)
    _limit(resource.RLIMIT_CORE)
    with suppress(OSError):
        prctl(_PR_SET_DUMPABLE, 0)
    if os.getuid() == config.init_uid:
        return  # it shall see of the other processes what their own user sees, and Landlock would not let it
    groups = cgroup.find()
    try:
        landlock.confine(["/proc", "/sys", *groups.v1.values(), *filter(None, [groups.v2])])
    except OSError as error:
        if error.errno not in _ABSENT:
            say(f"cannot confine web by Landlock ({error.strerror}); it goes on without")


def close_door(config: Config) -> None:
    """The second moment: no process, no thread, no signal, no file to write, no connection but for checks.

    And what other webs and the init have too, the listeners and the log, stays as it is.
    """
    _limit(resource.RLIMIT_NPROC)
    try:
        seccomp.seal(config.connects, tuple(each.fd for each in config.listen))
    except OSError as error:
        say(f"cannot seal web by seccomp ({error.strerror}); it goes on without: use a kernel that has it")


def _limit(what: int) -> None:
    with suppress(OSError, ValueError):  # EPERM is a ValueError; who forbids even this has walls of its own
        resource.setrlimit(what, (0, 0))
