"""Our two packages from this tree, and what web depends on from this virtual environment.

Law of this file: what is declared in pyproject.toml is what goes along, with whatever that needs, and nothing
that only a test or an extra needs.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution

from packaging.requirements import Requirement

from scripts.bundle.layout import ROOT, Layout, fail

OURS = ("initd", "web")
# Of a distribution's metadata: who it is and what it permits. The rest tells of this machine.
_METADATA = ("METADATA", "LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")


def put(layout: Layout) -> None:
    """Copy them beside the standard library."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in OURS:
        shutil.copytree(ROOT / name, layout.modules / name, ignore=unwanted)
    for each in dependencies():
        for path in filter(_is_wanted, each.files or ()):
            target = layout.modules / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(path.locate()), target)


def dependencies() -> list[Distribution]:
    """What web needs, and what that needs, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: dict[str, Distribution] = {}
    _follow(project["dependencies"], found)
    return [found[name] for name in sorted(found)]


def _follow(lines: Iterable[str], found: dict[str, Distribution]) -> None:
    for requirement in map(Requirement, lines):
        name = requirement.name.lower().replace("_", "-")
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            fail(f"{name} is not installed here; pip install it, as pyproject.toml asks for it")
        _follow(found[name].requires or (), found)


def _is_wanted(path: PackagePath) -> bool:
    if path.parts[0] == ".." or "__pycache__" in path.parts or "tests" in path.parts:
        return False
    return not path.parts[0].endswith(".dist-info") or path.name.partition(".")[0] in _METADATA
