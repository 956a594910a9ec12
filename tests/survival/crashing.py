"""An initd whose web fails on demand, and what the kernel and the API say of it.

Law of this file: it makes faults, looks, and asks with kubelet's patience; what has to be true, tests say.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import PYTHON, first, scene
from tests.kernel.test_web_broken import web_source

from .following import PATIENCE

PROGRAMS = Path(__file__).with_name("programs")
MAIN = (*PYTHON, str(PROGRAMS / "steady.py"))
PAUSE = 0.3  # seconds that a paused web is paused


class Stage:
    """One initd with the steady main and the moody web, from ``with`` to its end."""

    def __init__(self) -> None:
        self._exits = ExitStack()
        place = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="initd-storm-")))
        self._mood = place / "mood"
        real, stand_in = place / "real.py", place / "moody.py"
        real.write_text(web_source().read_text())
        moody = (PROGRAMS / "moody_web.py").read_text()
        stand_in.write_text(moody.replace('"?", "?"', f"{str(real)!r}, {str(self._mood)!r}"))
        # TERM is blocked from before main's first instruction: it is lost on none, and none dies of it.
        held = 'set -- env --block-signal=TERM "$@"'
        before = first(f"mount --bind {stand_in} {web_source()}\n{held}")
        self.made = self._exits.enter_context(scene(*MAIN, before=before))
        self.made.wait_out("up ")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: Any) -> None:  # noqa: PYI036  it is handed on
        self._exits.__exit__(*failure)

    # --- faults

    def inflict(self, kind: str, pause: float) -> None:
        """One of FAULTS, so long after there was a web."""
        web = self.web()
        time.sleep(pause)
        FAULTS[kind](self, web)

    def send(self, web: int, *numbers: int) -> None:
        """To a web that may have died meanwhile of what it had got before."""
        for number in numbers:
            if web in self.webs():
                os.kill(web, number)
                time.sleep(PAUSE if number == signal.SIGSTOP else 0)

    def unimportable(self, web: int) -> None:
        """The next one cannot import itself, and the one after that can."""
        self._mood.touch()
        self.send(web, signal.SIGKILL)
        failing = wait_for(lambda: [one for one in self.webs() if one != web], "a web that fails")
        wait_for(lambda: not set(failing) & set(self.webs()), "it to have failed")
        self._mood.unlink()

    # --- asking and looking

    def get(self, path: str) -> Any:
        return json.loads(self.ask(path))

    def ask(self, path: str) -> bytes:
        """The answer, within kubelet's patience, however often web dies meanwhile."""
        found: list[bytes] = []

        def answered() -> bool:
            try:
                answer = self.made.ask("GET", path, timeout=PATIENCE)
            except (OSError, http.client.HTTPException):
                return False
            found.append(answer.body)
            return answer.status == 200

        wait_for(answered, f"an answer to {path}", PATIENCE)
        return found[-1]

    def said(self, word: str) -> list[int]:
        """The pids of the mains that said so."""
        lines = (line.split() for line in self.made.out().splitlines())
        return [int(pid) for said, pid in lines if said == word]

    def web(self) -> int:
        """The host's pid of web, as soon as there is one."""
        return wait_for(self.webs, "a web")[0]

    def webs(self) -> list[int]:
        return self._children("-I\0-m\0web\0")

    def mains(self) -> list[int]:
        return self._children("\0".join(MAIN))

    def _children(self, words: str) -> list[int]:
        """The children of the init that run this: the dead have no command line, the unborn the init's."""
        found = [(pid, _command_line(pid)) for pid in kernel.children(self.made.init)]
        return [pid for pid, line in found if words in line and "initd.sock" not in line]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


FAULTS: dict[str, Callable[[Stage, int], None]] = {
    "kill": lambda stage, web: stage.send(web, signal.SIGKILL),
    "segv": lambda stage, web: stage.send(web, signal.SIGSEGV),
    "abort": lambda stage, web: stage.send(web, signal.SIGABRT),
    "pause": lambda stage, web: stage.send(web, signal.SIGSTOP, signal.SIGCONT),
    "rave": lambda stage, web: stage.send(web, signal.SIGUSR2),
    "unimportable": Stage.unimportable,
}
HANGS = {"stopped": signal.SIGSTOP, "computing": signal.SIGUSR1}  # until its silence is noticed
