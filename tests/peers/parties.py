"""Who takes part: the real tini, dumb-init and catatonit, initd, and initd called by each of their names.

Law of this file: how a party is called, and where it plays. What happens there is in the rows, and
what must come of it too.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kernel.harness import INITD, Scene, scene

TINI, DUMB_INIT, CATATONIT, NATIVE = "tini", "dumb-init", "catatonit", "initd"
FAMILIES = (TINI, DUMB_INIT, CATATONIT, NATIVE)
# One wish, in each family's words; a family without it cannot take part.
WISHES: dict[str, dict[str, tuple[str, ...]]] = {
    "group": {TINI: ("-g",), DUMB_INIT: (), CATATONIT: ("-g",), NATIVE: ("-g",)},
    "single": {TINI: (), DUMB_INIT: ("-c",), CATATONIT: (), NATIVE: ()},
    "session": {DUMB_INIT: (), NATIVE: ("--session",)},
    "subreaper": {TINI: ("-s",), CATATONIT: (), NATIVE: ("-s",)},
    "warn": {TINI: ("-s", "-w")},
    "debug": {TINI: ("-v",)},
    "expect": {TINI: ("-e", "143", "-e9"), NATIVE: ("-e", "143", "-e9")},
    "pdeath": {TINI: ("-s", "-p", "SIGTERM"), NATIVE: ("-s", "-p", "SIGTERM")},
    "rewrite": {
        DUMB_INIT: ("-r", "15:10", "--rewrite=1:0", "-r12:3"),
        NATIVE: ("-r", "15:10", "--rewrite=1:0", "-r12:3"),
    },
}


@dataclass(frozen=True)
class Party:
    """``family`` is whose manners are expected."""

    name: str
    family: str
    ours: bool

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


REAL = tuple(Party(name, name, ours=False) for name in (TINI, DUMB_INIT, CATATONIT))
AS = tuple(Party(f"initd as {name}", name, ours=True) for name in (TINI, DUMB_INIT, CATATONIT))
PARTIES = (*REAL, Party(NATIVE, NATIVE, ours=True), *AS)


@dataclass(frozen=True)
class Stage:
    """One party, and the directory that holds initd under the others' names."""

    party: Party
    links: Path

    def command(self, wish: str = "", *, end: bool = True) -> tuple[str, ...]:
        """Its command line up to main's; options of all of them end at ``--``."""
        options = WISHES[wish][self.party.family] if wish else ()
        if self.party.family == NATIVE:
            first: tuple[str, ...] = (INITD, "--no-http", "-q")
        else:
            first = (str(self.links / self.party.family) if self.party.ours else self.party.family,)
        return (*first, *options, "--") if end else (*first, *options)

    def home(self) -> Path:
        """A directory for what it is to run."""
        return Path(tempfile.mkdtemp(dir=self.links))

    def scene(self, *main: str, wish: str = "", **rest: Any) -> AbstractContextManager[Scene]:
        """It around ``main``, as PID 1 unless told otherwise."""
        return scene(*main, init=self.command(wish), **rest)

    def bare(self, *words: str, **rest: Any) -> AbstractContextManager[Scene]:
        """A command line of any form."""
        return scene(init=words, **rest)

    def run(self, *main: str, wish: str = "", **rest: Any) -> tuple[int, str, str]:
        """To its end: exit code, standard output, standard error."""
        with self.scene(*main, wish=wish, **rest) as made:
            return made.wait(), made.out(), made.err()


@contextmanager
def links_in(home: Path) -> Iterator[Path]:
    """initd under every name that it answers to."""
    for name in (TINI, "docker-init", DUMB_INIT, CATATONIT):
        (home / name).symlink_to(INITD)
    yield home


def no_numbers(text: str) -> str:
    """Pids differ from run to run."""
    return re.sub(r"\d+", "N", text)
