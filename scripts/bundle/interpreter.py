"""The interpreter and the standard library, as they are here, without what no init and no web needs.

Law of this file: what is left out is data, and says why. It lists what goes, not what stays: a module that is
missing is missed at the worst moment, in a full house, by a line that seldom runs.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from fnmatch import fnmatch
from pathlib import Path

from scripts.bundle.layout import PYTHON, Layout

# Patterns of paths below the standard library, without suffix. A package goes with all that is in it.
LEFT_OUT = {
    "tests": "test */test */tests unittest doctest _test* _ctypes_test _xx* xx* __*hello__ this antigravity",
    "builds": "distutils _distutils_* ensurepip venv lib2to3 config-* _sysconfigdata_* zipapp compileall",
    "draws": "tkinter _tkinter idlelib turtle turtledemo curses _curses* readline rlcompleter",
    "is for a prompt": "pydoc pydoc_data pdb bdb cProfile profile pstats _lsprof trace tabnanny pyclbr",
    "keeps data": "sqlite3 _sqlite3 dbm _dbm _gdbm shelve pickletools bz2 _bz2 lzma _lzma",
    "speaks": "xmlrpc imaplib nntplib poplib smtpd telnetlib mailbox mailcap cgi cgitb asynchat asyncore",
    "reads sounds or pictures": "aifc audioop chunk sndhdr sunau wave ossaudiodev imghdr colorsys",
    "is of other systems, or old": "_aix_support _osx_support msilib nis spwd crypt _crypt uu xdrlib",
    "encodes East Asia": "_codecs_* _multibytecodec",  # 0.8 MB, and nobody sends us these
    "is here in C": "_pydecimal _pyio",
    "is this machine's own": "sitecustomize usercustomize",
}
_PATTERNS = " ".join(LEFT_OUT.values()).split()


def put(layout: Layout) -> None:
    """Copy them, modules as source."""
    layout.bin.mkdir(parents=True)
    shutil.copy(program(), layout.bin / PYTHON)
    for path in kept():
        target = layout.modules / path.relative_to(library())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def program() -> Path:
    """The interpreter itself, not the link of a virtual environment."""
    return Path(sys.executable).resolve()


def library() -> Path:
    """The standard library's directory."""
    return Path(sysconfig.get_path("stdlib")).resolve()


def kept() -> list[Path]:
    """Its files that go along: modules, in Python and in C."""
    modules = (path for path in library().rglob("*") if path.suffix in (".py", ".so") and path.is_file())
    return sorted(path for path in modules if not is_left_out(path.relative_to(library())))


def is_left_out(path: Path) -> bool:
    """``path`` is relative to the standard library."""
    if {"__pycache__", "site-packages", "dist-packages"} & set(path.parts):
        return True
    inside = Path(*path.parts[1:]) if path.parts[0] == "lib-dynload" else path
    names = [str(parent) for parent in inside.parents] + [
        str(inside.with_name(inside.name.partition(".")[0]))
    ]
    return any(fnmatch(name, pattern) for name in names for pattern in _PATTERNS)
