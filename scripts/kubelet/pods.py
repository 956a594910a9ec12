"""Our manifests as static pods, which a kubelet runs without a cluster; and what it says of them.

Law of this file: what a static pod cannot have is replaced here: a Secret becomes a directory of the node.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.files import Json
from tests.deploy.manifests import KUBERNETES, containers, pod, rendered
from tests.kernel import kernel
from tests.kernel.client import Answer, ask, wait_for

TOKEN = "only-for-this-node-and-today"  # noqa: S105  it opens nothing else
USER = 65532
PATIENCE = 120.0


@dataclass(frozen=True)
class Pod:
    """One static pod of ours."""

    home: Path
    name: str

    @property
    def manifest(self) -> Path:
        return self.home / "manifests" / f"{self.name}.json"

    # --- what kubelet says

    def find(self) -> Json | None:
        """As ``/pods`` has it; None where it has none, or kubelet is not up yet."""
        try:
            items = json.loads(_get("/pods").body)["items"] or ()
        except OSError:
            return None
        return next((each for each in items if each["metadata"]["name"].startswith(self.name)), None)

    def told(self) -> Json:
        """The same, where it must be there. Raises LookupError."""
        found = self.find()
        if found is None:
            raise LookupError(f"kubelet knows no pod {self.name}")
        return found

    def condition(self, name: str) -> bool:
        conditions = ((self.find() or {}).get("status") or {}).get("conditions") or ()
        return any(each["type"] == name and each["status"] == "True" for each in conditions)

    def container(self) -> Json:
        """The status of the app's container."""
        found: Json = self.told()["status"]["containerStatuses"][0]
        return found

    def probed(self, kind: str, result: str) -> float:
        """How often a probe of this kind has had this result, by ``/metrics/probes``."""
        families = text_string_to_metric_families(_get("/metrics/probes").text)
        samples = (sample for family in families for sample in family.samples)
        wanted = {"probe_type": kind, "result": result}
        return sum(
            sample.value
            for sample in samples
            if wanted.items() <= sample.labels.items() and sample.labels["pod"].startswith(self.name)
        )

    def ready(self, wanted: bool = True) -> None:
        what = "ready" if wanted else "not ready"
        wait_for(lambda: self.condition("Ready") is wanted, f"{self.name} to be {what}", PATIENCE)

    # --- what initd says

    @property
    def address(self) -> str:
        return str(self.told()["status"]["podIP"])

    def ask(self, path: str, port: int = 9911, address: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return ask(
            http.client.HTTPConnection(address or self.address, port, timeout=5), "GET", path, None, headers
        )

    def status(self) -> Json:
        found: Json = self.ask("/api/v1/status").json()
        return found

    def events(self, kind: str) -> list[Json]:
        found: list[Json] = self.ask(f"/api/v1/events?kind={kind}").json()["events"]
        return found

    # --- its processes

    def process(self, inner: int) -> int:
        """The node's pid of the one that has pid ``inner`` in the app's container."""
        uid = self.told()["metadata"]["uid"]
        mine = [pid for pid in _processes() if uid in _read(pid, "cgroup")]
        init = next(pid for pid in mine if "/opt/initd/" in _read(pid, "cmdline") and kernel.inner(pid) == 1)
        space = _namespace(init)
        return next(pid for pid in mine if _namespace(pid) == space and kernel.inner(pid) == inner)


def secret(home: Path) -> None:
    """The tokens, with the owner and the mode that kubelet gives a Secret's files: fsGroup's, and 0440."""
    tokens = home / "secret/tokens"
    tokens.parent.mkdir()
    tokens.write_text(f"control {TOKEN}\n")
    os.chown(tokens, 0, USER)
    tokens.chmod(0o440)
    home.chmod(0o711)


def start(home: Path, name: str, overlay: str, app: Json) -> Pod:
    """Hand the overlay's pod to kubelet, with these fields of the app's container replaced."""
    spec = pod(rendered(KUBERNETES / overlay))
    spec["containers"][0].update(app)
    for container in containers(spec):
        container |= {"image": f"localhost/{container['image']}", "imagePullPolicy": "Never"}
    for volume in spec["volumes"]:
        if volume.pop("secret", None):
            volume["hostPath"] = {"path": str(home / "secret")}
    made = Pod(home, name)
    metadata = {"name": name, "namespace": "default"}
    whole = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    half = home / f"{name}.json"  # kubelet must not read it while it is written
    half.write_text(json.dumps(whole))
    half.rename(made.manifest)
    return made


def _get(path: str) -> Answer:
    return ask(http.client.HTTPConnection("127.0.0.1", 10255, timeout=5), "GET", path)


def _processes() -> Iterator[int]:
    return (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())


def _read(pid: int, name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    return ""


def _namespace(pid: int) -> Any:
    with suppress(OSError):
        return Path(f"/proc/{pid}/ns/pid").readlink()
    return None
