"""Whose each file is: Debian's packages with their licences, and a bill of materials (CycloneDX 1.5).

Law of this file: nothing is guessed. What dpkg does not know is listed as a file, by its digest.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Iterable
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

from initd import __version__
from scripts.bundle import interpreter
from scripts.bundle.layout import ROOT, Layout

BILL = "bill.cdx.json"
Component = dict[str, Any]


def put(layout: Layout, linked: Iterable[Path], distributions: Iterable[Distribution]) -> None:
    """Write licences and bill into the bundle."""
    layout.licenses.mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", layout.licenses / "initd")
    files = [interpreter.program(), *interpreter.kept(), *linked]
    packages, strangers = _owners(files)
    for name in packages:
        shutil.copy(f"/usr/share/doc/{name}/copyright", layout.licenses / name)
    notice = interpreter.library() / "LICENSE.txt"
    if notice.exists():
        shutil.copy(notice, layout.licenses / "python")
    components = [*map(_distribution, distributions), *map(_debian, packages), *map(_file, strangers)]
    (layout.home / "share" / BILL).write_text(json.dumps(_bill(components), indent=1) + "\n")


def _bill(components: list[Component]) -> Component:
    ours: Component = {"type": "application", "name": "initd", "version": __version__}
    ours |= {"bom-ref": "initd", "licenses": [{"license": {"id": "MIT"}}]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
    }


def _distribution(each: Distribution) -> Component:
    purl = f"pkg:pypi/{each.name.lower().replace('_', '-')}@{each.version}"
    expression, name = each.metadata["License-Expression"], each.metadata["License"]
    said = {"expression": expression} if expression else {"license": {"name": name}}
    return _library(each.name, each.version, purl) | {"licenses": [said] if expression or name else []}


def _debian(name: str) -> Component:
    words = ["dpkg-query", "-W", "-f", "${Version} ${Architecture}\\n", name]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    version, architecture = said.splitlines()[0].split()  # it may be here for other architectures too
    vendor = platform.freedesktop_os_release()["ID"]
    return _library(name, version, f"pkg:deb/{vendor}/{name}@{quote(version)}?arch={architecture}")


def _library(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


def _file(path: Path) -> Component:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": "file",
        "name": path.name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "bom-ref": digest,
    }


def _owners(files: Iterable[Path]) -> tuple[list[str], list[Path]]:
    """Names of the Debian packages of these files, and the files that are in none."""
    asked = {path: _spellings(path) for path in files}
    if shutil.which("dpkg-query") is None:
        return [], list(asked)
    words = ["dpkg-query", "-S", *(name for names in asked.values() for name in names)]
    said = subprocess.run(words, check=False, capture_output=True, text=True).stdout  # 1: some are not known
    lines = (line.rpartition(": ") for line in said.splitlines())
    known = {path: owner.partition(":")[0] for owner, _, path in lines}
    owners = {path: [known[name] for name in names if name in known] for path, names in asked.items()}
    packages = {found[0] for found in owners.values() if found}
    return sorted(packages), [path for path, found in owners.items() if not found]


def _spellings(path: Path) -> list[str]:
    """Packages know some files by the path before /lib became a link to /usr/lib."""
    real = str(path.resolve())
    return [real, real.removeprefix("/usr")]
