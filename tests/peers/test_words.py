"""What the originals say, to the letter where scripts may match it: side by side, with pids made equal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.kernel.harness import ENVIRONMENT

from .parties import no_numbers

Said = tuple[int, list[str], list[str]]  # exit code, standard output, standard error

TINI = (
    *("", "-x true", "-vx true", "-p", "-p FOO true", "-p TERM true", "-p SIGIO true", "-p SIGKILL true"),
    *("-e", "-e x true", "-e 256 true", "-e -1 true", "-e 0x1 true", "-e +7 true", "-e 07 true", "-h", "-hx"),
    *("-xh", "-h true", "-w -- true", "-- true", "--", "--version", "--version true", "--help", "true -x"),
    *("true -- -x", "-sg true", "-e143 true", "-vs true", "nope", "-v false", "-v sh -- -c kill\t-9\t$$"),
)
TINI_VARIABLES = ("TINI_VERBOSITY=0", "TINI_VERBOSITY=2", "TINI_VERBOSITY=x", "TINI_SUBREAPER=")
DUMB_INIT = (
    *("", "-x true", "--nope", "--ver", "--v", "--verb --x", "--help=1", "-r", "--rewrite", "-r x true"),
    *("-r 15:40 true", "-r 0:15 true", "-r 15 true", "-r 15: true", "--rew 15:2x true", "-r 1:0 true"),
    *("-r15:+2 true", "--rewrite=15:2 true", "-r 15:-1 true", "--help", "-h", "-V", "--version", "--vers"),
    *(
        "-c true",
        "--single-child false",
        "-- true",
        "--",
        "-cx",
        "true -x",
        "nope",
        "-c nope",
        "-r ,1:2 true",
    ),
)
CATATONIT = (
    *("", "-x", "-gx true", "--nope", "--version", "--v", "--version=1", "-V", "-h", "-gh", "-g true"),
    *("-- true", "--", "true -g", "true -x", "nope", "-g nope"),
)
CASES = [
    *((name, line, "") for name in ("tini", "docker-init") for line in TINI),
    *(("tini", line, variable) for line in ("true", "-v true", "-w false") for variable in TINI_VARIABLES),
    *(("dumb-init", line, "") for line in DUMB_INIT),
    *(("catatonit", line, "") for line in CATATONIT),
    ("catatonit", "true", "CATATONIT_LOG=1"),
    ("catatonit", "", "CATATONIT_LOG=1"),
    ("catatonit", "-h", "CATATONIT_LOG=1"),
]
# What we tell of our work is told by the originals too, who tell more of it.
TALES = [
    ("tini", "-vvv true", ""),
    ("tini", "-vv nope", ""),
    ("dumb-init", "-v true", ""),
    ("dumb-init", "-v -r 15:3 false", ""),
    ("dumb-init", "-vc sh -c kill\t-9\t$$", ""),
    ("dumb-init", "true", "DUMB_INIT_DEBUG=1"),
    ("dumb-init", "true", "DUMB_INIT_DEBUG=2"),
]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real ones; docker-init is tini."""
    home = tmp_path_factory.mktemp("originals")
    for name in ("tini", "dumb-init", "catatonit"):
        (home / name).symlink_to(f"/usr/bin/{name}")
    (home / "docker-init").symlink_to("/usr/bin/tini")
    return home


def say(where: Path, name: str, line: str, variable: str) -> Said:
    """Called by its bare name, since the originals show what they were called by."""
    env = {**ENVIRONMENT, "PATH": f"{where}:{ENVIRONMENT['PATH']}"}
    if variable:
        key, _, value = variable.partition("=")
        env[key] = value
    words = [name, *(word.replace("\t", " ") for word in line.split(" ") if word)]
    done = subprocess.run(
        words, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
    )
    out, err = (no_numbers(os.fsdecode(text)).splitlines() for text in (done.stdout, done.stderr))
    return done.returncode, out, err


def beginning(said: Said) -> Said:
    """Without the lines of a usage that are in our words: it is known by its first ones."""
    code, out, err = said
    if any("usage:" in line.lower() for line in out + err):
        return code, out[:2], err[:3]
    return said


@pytest.mark.parametrize(("name", "line", "variable"), CASES)
def test_it_says_what_the_original_says(
    name: str, line: str, variable: str, originals: Path, links: Path
) -> None:
    theirs, ours = (say(where, name, line, variable) for where in (originals, links))
    assert beginning(ours) == beginning(theirs)


@pytest.mark.parametrize(("name", "line", "variable"), TALES)
def test_it_tells_of_its_work_in_the_originals_words(
    name: str, line: str, variable: str, originals: Path, links: Path
) -> None:
    theirs, ours = (say(where, name, line, variable) for where in (originals, links))
    assert ours[0] == theirs[0]
    assert set(ours[1]) <= set(theirs[1])
    assert set(ours[2]) <= set(theirs[2])
    assert bool(ours[1] + ours[2]) == bool(theirs[1] + theirs[2])
