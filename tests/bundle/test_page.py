"""docs/bundle.md to the letter: its Dockerfile lines in an image with nothing else, and every command."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import initd
from scripts.bundle.layout import ROOT, Layout
from tests.bundle import roots
from tests.containers.engine import Engine

PAGE = (ROOT / "docs/bundle.md").read_text()
RESTRICTED = "--read-only --user 1000:1000 --cap-drop all --security-opt no-new-privileges"
VERSION = f"initd {initd.__version__}\n"


def blocks(language: str) -> list[list[str]]:
    """The lines of the page's blocks of that language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


@pytest.fixture(scope="module")
def engine(bundle: Layout) -> Iterator[Engine]:
    """An engine that has the image, made by the page's own line; and no other."""
    made = Engine(Path(tempfile.mkdtemp(prefix="initd-", dir="/tmp")))
    try:
        line = blocks("sh")[0][1]
        assert line.startswith("docker build -f deploy/container/bundle.Dockerfile ")
        docker(made, line.replace("dist/bundle", str(bundle.root)))
        yield made
    finally:
        made.clear()


def docker(engine: Engine, line: str) -> str:
    """Run a line; the format is for HEALTHCHECK, which OCI's own has not."""
    verb, *words = shlex.split(line.replace("docker build", "docker build --format docker"))[1:]
    done = subprocess.run(
        engine.command(verb, *words), env=engine.environ, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_the_image_says_its_version(engine: Engine) -> None:
    assert docker(engine, blocks("sh")[0][2]) == VERSION


@pytest.mark.parametrize("options", ["", RESTRICTED])
def test_the_dockerfile_lines_make_a_healthy_image_of_scratch(
    engine: Engine, tmp_path: Path, options: str
) -> None:
    roots.nothing(tmp_path)
    lines = ["FROM scratch", "COPY main /main", *blocks("dockerfile")[0], 'CMD ["/main"]']
    (tmp_path / "Dockerfile").write_text("\n".join(lines))
    docker(engine, f"docker build -t app {tmp_path}")
    with engine.container(image="localhost/app", options=options) as made:
        made.ready()
        check = engine.perform(engine.command("healthcheck", "run", made.name), check=False)
        assert check.returncode == 0, check.stdout + check.stderr
        assert made.stop() == 7


def test_the_tarball_is_checked_and_unpacked(bundle: Layout, place: Path, tmp_path: Path) -> None:
    lines = [line.replace("--directory /", f"--directory {tmp_path}") for line in blocks("sh")[1]]
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=place, check=True, capture_output=True)
    unpacked = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    assert unpacked == {path.relative_to(bundle.root) for path in bundle.root.rglob("*")}


def test_its_version_and_the_bill_can_be_asked(empty: Path) -> None:
    version, bill = blocks("sh")[2]
    inside = ["unshare", f"--root={empty}", *shlex.split(version)]
    assert subprocess.run(inside, check=True, capture_output=True, text=True).stdout == VERSION
    line = bill.replace("/opt/initd", f"{empty}/opt/initd")
    assert (
        '"version": "2.'
        in subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout
    )


def test_the_sizes_of_the_page_are_those_measured(bundle: Layout, place: Path) -> None:
    said = re.search(r"^(\d+) MB, of which an image layer is ([\d.]+) MB", PAGE, re.MULTILINE)
    assert said
    (packed,) = place.glob("*.tar.gz")
    sizes = [sum(path.stat().st_size for path in bundle.files()), packed.stat().st_size]
    for words, size in zip(said.groups(), sizes, strict=True):
        assert abs(float(words) - size / 1e6) < 1
