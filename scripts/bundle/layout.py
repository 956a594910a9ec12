"""Where things are in the bundle.

Law of this file: paths, and the one path that is built into the interpreter, the loader and the scripts: the
bundle works at ``/opt/initd`` and nowhere else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple, NoReturn

HOME = "/opt/initd"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
ROOT = Path(__file__).resolve().parents[2]


class Layout(NamedTuple):
    """The tree below ``root``, which becomes ``/`` of an image."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / HOME[1:]

    @property
    def bin(self) -> Path:
        return self.home / "bin"

    @property
    def lib(self) -> Path:
        """Shared libraries, and the loader."""
        return self.home / "lib"

    @property
    def modules(self) -> Path:
        """The standard library, ours, and the packages: one place, on the path with site and without."""
        return self.lib / PYTHON

    @property
    def licenses(self) -> Path:
        return self.home / "share" / "licenses"

    def files(self) -> list[Path]:
        """Every file, in an order that is the same everywhere."""
        return sorted(path for path in self.root.rglob("*") if path.is_file())


def fail(what: str) -> NoReturn:
    """Leave with one line."""
    raise SystemExit(f"cannot make the bundle: {what}")
