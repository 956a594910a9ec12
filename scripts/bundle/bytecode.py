"""Everything compiled, so that nothing is at the start, which may be in a root that cannot be written.

Law of this file: a ``.pyc`` never asks for its source (unchecked-hash), and holds no path of this machine.
"""

from __future__ import annotations

import subprocess

from scripts.bundle.interpreter import program
from scripts.bundle.layout import Layout


def replace_sources(layout: Layout) -> None:
    """The standard library: each ``.py`` becomes the ``.pyc`` of its name. That is six megabytes less."""
    _compile(layout, "-b")
    for source in layout.modules.rglob("*.py"):
        source.unlink()


def add(layout: Layout) -> None:
    """What is there as source, compiled beside it: ours and the packages, whose lines a traceback shows."""
    _compile(layout)


def _compile(layout: Layout, *options: str) -> None:
    """In a fresh interpreter whose sets have one order, so that the same source makes the same bytes."""
    paths = ("-s", str(layout.root), "-p", "/", str(layout.modules))
    words = (str(program()), "-s", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    subprocess.run([*words, *options, *paths], check=True, cwd="/", env={"PYTHONHASHSEED": "0"})
