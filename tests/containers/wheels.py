"""The wheels that the image and the tools install, in a directory: so that no build needs a network.

Law of this file: what is fetched is what the pins say, to the byte, and by the pip of the tests: which index
and which certificates this machine uses is its own business.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.release import pins
from tests.house.imports import ROOT

PINS = [pins.RUNTIME, pins.BUILD]


def wheelhouse() -> Path:
    """The directory; fetched once for these pins and kept in build/, as a second run needs no network."""
    key = hashlib.sha256(b"".join(each.read_bytes() for each in PINS)).hexdigest()[:12]
    place = ROOT / "build" / f"wheels-{key}"
    if not place.is_dir():
        place.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as home:
            _fetch(Path(home) / "wheels")
            os.rename(Path(home) / "wheels", place)
    return place


def _fetch(target: Path) -> None:
    which = [word for each in PINS for word in ("--requirement", str(each))]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--require-hashes"]
    done = subprocess.run(
        [*pip, "--dest", str(target), *which], capture_output=True, check=False, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
