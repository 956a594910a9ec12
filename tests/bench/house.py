"""Where a run plays: the compiled programs, the installed wheel, a directory, and stages that end with it.

Law of this file: what is made here is removed, and whoever is started here is ended.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .client import until_up
from .parties import BUNDLE, INSTALLED, PARTIES, ROOT
from .stage import Stage

_SOURCES = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class House:
    """The programs, and a place for what is started."""

    programs: Path
    place: Path

    @contextmanager
    def stage(self, party: str, program: str, **environ: object) -> Iterator[Stage]:
        """``party`` as PID 1, told to run ``program``."""
        home = Path(tempfile.mkdtemp(dir=self.place))
        words = PARTIES[party].words(home, str(self.programs / program))
        stage = Stage(self.programs, home, words, {key: str(value) for key, value in environ.items()})
        try:
            yield stage
        finally:
            stage.end()

    @contextmanager
    def settled(self, party: str, program: str, **environ: object) -> Iterator[Stage]:
        """The same when its start is over: main runs, HTTP answers where there is any, and PID 1 rests."""
        with self.stage(party, program, **environ) as stage:
            stage.wait("MAIN")
            if PARTIES[party].http:
                until_up(stage.socket, "/livez")
            stage.settle()
            yield stage

    @contextmanager
    def watching(self, stage: Stage) -> Iterator[Stage]:
        """Somebody who counts the zombies of that stage's PID 1 while this is open."""
        home = Path(tempfile.mkdtemp(dir=self.place))
        watch = Stage(self.programs, home, [str(self.programs / "watch"), str(stage.init)], {}, plain=True)
        try:
            watch.wait("WATCHING")
            yield watch
        finally:
            watch.end()


@contextmanager
def made() -> Iterator[House]:
    """Compile and install what is measured, anew: yesterday's is not what is asked about."""
    _install()
    with _bundle_in_its_place(), tempfile.TemporaryDirectory(prefix="initd-bench-") as place:
        programs = Path(place) / "programs"
        programs.mkdir()
        for source in _SOURCES.glob("*.c"):
            words = ["cc", "-O1", "-static", "-o", str(programs / source.stem), str(source)]
            subprocess.run(words, check=True)
        yield House(programs, Path(place))


@contextmanager
def _bundle_in_its_place() -> Iterator[None]:
    """As made by `make bundle`, for as long as this runs; where somebody has one there, that one."""
    home, made = BUNDLE.parents[1], ROOT / "dist/bundle" / BUNDLE.parents[1].relative_to("/")
    lent = made.is_dir() and not home.exists()
    if lent:
        home.symlink_to(made)
    try:
        yield
    finally:
        if lent:
            home.unlink()


def _install() -> None:
    """As a user has it: a wheel in a virtual environment. An editable install starts slower."""
    with tempfile.TemporaryDirectory() as place:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, str(ROOT)]
        subprocess.run(build, check=True, capture_output=True)
        if not INSTALLED.is_dir():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(INSTALLED)], check=True)
        wheel = str(next(Path(place).glob("*.whl")))
        pip = [sys.executable, "-m", "pip", "--python", str(INSTALLED), "install", "--quiet"]
        subprocess.run([*pip, wheel], check=True)
        subprocess.run([*pip, "--force-reinstall", "--no-deps", wheel], check=True)
