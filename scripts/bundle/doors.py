"""What is called: initd, initctl, and the small program that both begin with.

Law of this file: each door is one file with one absolute path in it. No shell, no parent,
nothing unpacked: the kernel starts ``bin/python3``, which becomes the interpreter, and that is PID 1.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from scripts.bundle.layout import HOME, PYTHON, Layout, fail
from scripts.bundle.libraries import tool

# -I: neither variables nor the directory of the user. -S: without site, whose directories the bundle has not.
_SHEBANG = f"#!{HOME}/bin/python3 -IS\n"
_DOORS = {
    "initd": "import sys\n\nfrom initd.boot import main\n\nmain(sys.argv[1:])\n",
    "initctl": "from web.ctl import main\n\nraise SystemExit(main())\n",
}
_SOURCE = Path(__file__).with_name("start.c")
_FLAGS = ("-static", "-Os", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none,--trace")


def put(layout: Layout) -> Path:
    """Make them; the libc that is linked into one. It is musl's: 18 KB, and with glibc's it would be 700."""
    compiler = tool("musl-gcc", "apt-get install musl-tools")
    python = f'-DPYTHON="{HOME}/bin/{PYTHON}"'
    words: list[str | Path] = [compiler, *_FLAGS, python, "-o", layout.bin / "python3", _SOURCE]
    linked = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name, text in _DOORS.items():
        (layout.bin / name).write_text(_SHEBANG + text)
    found = re.search(r"/\S+/libc\.a", linked)
    return Path(found[0]) if found else fail("the linker does not say which libc.a it took")
