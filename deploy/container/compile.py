"""Compile what initd imports, and the standard library's part of that: images of Python have no ``.pyc``.

Law of this file: the Dockerfile runs it, with the python that will run initd. What belongs to the standard
library is put below DIRECTORY, at its own path. Without it a container compiles for most of a second before
web answers; one that may not write there, at every start.
"""

from __future__ import annotations

import compileall
import importlib
import pkgutil
import py_compile
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import cache_from_source
from py_compile import PycInvalidationMode

NOT_HERE = ("initd.__main__", "web.ctl.top.")  # one is a program, the other is drawn by a package of its own


def ours() -> Iterator[str]:
    """Every module of initd, web and initctl that can be imported here."""
    for package in ("initd", "web"):
        found = pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
        yield from (each.name for each in found if not each.name.startswith(NOT_HERE))


def borrowed() -> list[str]:
    """The standard library's source files that they import, in an order that is always the same."""
    for name in ours():
        importlib.import_module(name)
    library = sysconfig.get_path("stdlib")
    files = {str(getattr(module, "__file__", None)) for module in sys.modules.values()}
    return [file for file in sorted(files) if file.startswith(library) and file.endswith(".py")]


def main(directory: str) -> None:
    """Ours are never looked at again: they do not change. The library's go by time, as Python has it."""
    place = sysconfig.get_path("purelib")
    never = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(place, quiet=1, force=True, invalidation_mode=never):
        sys.exit(f"cannot compile what is in {place}: see above")
    for source in borrowed():
        target, by_time = directory + cache_from_source(source), PycInvalidationMode.TIMESTAMP
        py_compile.compile(source, target, source, doraise=True, invalidation_mode=by_time)


if __name__ == "__main__":
    main(sys.argv[1])
