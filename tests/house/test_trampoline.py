"""scripts/initd, the way in: which python it becomes, under which name, and that it leaves nothing behind."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "initd"
SHELLS = ["dash", "bash", "busybox sh"]
# Says how it was called. The two flags are -I and -S.
REPORT = """
import json, os, sys
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
print(json.dumps({
    "argv": sys.argv, "name": sys._xoptions.get("initd"), "flags": [sys.flags.isolated, sys.flags.no_site],
    "environ": {os.fsdecode(k): os.fsdecode(v) for k, v in os.environb.items()}, "fds": fds,
    "children": open(f"/proc/self/task/{os.getpid()}/children").read().split(),
}))
"""


def install(home: Path, *, package: str | None = "lib/python3.11/site-packages") -> Path:
    """An installation with our script, the running python, and the package where ``package`` says."""
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python3").symlink_to(os.path.realpath(sys.executable))
    script = home / "bin" / "initd"
    shutil.copy(SCRIPT, script)
    if package:
        main = home / package / "initd" / "__main__.py"
        main.parent.mkdir(parents=True)
        main.write_text(REPORT)
    return script


def call(*command: str | Path, **options: Any) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, check=True, text=True, **options)
    assert done.stderr == ""
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def handed_on(said: dict[str, Any]) -> dict[str, str]:
    """The environment as the core restores it."""
    raw = base64.b64decode(said["environ"]["INITD_ENVIRON"])
    pairs = (entry.split(b"=", 1) for entry in raw.split(b"\0") if entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, value in pairs}


def test_python_is_isolated_and_gets_the_words_as_they_are(tmp_path: Path) -> None:
    script = install(tmp_path)
    words = ["--", "sh", "-c", "echo  '$x' \"*\"", "", "-I", "new\nline"]
    said = call(script, *words)
    assert said["argv"][1:] == words
    assert said["flags"] == [1, 1]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_environment_is_handed_on_exactly(tmp_path: Path, shell: str) -> None:
    script = install(tmp_path)
    environ = {
        "discovery.type": "single-node",
        "with space": "1",
        "A": "x\ny=z\n",
        "E": "",
        "PYTHONHOME": "/none",
    }
    said = call(
        *shell.split(),
        str(script),
        env=environ,
        cwd=tmp_path,
        executable=shutil.which(shell.split(maxsplit=1)[0]),
    )
    assert handed_on(said) == environ


def test_an_environment_too_long_for_one_string_comes_as_the_shell_gives_it(tmp_path: Path) -> None:
    script = install(tmp_path)
    environ = {f"N{n}": "x" * 1000 for n in range(200)}
    said = call(script, env=environ)
    assert "INITD_ENVIRON" not in said["environ"]
    assert environ.items() <= said["environ"].items()


@pytest.mark.parametrize("shell", SHELLS)
def test_no_child_and_no_descriptor_is_left_behind_and_none_is_lost(tmp_path: Path, shell: str) -> None:
    script = install(tmp_path)
    opened = ["sh", "-c", 'exec "$@" 3</dev/null 7</dev/null', "--"]
    said = call(*opened, *shell.split(), str(script))
    assert said["fds"] == [0, 1, 2, 3, 7]
    assert said["children"] == []


@pytest.mark.parametrize("linked", ["absolute", "relative", "chain", "directory"])
def test_a_symbolic_link_is_followed_and_its_name_kept(tmp_path: Path, linked: str) -> None:
    script = install(tmp_path / "opt")
    link = tmp_path / "links" / "tini"
    link.parent.mkdir()
    if linked == "absolute":
        link.symlink_to(script)
    elif linked == "relative":
        link.symlink_to("../opt/bin/initd")
    elif linked == "chain":
        (tmp_path / "middle").symlink_to("opt/bin/initd")
        link.symlink_to("../middle")
    else:
        (tmp_path / "dir").symlink_to("opt/bin")
        link.symlink_to("../dir/initd")
    said = call(link)
    assert said["name"] == "tini"
    assert os.path.realpath(said["argv"][0]) == str(
        tmp_path / "opt/lib/python3.11/site-packages/initd/__main__.py"
    )


@pytest.mark.parametrize("called", ["./initd", "initd", "bin/../bin/initd"])
def test_it_finds_itself_by_a_relative_name(tmp_path: Path, called: str) -> None:
    script = install(tmp_path)
    cwd = tmp_path if "/../" in called else script.parent
    assert call("sh", called, cwd=cwd)["name"] == "initd"


def test_it_is_found_through_path(tmp_path: Path) -> None:
    script = install(tmp_path)
    search = f"{script.parent}:{os.environ['PATH']}"
    assert call("sh", "-c", "exec initd", env={"PATH": search})["name"] == "initd"


def test_it_needs_no_program_but_python_when_it_is_not_a_link(tmp_path: Path) -> None:
    script = install(tmp_path)
    assert call(script, env={"PATH": "/nonexistent"})["name"] == "initd"


def test_names_with_spaces_and_stars_are_no_trouble(tmp_path: Path) -> None:
    script = install(tmp_path / "a dir with * and $x")
    link = tmp_path / "an init"
    link.symlink_to(script)
    assert call(link)["name"] == "an init"


def test_debians_directory_for_packages_is_looked_into_too(tmp_path: Path) -> None:
    script = install(tmp_path, package="lib/python3/dist-packages")
    assert call(script)["flags"] == [1, 1]


@pytest.mark.parametrize("copies", [0, 2])
def test_without_one_clear_copy_this_python_finds_its_own(tmp_path: Path, copies: int) -> None:
    script = install(tmp_path, package=None)
    for minor in range(11, 11 + copies):
        main = tmp_path / f"lib/python3.{minor}/site-packages/initd/__main__.py"
        main.parent.mkdir(parents=True)
        main.write_text("raise SystemExit(3)")
    (script.parent / "python3").unlink()
    (script.parent / "python3").write_text('#!/bin/sh\necho "$*"\n')
    (script.parent / "python3").chmod(0o755)
    done = subprocess.run([script, "--", "x"], capture_output=True, check=True, text=True)
    assert done.stdout == "-I -X initd=initd -m initd -- x\n"


def test_without_a_python_beside_it_there_is_one_line_and_125(tmp_path: Path) -> None:
    script = tmp_path / "initd"
    shutil.copy(SCRIPT, script)
    done = subprocess.run([script, "--", "x"], capture_output=True, check=False, text=True)
    assert done.returncode == 125
    assert done.stdout == ""
    assert done.stderr.startswith(f"cannot start: no python3 beside {script}")
    assert done.stderr.count("\n") == 1
