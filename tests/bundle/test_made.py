"""What is in the bundle, before anything runs: all of it, nothing of this machine, and the same each time."""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import struct
import subprocess
import sys
import tarfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import initd
from scripts.bundle import interpreter, pack, packages
from scripts.bundle.__main__ import make
from scripts.bundle.layout import PYTHON, ROOT, Layout

NAME = f"initd-{initd.__version__}-{platform.machine()}.tar.gz"
LARGEST = 40_000_000  # bytes of all files
# Run in a root that has nothing else: import whatever is there, and say what that did not find.
IMPORT_ALL = """
import pkgutil, sys, warnings
warnings.simplefilter("ignore")
missing = set()
for module in pkgutil.walk_packages(sys.path[1:], onerror=lambda name: None):
    if not module.name.endswith("__main__"):
        try:
            __import__(module.name)
        except ModuleNotFoundError as error:
            missing.add(error.name)
        except Exception:
            pass  # for another system, or another place: not what is asked here
print(*sorted(name for name in missing if name in sys.stdlib_module_names))
"""
# What only modules for Windows ask for, and encodings that nobody says to us, and click.testing.
NOT_HERE = {"_overlapped", "_winapi", "msvcrt", "nt", "winreg", "_scproxy", "bz2", "_multibytecodec", "pdb"}
NOT_HERE |= {f"_codecs_{script}" for script in ("cn", "hk", "iso2022", "jp", "kr", "tw")}


def test_it_weighs_less_than_forty_megabytes(bundle: Layout) -> None:
    assert pack.size(bundle) < LARGEST


def test_every_module_is_compiled_and_never_asks_for_its_source(bundle: Layout) -> None:
    compiled = {path for path in bundle.files() if path.suffix == ".pyc"}
    for path in compiled:
        magic, flags = struct.unpack("<4sI", path.read_bytes()[:8])
        assert (magic, flags) == (MAGIC_NUMBER, 1), path  # PEP 552: by hash, and not checked
    for source in bundle.modules.rglob("*.py"):
        assert source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc" in compiled


def test_our_packages_are_all_there(bundle: Layout) -> None:
    for package in packages.OURS:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (bundle.modules / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_no_path_of_this_machine_is_in_it(bundle: Layout) -> None:
    words = [str(path).encode() for path in (bundle.root, ROOT, Path(sys.prefix))]
    found = [path for path in bundle.files() if any(word in path.read_bytes() for word in words)]
    assert found == []


def test_nothing_that_is_left_out_is_missed_by_what_is_there(empty: Path) -> None:
    words = ["unshare", "--root", str(empty), "/opt/initd/bin/python3", "-IS", "-c", IMPORT_ALL]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)
    assert set(done.stdout.split()) - NOT_HERE == set()


def test_whatever_is_left_out_was_there(bundle: Layout) -> None:
    left_out = set(interpreter.library().rglob("*.py")) - set(interpreter.kept())
    for name in ("turtle.py", "test/support/__init__.py", "pydoc_data/topics.py", "doctest.py"):
        assert interpreter.library() / name in left_out
        assert not (bundle.modules / f"{name}c").exists()
    assert (bundle.modules / "json/__init__.pyc").exists()


def test_the_way_in_asks_nothing_of_the_image(bundle: Layout) -> None:
    said = subprocess.run(["ldd", bundle.bin / "python3"], capture_output=True, check=False, text=True)
    assert "not a dynamic executable" in said.stderr
    assert (bundle.bin / "python3").stat().st_size < 50_000


@pytest.mark.parametrize("name", ["initd", "initctl"])
def test_the_doors_name_the_bundles_own_python(bundle: Layout, name: str) -> None:
    first = (bundle.bin / name).read_text().splitlines()[0]
    assert first == "#!/opt/initd/bin/python3 -IS"
    assert (bundle.bin / PYTHON).exists()


def test_the_tarball_holds_the_tree_and_its_checksum_is_right(bundle: Layout, place: Path) -> None:
    with tarfile.open(place / NAME) as archive:
        members = archive.getmembers()
        for member in members:
            path = bundle.root / member.name
            assert (member.uid, member.gid, member.uname, member.mtime) == (0, 0, "", pack.EPOCH)
            assert member.mode == (
                0o755 if path.is_dir() or path.parent == bundle.bin else path.stat().st_mode & 0o777
            )
            file = archive.extractfile(member) if member.isfile() else None
            assert file is None or file.read() == path.read_bytes()
    assert {bundle.root / member.name for member in members if member.isfile()} == set(bundle.files())
    done = subprocess.run(
        ["sha256sum", "--check", f"{NAME}.sha256"], cwd=place, capture_output=True, check=False
    )
    assert done.returncode == 0


@pytest.mark.usefixtures("bundle")
def test_the_same_input_makes_the_same_bytes(place: Path, tmp_path: Path) -> None:
    make(tmp_path)
    again, first = (hashlib.sha256((where / NAME).read_bytes()).hexdigest() for where in (tmp_path, place))
    assert again == first


def test_the_archive_says_no_time_and_no_name(place: Path, bundle: Layout) -> None:
    head = (place / NAME).read_bytes()[:10]
    assert struct.unpack("<I", head[4:8]) == (pack.EPOCH,)
    assert head[3] == 0  # no file name follows
    assert gzip.decompress((place / NAME).read_bytes()).startswith(b"opt/initd/\0")
    assert bundle.home.stat().st_mtime == pack.EPOCH


def test_the_bill_of_materials_is_valid_and_complete(bundle: Layout) -> None:
    text = (bundle.home / "share/bill.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["version"] == initd.__version__
    names = {component["name"] for component in bill["components"]}
    assert {each.name for each in packages.dependencies()} <= names
    assert {"libc6", "libssl3", "musl-dev", "libpython3.11-stdlib"} <= names
    assert {path.name for path in bundle.licenses.iterdir()} > {"initd", "libc6", "libssl3", "musl-dev"}
