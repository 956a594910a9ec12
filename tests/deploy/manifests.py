"""The manifests as kubectl makes them out of deploy/kubernetes, and what is in them.

Law of this file: it renders and finds; it judges nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.files import DEPLOY, Json

KUBECTL = Path(sys.executable).with_name("kubectl")
KUBERNETES = DEPLOY / "kubernetes"


def text(directory: Path) -> str:
    """``kubectl kustomize``, which asks no cluster."""
    done = subprocess.run(
        [KUBECTL, "kustomize", directory], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # it warns there of what is deprecated
    return done.stdout


def rendered(directory: Path) -> list[Json]:
    return list(yaml.safe_load_all(text(directory)))


def kind(objects: list[Json], wanted: str) -> list[Json]:
    return [each for each in objects if each["kind"] == wanted]


def pod(objects: list[Json]) -> Json:
    """The one Deployment's pod."""
    (deployment,) = kind(objects, "Deployment")
    spec: Json = deployment["spec"]["template"]["spec"]
    return spec


def containers(spec: Json) -> Iterator[Json]:
    """Every container, those that run first included."""
    yield from (*spec.get("initContainers", ()), *spec["containers"])


def container(spec: Json, name: str) -> Json:
    (found,) = (each for each in spec["containers"] if each["name"] == name)
    wanted: Json = found
    return wanted


def environment(container: Json) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def probes(container: Json) -> dict[str, Any]:
    """Path by kind of probe, all of them to one port."""
    return {
        name: container[f"{name}Probe"]["httpGet"]
        for name in ("startup", "liveness", "readiness")
        if f"{name}Probe" in container
    }
