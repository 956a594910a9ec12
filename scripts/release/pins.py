"""``python -m scripts.release.pins`` writes which packages the image is made of, to the byte.

Law of this file: the only place that asks an index which releases there are, and only when a person runs it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from scripts.bundle.layout import ROOT

RUNTIME = ROOT / "deploy/container/requirements.txt"
BUILD = ROOT / "deploy/container/build-requirements.txt"
HEAD = "# Written by python -m scripts.release.pins: what the image {}, to the byte.\n"
# Of all platforms' files, for the oldest Python that we run on: what a newer one does not need does no harm.
COMPILE = ["-m", "uv", "pip", "compile", "--python-version", "3.11", "--python-platform", "linux"]
PLAIN = ["--generate-hashes", "--quiet", "--no-header", "--no-annotate"]


def read(text: str) -> dict[str, str]:
    """Name to version."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def resolve(requirements: list[str]) -> str:
    """The newest releases that these allow, and what they need in turn."""
    words = [sys.executable, *COMPILE, *PLAIN, "-"]
    done = subprocess.run(
        words, input="\n".join(requirements), stdout=subprocess.PIPE, check=False, text=True
    )
    if done.returncode:
        sys.exit("cannot choose releases: see above")
    return done.stdout


def main() -> None:
    """Write both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    RUNTIME.write_text(HEAD.format("installs") + resolve(project["project"]["dependencies"]))
    BUILD.write_text(HEAD.format("builds our wheel with") + resolve(project["build-system"]["requires"]))


if __name__ == "__main__":
    main()
