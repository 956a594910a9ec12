"""A base image with Python, made of this machine's installed Debian packages: nothing is downloaded.

Law of this file: files in, one tar out, the same bytes for the same packages.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from pathlib import Path

PACKAGES = """
    base-files dash bash coreutils procps libc6 libc-bin libgcc-s1 libtinfo6 libselinux1 libpcre2-8-0
    libacl1 libattr1 libgmp10 libsystemd0 libproc2-0 libzstd1 liblz4-1 liblzma5 libcap2 libgcrypt20
    libgpg-error0 python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib python3
    python3.11 python3.11-venv python3-venv libexpat1 zlib1g libssl3 libffi8 libbz2-1.0 libuuid1
    libsqlite3-0 libreadline8 libncursesw6 libcrypt1 media-types python3-pip-whl python3-setuptools-whl
    findutils
"""
LEFT_OUT = re.compile(r"/usr/share/(man|doc|locale|lintian|bug)/")
MERGED = re.compile(r"^/(bin|sbin|lib|lib64)/")  # these are links into /usr, and packages name both
# What no package owns, and the directories that a container's mounts and programs want.
ALSO = "/bin /sbin /lib /lib64 /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache"
DIRECTORIES = {"dev": 0o755, "proc": 0o755, "run": 0o755, "srv": 0o755, "sys": 0o755, "tmp": 0o1777}


def files() -> list[str]:
    """Every file and link of the packages, and what no package owns."""
    listed = subprocess.run(
        ["dpkg", "-L", *PACKAGES.split()], capture_output=True, check=True, text=True
    ).stdout
    kept = (MERGED.sub(r"/usr/\1/", line) for line in listed.splitlines() if not LEFT_OUT.match(line))
    real = (name for name in kept if Path(name).is_symlink() or Path(name).is_file())
    return sorted({*real, *(name for name in ALSO.split() if Path(name).exists())})


def make(target: Path) -> None:
    """Write the tar."""
    with tarfile.open(target, "w") as archive:
        for name, mode in DIRECTORIES.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        for name in files():
            archive.add(name, recursive=False)
