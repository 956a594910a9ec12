"""What the image is, before anything runs in it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import initd
from tests.containers.documents import PAGE, build_options, shell
from tests.containers.engine import BASE, IMAGE, Engine
from tests.house.imports import ROOT

COPIED = ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE")
ROOMS = ("initd", "web", "scripts", "docs", "deploy")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same source elsewhere: with other times, other modes, byte code and other things lying about."""
    place = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        shutil.copyfile(ROOT / name, place / name)
    for name in ROOMS:
        shutil.copytree(ROOT / name, place / name, copy_function=shutil.copyfile)
    (place / "scripts/initd").chmod(0o775)
    (place / "web" / "__pycache__" / "left.cpython-311.pyc").write_bytes(b"of another day")
    (place / "secret.key").write_text("not for any image")
    return place


def test_it_says_what_it_is_and_where_it_comes_from(engine: Engine) -> None:
    labels = engine.inspect(IMAGE)["Config"]["Labels"]
    prefix = "org.opencontainers.image"
    assert labels[f"{prefix}.title"] == "initd"
    assert labels[f"{prefix}.licenses"] == "MIT"
    assert labels[f"{prefix}.version"] == initd.__version__
    assert re.fullmatch("[0-9a-f]{40}", labels[f"{prefix}.revision"])


def test_it_starts_stops_and_is_asked_for_its_health_through_initd(engine: Engine) -> None:
    config = engine.inspect(IMAGE)["Config"]
    assert config["Entrypoint"] == ["/opt/initd/bin/initd", "--"]
    assert config["StopSignal"] == "SIGTERM"
    assert engine.inspect(IMAGE)["Healthcheck"]["Test"] == ["CMD", "/opt/initd/bin/initctl", "check", "live"]
    assert list(config["ExposedPorts"]) == ["9911/tcp"]


def test_no_variable_and_no_python_of_the_base_is_changed(engine: Engine) -> None:
    words = ["run", "--rm", "--hostname", "same"]
    ours, base = (sorted(engine.run(*words, image, "printenv").split()) for image in (IMAGE, BASE))
    assert ours == base
    find = "for each in python3 initd initctl; do readlink -f $(command -v $each); done"
    where = engine.run("run", "--rm", IMAGE, "sh", "-c", find)
    assert where.split() == ["/usr/bin/python3.11", "/opt/initd/bin/initd", "/opt/initd/bin/initctl"]


def test_it_is_one_layer_of_the_weight_that_the_page_says(engine: Engine) -> None:
    ours, base = engine.inspect(IMAGE), engine.inspect(BASE)
    assert ours["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
    said = re.search(r"one layer of (\d+) MB", PAGE.read_text())
    assert said
    assert round((ours["Size"] - base["Size"]) / 1e6) == int(said[1])


def test_buildah_makes_the_same_layer_elsewhere_to_the_bit(engine: Engine, checkout: Path) -> None:
    words = [*engine.buildah, "bud", *build_options(), "--tag", "again", str(checkout)]
    engine.perform(words)
    assert engine.inspect("again")["RootFS"] == engine.inspect(IMAGE)["RootFS"]


def test_a_version_that_is_not_the_sources_is_refused(engine: Engine) -> None:
    done = shell(engine, "docker build --build-arg VERSION=9.9 .")
    assert done.returncode != 0
    assert (
        f"cannot build: VERSION says 9.9, and the source is {initd.__version__}" in done.stderr + done.stdout
    )
