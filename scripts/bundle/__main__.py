"""``python -m scripts.bundle [DIRECTORY]``: the bundle as a tree and as a tarball, below dist/ or DIRECTORY.

Law of this file: the story of how it is made. It needs gcc, musl-gcc and patchelf, and no network.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from scripts.bundle import bytecode, doors, interpreter, libraries, pack, packages, provenance
from scripts.bundle.layout import ROOT, Layout


def make(directory: Path) -> Layout:
    """DIRECTORY/bundle/opt/initd, the tarball and its checksum."""
    layout = Layout(directory.resolve() / "bundle")
    shutil.rmtree(layout.root, ignore_errors=True)
    interpreter.put(layout)
    bytecode.replace_sources(layout)
    packages.put(layout)
    bytecode.add(layout)
    linked = [*libraries.put(layout).values(), doors.put(layout)]
    provenance.put(layout, linked, packages.dependencies())
    pack.settle(layout)
    pack.write(layout, directory)
    return layout


def main() -> None:
    """Make it, and say what it weighs."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    layout = make(directory)
    packed = directory / f"{pack.NAME}.tar.gz"
    print(f"{layout.home}: {pack.size(layout) / 1e6:.1f} MB\n{packed}: {packed.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
