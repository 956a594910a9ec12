"""The tarball: the same input makes the same bytes.

Law of this file: no name, owner, time or order of this machine gets into the archive, nor into an image made
of the tree.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import tarfile
from pathlib import Path

from initd import __version__
from scripts.bundle.layout import Layout

NAME = f"initd-{__version__}-{platform.machine()}"
# Hatchling's, for the wheel: one time for all that is released.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1580601600"))


def settle(layout: Layout) -> None:
    """Modes and times as they shall be in the archive, on the files themselves."""
    for path in (layout.root, *layout.root.rglob("*")):
        path.chmod(0o755 if path.is_dir() or _is_run(path, layout) else 0o644)
    for path in (*layout.root.rglob("*"), layout.root):
        os.utime(path, (EPOCH, EPOCH))


def _is_run(path: Path, layout: Layout) -> bool:
    return path.parent == layout.bin or path.name == "ld.so"  # the kernel wants a loader to be executable


def write(layout: Layout, directory: Path) -> Path:
    """The tarball, and beside it what sha256sum(1) checks."""
    target = directory / f"{NAME}.tar.gz"
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=EPOCH) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in (layout.home, *sorted(layout.home.rglob("*"))):
            archive.add(path, path.relative_to(layout.root), recursive=False, filter=_anonymous)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    Path(f"{target}.sha256").write_text(f"{digest}  {target.name}\n")
    return target


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def size(layout: Layout) -> int:
    """Bytes of all files together."""
    return sum(path.stat().st_size for path in layout.files())
