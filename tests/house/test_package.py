"""The wheel: what is in it, and that what it installs works in a hostile world."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import initd
from tests.house.imports import ROOT

WORD = f"initd {initd.__version__}\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network."""
    place = tmp_path_factory.mktemp("wheel")
    build: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = place.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The bin directory of a fresh virtual environment with nothing but the wheel."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    pip: list[str | Path] = [
        home / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    subprocess.run(pip, check=True)
    return home / "bin"


def run(*command: object, **environ: str) -> tuple[int, str, str]:
    words = [str(word) for word in command]
    done = subprocess.run(words, env=os.environ | environ, capture_output=True, check=False, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_wheel_holds_both_houses_the_licence_and_the_script(wheel: Path) -> None:
    version = initd.__version__
    assert wheel.name == f"initd-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        script = archive.getinfo(f"initd-{version}.data/scripts/initd")
    assert {"initd/__main__.py", "web/__main__.py", "web/ctl/__init__.py", "web/static/index.html"} <= names
    assert f"initd-{version}.dist-info/licenses/LICENSE" in names
    assert not {name for name in names if name.startswith(("tests", "docs")) or name.endswith(".pyc")}
    assert script.external_attr >> 16 & stat.S_IXUSR


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    kept = {
        str(path.relative_to(ROOT))
        for package in ("initd", "web")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        assert kept <= set(archive.namelist())


def test_initd_works_by_its_path_and_without_any_dependency(installed: Path) -> None:
    assert run(installed / "initd", "--version") == (0, WORD, "")


def test_initd_works_through_a_symbolic_link(installed: Path, tmp_path: Path) -> None:
    link = tmp_path / "sbin-initd"
    link.symlink_to(installed / "initd")
    assert run(link, "--version") == (0, WORD, "")


def test_a_hostile_environment_and_directory_do_not_reach_our_interpreter(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("os", "sys", "initd", "signal", "encodings", "site"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    hostile = {
        "PYTHONHOME": "/nonexistent",
        "PYTHONPATH": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "os.py"),
    }
    assert run(installed / "initd", "--version", **hostile, PYTHONINSPECT="1", PYTHONVERBOSE="1") == (
        0,
        WORD,
        "",
    )


def test_main_gets_the_hostile_environment_that_we_did_not_take(installed: Path) -> None:
    code, out, err = run(
        installed / "initd",
        "--no-http",
        "-q",
        "--",
        "printenv",
        "PYTHONHOME",
        "my.name",
        "PWD",
        PYTHONHOME="/x",
        PWD="/odd",
        **{"my.name": "1"},
    )
    assert (code, out, err) == (0, "/x\n1\n/odd\n", "")


def test_initctl_works_without_any_dependency(installed: Path, tmp_path: Path) -> None:
    code, out, err = run(installed / "initctl", "--socket", tmp_path / "none", "status")
    assert (code, out) == (3, "")
    assert err.startswith("initctl: cannot reach initd at ")


def test_the_readmes_way_into_an_image_is_the_one_that_the_bundles_page_has_and_tests() -> None:
    readme = (ROOT / "README.md").read_text()
    (block, *_) = re.findall(r"^```dockerfile\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    page = (ROOT / "docs/bundle.md").read_text()
    assert block.startswith("COPY ")
    assert [line for line in block.splitlines() if line not in page] == []


def test_byte_code_is_there_after_installing(installed: Path) -> None:
    compiled = list(installed.parent.glob("lib/python3*/site-packages/initd/__pycache__/boot.*.pyc"))
    assert len(compiled) == 1


def test_what_web_imports_is_what_the_project_declares() -> None:
    from tests.house.test_imports import THIRD_PARTY

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {line.partition(">=")[0].replace("-", "_") for line in project["dependencies"]}
    assert declared == THIRD_PARTY
