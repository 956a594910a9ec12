"""The release: what is in it, that it is the same anywhere, that it installs, and which version it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

import initd
from scripts.bundle import pack
from scripts.release import pins
from tests.containers.wheels import wheelhouse
from tests.house.imports import ROOT
from tests.kernel.harness import scene

VERSION = initd.__version__
WHEEL = f"initd-{VERSION}-py3-none-any.whl"
SDIST = f"initd-{VERSION}.tar.gz"
BILLS = [f"initd-{VERSION}.cdx.json", f"{pack.NAME}.cdx.json"]
PUBLISHED = {WHEEL, SDIST, f"{pack.NAME}.tar.gz", *BILLS}


def dist(source: Path, target: Path, umask: int = 0o022) -> Path:
    """Make a release of that source, there."""
    words: list[str | Path] = [sys.executable, "-m", "scripts.release", target]
    environ = {**os.environ, "PYTHONHASHSEED": str(umask)}
    subprocess.run(words, cwd=source, env=environ, check=True, capture_output=True, umask=umask, timeout=300)
    return target


def unpacked(release: Path, place: Path) -> Path:
    subprocess.run(["tar", "-xf", release / SDIST, "-C", place], check=True)
    return place / f"initd-{VERSION}"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dist(ROOT, tmp_path_factory.mktemp("release"))


def test_all_that_is_published_is_named_with_its_checksum(release: Path) -> None:
    words = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(words, cwd=release, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == PUBLISHED


def test_the_release_made_of_its_own_sdist_is_the_same_to_the_byte(release: Path, tmp_path: Path) -> None:
    again = dist(unpacked(release, tmp_path), tmp_path / "again", umask=0o077)
    for name in [*PUBLISHED, "SHA256SUMS"]:
        assert (again / name).read_bytes() == (release / name).read_bytes(), name


def test_the_sdist_has_all_that_make_test_and_make_image_need(release: Path, tmp_path: Path) -> None:
    source = unpacked(release, tmp_path)
    needed = [
        "Dockerfile",
        ".dockerignore",
        ".ci/run",
        "Makefile",
        "tests/conftest.py",
        "deploy/container/compile.py",
    ]
    assert [name for name in needed if not (source / name).exists()] == []


@pytest.mark.parametrize("name", BILLS)
def test_a_bill_of_materials_is_valid(release: Path, name: str) -> None:
    text = (release / name).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    about = _bill(release, name)["metadata"]["component"]
    assert (about["name"], about["version"]) == ("initd", VERSION)


def _bill(release: Path, name: str) -> Any:
    return json.loads((release / name).read_text())


def test_the_bill_names_what_is_pinned_and_who_needs_it(release: Path) -> None:
    bill = _bill(release, BILLS[0])
    pinned = pins.read(pins.RUNTIME.read_text())
    assert {each["name"]: each["version"] for each in bill["components"]} == pinned
    assert all(each["licenses"] for each in bill["components"])
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert len(needs[f"pkg:pypi/initd@{VERSION}"]) == len(pinned)
    assert f"pkg:pypi/anyio@{pinned['anyio']}" in needs[f"pkg:pypi/starlette@{pinned['starlette']}"]


def test_the_pins_are_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = pins.read(pins.RUNTIME.read_text())
    for line in project["project"]["dependencies"]:
        assert Requirement(line).specifier.contains(pinned[Requirement(line).name]), line
    (backend,) = map(Requirement, project["build-system"]["requires"])
    assert backend.specifier.contains(pins.read(pins.BUILD.read_text())[backend.name])


@pytest.mark.parametrize("file", [pins.RUNTIME, pins.BUILD])
def test_every_pin_has_a_hash(file: Path) -> None:
    entries = re.split(r"^(?=\w)", file.read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def offline(home: Path) -> dict[str, str]:
    """A home of their own for tools that install, and the wheelhouse for an index."""
    bin_ = str(Path(sys.executable).parent)
    where = {"HOME": str(home), "PATH": f"{bin_}:/usr/bin:/bin", "PIPX_DEFAULT_PYTHON": sys.executable}
    return where | {"UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheelhouse())}


def said(home: Path, *words: object) -> str:
    done = subprocess.run(
        list(map(str, words)), env=offline(home), capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pipx_installs_both_commands_and_their_man_pages(release: Path, tmp_path: Path) -> None:
    said(tmp_path, "pipx", "install", release / WHEEL)
    local = tmp_path / ".local"
    assert said(tmp_path, local / "bin/initd", "--version") == f"initd {VERSION}\n"
    assert said(tmp_path, local / "bin/initctl", "--help").startswith("usage: initctl ")
    assert said(tmp_path, local / "bin/initd", "--no-http", "-q", "--", "echo", "ran") == "ran\n"
    assert sorted(path.name for path in local.glob("share/man/man1/*")) == ["initctl.1", "initd.1"]


def test_uvx_runs_both_commands(release: Path, tmp_path: Path) -> None:
    uvx = ["uvx", "--quiet", "--from", release / WHEEL]
    assert said(tmp_path, *uvx, "initd", "--version") == f"initd {VERSION}\n"
    assert said(tmp_path, *uvx, "initctl", "--help").startswith("usage: initctl ")


def test_the_version_has_one_source_and_every_place_says_it(release: Path) -> None:
    wrong = {place: version for place, version in _versions(release) if version != VERSION}
    assert not wrong


def _versions(release: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(release / WHEEL) as wheel, tarfile.open(release / SDIST) as sdist:
        metadata = {
            "wheel": wheel.read(f"initd-{VERSION}.dist-info/METADATA"),
            "sdist": sdist.extractfile(f"initd-{VERSION}/PKG-INFO").read(),  # type: ignore[union-attr]
        }
    yield from ((place, _found(r"^Version: (\S+)$", text.decode())) for place, text in metadata.items())
    for page in sorted((ROOT / "docs/man").iterdir()):
        yield page.name, _found(r'"initd (\S+)"', page.read_text())
    yield "changelog", _found(r"^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text())
    for file in sorted((ROOT / "deploy").rglob("*.y*ml")):
        for version in re.findall(r"(?:image: initd(?:-bundle)?:|newTag: )(\d\S*)", file.read_text()):
            yield str(file.relative_to(ROOT)), version
    with scene("sleep", "100") as made:
        yield "the API", made.status()["init"]["version"]
        yield "its description", made.get("/openapi.json")["info"]["version"]
        yield "the metrics", _found(r'^initd_build_info\{.*version="(.*?)"', made.ask("GET", "/metrics").text)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, pattern
    return found[1]
