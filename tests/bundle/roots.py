"""Root file systems, made on the spot of this machine's own files, with the bundle in each.

Law of this file: it makes and fills directories, and starts nothing but compilers.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.bundle.layout import Layout

PROGRAMS = Path(__file__).with_name("programs")
WARNINGS = ("-O1", "-Wall", "-Wextra", "-Werror")


def libc(root: Path) -> None:
    """Debian's libc and loader at their own paths, a main that is linked with them, and an agent."""
    _compile("gcc", root)
    listed = subprocess.run(["ldd", root / "main"], check=True, capture_output=True, text=True).stdout
    for word in listed.split():
        if word.startswith("/"):
            _copy(Path(word), root / word[1:])


def musl(root: Path) -> None:
    """The same with musl, as Alpine has it."""
    _compile("musl-gcc", root)
    (loader,) = Path("/lib").glob("ld-musl-*.so.1")
    _copy(loader, root / "lib" / loader.name)


def nothing(root: Path) -> None:
    """One static program."""
    _gcc("gcc", "-static", "main.c", root / "main")


ROOTS: dict[str, Callable[[Path], None]] = {"libc": libc, "musl": musl, "nothing": nothing}


def make(kind: str, root: Path, bundle: Layout) -> Path:
    """The root of this kind, with what every container engine gives: /proc and /dev/null."""
    for name in ("dev", "proc", "sbin"):
        (root / name).mkdir(parents=True)
    os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (root / "dev/null").chmod(0o666)
    ROOTS[kind](root)
    shutil.copytree(bundle.home, root / "opt/initd", copy_function=os.link)
    return root


def _compile(compiler: str, root: Path) -> None:
    _gcc(compiler, "-pie", "main.c", root / "main")
    _gcc(compiler, "-shared", "agent.c", root / "lib/agent.so")


def _gcc(compiler: str, how: str, source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    words: Sequence[str | Path] = (compiler, *WARNINGS, "-fPIC", how, "-o", target, PROGRAMS / source)
    subprocess.run(words, check=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
