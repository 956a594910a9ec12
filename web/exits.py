"""Told at once when a watched process ends: pidfd_open(2).

Law of this file: it watches whom it is told to, as far as descriptors allow, and says that one ended, not
which. A pid that another process has by the time it is opened costs a needless look, so that is not asked.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterable

from web import limits
from web.say import say

Key = tuple[int, int]  # pid and start time


class Exits:
    """Calls ``ended`` at every end, from the event loop."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._fds: dict[Key, int] = {}
        self._able = True

    def watch(self, wanted: Iterable[Key]) -> bool:
        """Watch these and no others; where there are too many, those first that were watched before.

        No: not all that could be. A descriptor was missing, or somebody ended: to be asked for again.
        """
        wanted = dict.fromkeys(wanted)
        for key in [key for key in self._fds if key not in wanted]:
            self._drop(key)
        for key in wanted:
            if len(self._fds) >= limits.WATCHED or not self._able:
                break
            if key not in self._fds:
                self._open(key)
        return not self._able or len(self._fds) == min(len(wanted), limits.WATCHED)

    def close(self) -> None:
        """Watch nobody any more."""
        self.watch(())

    def _open(self, key: Key) -> None:
        try:
            fd = os.pidfd_open(key[0])
        except ProcessLookupError:
            self._ended()
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EPERM):
                self._able = False
                say(
                    f"cannot watch processes by pidfd ({error.strerror}), orphans are noticed later: "
                    "use a kernel of 5.3 or later, and let seccomp allow pidfd_open"
                )
        else:
            self._fds[key] = fd
            asyncio.get_running_loop().add_reader(fd, self._readable, key)

    def _readable(self, key: Key) -> None:
        self._drop(key)
        self._ended()

    def _drop(self, key: Key) -> None:
        fd = self._fds.pop(key)
        asyncio.get_running_loop().remove_reader(fd)
        os.close(fd)
