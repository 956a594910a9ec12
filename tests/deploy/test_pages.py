"""docs/kubernetes.md: its commands run, its manifests are what Kubernetes takes, its words exist."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it comes without types
import pytest
import yaml

import initd
from initd.options import TABLE as OPTIONS
from tests.deploy.commands import unknown
from tests.deploy.files import DEPLOY, Json
from tests.deploy.manifests import KUBECTL, KUBERNETES, container, kind, pod, rendered
from tests.deploy.test_kubernetes import PLAIN

ROOT = DEPLOY.parent
PAGE = (ROOT / "docs/kubernetes.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
YAML: list[Any] = [yaml.safe_load(block) for block in blocks("yaml")]
OVERLAYS = [each for each in YAML if each.get("kind") == "Kustomization"]
PARTS = {key: each[key] for each in YAML if each not in OVERLAYS for key in each}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str) -> None:
    environ = {"PATH": f"{KUBECTL.parent}:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environ, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


def test_the_secret_that_the_page_makes_is_one_that_initd_reads() -> None:
    (line,) = re.findall(r"kubectl (create secret generic .+)", PAGE)
    words = ["sh", "-c", f"{KUBECTL} {line} --dry-run=client -o json"]
    done = subprocess.run(words, capture_output=True, check=True, timeout=60)
    secret = yaml.safe_load(done.stdout)
    volumes = pod(rendered(KUBERNETES / "base"))["volumes"]
    (mounted,) = (each["secret"]["secretName"] for each in volumes if "secret" in each)
    assert secret["metadata"]["name"] == mounted
    assert list(secret["data"]) == ["tokens"]


def built(home: Path, overlay: Json) -> list[Json]:
    """The overlay, standing in a directory of its own, beside the user's Deployment."""
    moved = dict(overlay)
    for key in ("resources", "components"):
        ours = [each for each in overlay.get(key, ()) if each.startswith("deploy/")]
        theirs = [each for each in overlay.get(key, ()) if each not in ours]
        moved[key] = [os.path.relpath(ROOT / each, home.resolve()) for each in ours] + theirs
    (home / "your-deployment.yaml").write_text(PLAIN)
    (home / "kustomization.yaml").write_text(yaml.safe_dump(moved))
    return rendered(home)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=["base", "sidecar"])
def test_a_kustomization_of_the_page_makes_what_kubernetes_takes(tmp_path: Path, overlay: Json) -> None:
    (deployment,) = built(tmp_path, overlay)
    kubernetes_validate.validate(deployment, kubernetes_validate.latest_version(), strict=True)


def test_the_users_own_image_and_command_are_taken(tmp_path: Path) -> None:
    overlay = OVERLAYS[0]
    app = container(pod(built(tmp_path, overlay)), "app")
    (image,) = overlay["images"]
    assert app["image"] == f"{image['newName']}:{image['newTag']}"
    assert app["command"] == ["/opt/initd/bin/initd", "--"]
    assert app["args"] == ["/usr/bin/cart", "--port", "8080"]


def test_the_other_ways_of_the_page_fit_the_manifests() -> None:
    assert set(PARTS) == {"lifecycle", "volumes", "volumeMounts"}
    inject = rendered(KUBERNETES / "inject")
    spec = pod(inject)
    app = container(spec, "app")
    app["lifecycle"] = PARTS["lifecycle"]
    for parts, key in ((spec["volumes"], "volumes"), (app["volumeMounts"], "volumeMounts")):
        (new,) = PARTS[key]
        parts[:] = [each for each in parts if each["name"] != new["name"]] + [new]
    del spec["initContainers"]
    kubernetes_validate.validate(
        kind(inject, "Deployment")[0], kubernetes_validate.latest_version(), strict=True
    )
    (volume,) = PARTS["volumes"]
    assert volume["image"]["reference"] == f"initd-bundle:{initd.__version__}"


def test_the_page_speaks_of_what_there_is() -> None:
    known = {option.variable for option in OPTIONS}
    assert set(re.findall(r"INITD_[A-Z_]+", PAGE)) <= known
    asked = set(re.findall(r"`/(?:livez|readyz|startupz|metrics|api/[^`]*)`", PAGE))
    commands = {f"`{found}`" for found in re.findall(r"initctl [a-z]+", PAGE)}
    called = {f"`initctl {PARTS['lifecycle']['preStop']['exec']['command'][1]}`"}
    assert asked
    assert unknown(" ".join(asked | commands | called)) == []


def test_the_page_names_this_version() -> None:
    assert set(re.findall(r"initd(?:-bundle)?:(\d[\d.]*)", PAGE)) == {initd.__version__}
