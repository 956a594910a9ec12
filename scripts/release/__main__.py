"""``python -m scripts.release [DIRECTORY]``: all that is released, below dist/ or DIRECTORY.

Law of this file: the story of a release. It needs no network; the same source makes the same bytes, at the
time that SOURCE_DATE_EPOCH says.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from initd import __version__
from scripts.bundle import __main__ as bundle
from scripts.bundle import pack, provenance
from scripts.bundle.layout import ROOT
from scripts.release import bill

SUMS = "SHA256SUMS"


def make(directory: Path) -> list[Path]:
    """Everything that is to be published, the checksums last."""
    directory.mkdir(parents=True, exist_ok=True)
    _packages(directory)
    layout = bundle.make(directory)
    shutil.copyfile(layout.home / "share" / provenance.BILL, directory / f"{pack.NAME}.cdx.json")
    (directory / f"initd-{__version__}.cdx.json").write_text(bill.text())
    ours = sorted(path for path in directory.glob(f"initd-{__version__}*") if path.suffix != ".sha256")
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in ours)
    (directory / SUMS).write_text("".join(lines))
    return [*ours, directory / SUMS]


def _packages(directory: Path) -> None:
    """The sdist, and of it the wheel: so what is missing in the one is missing in the other, and seen."""
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory.resolve()), str(ROOT)]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(pack.EPOCH)}
    done = subprocess.run(words, env=environ, capture_output=True, check=False, text=True)
    if done.returncode:
        sys.exit(f"cannot build the packages:\n{done.stdout}{done.stderr}")


def main() -> None:
    """Make it, and say what there is."""
    for path in make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"):
        print(f"{path.stat().st_size:>10,}  {path}")


if __name__ == "__main__":
    main()
