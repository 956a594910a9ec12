"""What the documents promise: commands that run, names that exist, nothing of the machine they came from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import initd
from tests.house.imports import ROOT

OURS = ("initd", "web", "tests", "docs", "scripts", "deploy", ".ci")
TOP = (
    "CHANGELOG.md",
    "GOTCHAS.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
    ".dockerignore",
    ".gitignore",
    "Dockerfile",
)
# Put together, so that this file does not hold what it looks for.
FORBIDDEN = ["/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "files.python" + "hosted", "/br" + "iefs/"]


def texts() -> list[Path]:
    below = (path for name in OURS for path in (ROOT / name).rglob("*") if path.is_file())
    return [ROOT / name for name in TOP] + [path for path in below if "__pycache__" not in path.parts]


def test_no_file_names_a_machine_path_or_a_package_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in texts()
        for word in FORBIDDEN
        if word.encode() in path.read_bytes()
    ]
    assert not found


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(initd.__version__)}\]", text, re.MULTILINE)


def gotchas() -> list[tuple[str, str]]:
    """Every entry's title and the tests that it names."""
    entries = re.split(r"^## ", (ROOT / "GOTCHAS.md").read_text(), flags=re.MULTILINE)[1:]
    return [(entry.partition("\n")[0], entry) for entry in entries]


@pytest.mark.parametrize(("title", "entry"), gotchas(), ids=[title for title, _ in gotchas()])
def test_every_gotcha_names_a_test_that_exists(title: str, entry: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", entry)
    assert named, f"{title} names no test"
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(), f"{file} has no {name}"


@pytest.mark.parametrize("target", ["run", "test", "lint", "pages", "cover", "clean", "help"])
def test_make_knows_the_targets_that_are_spoken_of(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


SCRIPTS = sorted(path.name for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_scripts_are_posix_shell_and_may_be_executed(script: str, shell: str) -> None:
    path = ROOT / "scripts" / script
    assert path.read_text().startswith("#!/bin/sh\n")
    assert path.stat().st_mode & 0o111 == 0o111
    done = subprocess.run([*shell.split(), "-n", path], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
