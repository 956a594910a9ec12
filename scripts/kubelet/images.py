"""What the pods run, as archives: initd by the Dockerfile, the bundle, an app with neither Python nor libc.

Law of this file: images are made here only, by the engine of the container tests; none is fetched.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import initd
from scripts.bundle.__main__ import make as make_bundle
from scripts.kubelet import build
from tests.containers import base
from tests.containers.documents import build_options
from tests.containers.engine import BASE, Engine

ROOT = Path(__file__).resolve().parents[2]
PAUSE, APP = "localhost/pause:1", "localhost/your-app:latest"
INITD, BUNDLE = f"localhost/initd:{initd.__version__}", f"localhost/initd-bundle:{initd.__version__}"


def archives(home: Path) -> list[Path]:
    """One file for each image."""
    engine = Engine(home)
    try:
        base.make(home / "base.tar")
        engine.run("import", "--quiet", home / "base.tar", BASE)
        _build(engine, INITD, ROOT, *build_options())
        bundle = make_bundle(home).root
        _build(engine, BUNDLE, bundle, "--file", str(ROOT / "deploy/container/bundle.Dockerfile"))
        _build(engine, APP, _context(home, build.busybox(), "busybox"))
        _build(engine, PAUSE, _context(home, Path("/usr/bin/catatonit"), "catatonit", "-P"))
        return [_save(engine, name) for name in (INITD, BUNDLE, APP, PAUSE)]
    finally:
        engine.run("rmi", "--all", "--force", check=False)


def _build(engine: Engine, name: str, context: Path, *options: str) -> None:
    engine.run("build", "--quiet", "--tag", name, *options, context, timeout=600)


def _context(home: Path, program: Path, *entry: str) -> Path:
    """An image of one static program and a directory to serve."""
    place = home / entry[0]
    place.mkdir()
    shutil.copy(program, place / entry[0])
    (place / "index.html").write_text("served\n")
    words = ", ".join(f'"{word}"' for word in [f"/{entry[0]}", *entry[1:]])
    (place / "Dockerfile").write_text(
        f"FROM scratch\nCOPY {entry[0]} /{entry[0]}\nCOPY index.html /srv/index.html\nENTRYPOINT [{words}]\n"
    )
    return place


def _save(engine: Engine, name: str) -> Path:
    target = engine.home / f"{name.rpartition('/')[2].partition(':')[0]}.tar"
    engine.run("save", "--quiet", "--output", target, name, timeout=300)
    return target
