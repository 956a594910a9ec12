"""Debian has no kubelet, but the source of Kubernetes 1.20, and a Go that builds it: once, in minutes.

Law of this file: what is installed, fetched and built, all of it kept in the cache; nothing is started.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

# What the tests of images and bundle need besides is there: they come first.
PACKAGES = ["catatonit", "containerd", "containernetworking-plugins", "golang-go", "podman", "runc"]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "initd-kubelet"
SOURCE = "Types: deb-src\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {key}\n"
KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"


def packages() -> None:
    """What this needs of Debian; no service is started."""
    script = Path(__file__).resolve().parents[1] / "debian-packages"
    subprocess.run([script, "python3", *PACKAGES], check=True)


def kubelet() -> Path:
    """The binary, built if the cache has none."""
    built = CACHE / "kubelet"
    if not built.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="build-") as place:
            _build(_source(Path(place)), Path(place) / "kubelet")
            (Path(place) / "kubelet").rename(built)
    return built


def busybox() -> Path:
    """A static one, out of its package: installed, it would take the place of the other busybox."""
    found = CACHE / "busybox"
    if not found.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="busybox-") as place:
            options = ["-qq", "-o", "APT::Sandbox::User=root"]
            subprocess.run(["apt-get", *options, "download", "busybox-static"], cwd=place, check=True)
            (package,) = Path(place).glob("*.deb")
            subprocess.run(["dpkg-deb", "--extract", package, place], check=True)
            (Path(place) / "bin/busybox").rename(found)
    return found


def _source(place: Path) -> Path:
    """Fetched by apt, from where it has everything else, and checked by its signatures."""
    parts, lists = place / "sources", place / "lists"
    parts.mkdir()
    (lists / "partial").mkdir(parents=True)
    uri, suite = _archive()
    (parts / "source.sources").write_text(SOURCE.format(uri=uri, suite=suite, key=KEY))
    private = [
        f"Dir::Etc::SourceParts={parts}",
        "Dir::Etc::SourceList=/dev/null",
        f"Dir::State::Lists={lists}",
        "APT::Sandbox::User=root",  # _apt may not write here
    ]
    apt = ["apt-get", "-qq", *(word for option in private for word in ("-o", option))]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "source", "--download-only", "kubernetes"], cwd=place, check=True)
    (archive,) = place.glob("kubernetes_*.orig.tar.*")
    subprocess.run(["tar", "-xf", archive], cwd=place, check=True)
    (tree,) = place.glob("kubernetes-*/")
    return tree


def _archive() -> tuple[str, str]:
    """Where apt has golang-go from, and the suite: its source is beside it."""
    told = subprocess.run(
        ["apt-cache", "policy", "golang-go"], check=True, capture_output=True, text=True
    ).stdout
    words = next(line for line in told.splitlines() if "://" in line).split()
    return words[1], words[2].partition("/")[0]


def _build(tree: Path, target: Path) -> None:
    """In GOPATH mode, since all it needs is in the tree; nothing is fetched."""
    home = tree / ".go/src/k8s.io"
    home.mkdir(parents=True)
    (home / "kubernetes").symlink_to("../../..")
    places = {"GOPATH": str(tree / ".go"), "GOCACHE": str(tree / ".cache")}
    environ = os.environ | places | {"GO111MODULE": "off"}
    words = ["go", "build", "-o", str(target), "-ldflags", "-s -w", "k8s.io/kubernetes/cmd/kubelet"]
    print("building kubelet from Debian's source of Kubernetes: some minutes, once", flush=True)
    subprocess.run(["nice", *words], cwd=home / "kubernetes", env=environ, check=True)
