"""A node of one kubelet and one containerd, which leaves nothing behind: its mounts, processes and network
are in namespaces of their own, its files below one directory, its control groups below one group.

Law of this file: what a node is made of. It knows nothing of initd.
"""

from __future__ import annotations

import fcntl
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.kubelet.images import PAUSE
from tests.kernel.client import wait_for

NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
CGROUPS = Path("/sys/fs/cgroup")
# What kubelet would set for the whole machine: it finds its own values there, in files that only it sees.
SYSCTLS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
CONTAINERD = """
version = 2
root = "{home}/containerd"
state = "{home}/containerd-state"
[grpc]
address = "{home}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{home}/cni"
"""
KUBELET = """
--container-runtime=remote --container-runtime-endpoint=unix://{home}/containerd.sock
--pod-manifest-path={home}/manifests --root-dir={home}/kubelet --cert-dir={home}/cert
--cgroup-driver=cgroupfs --cgroup-root=/{group} --enforce-node-allocatable= --oom-score-adj=0
--hostname-override=node --address=127.0.0.1 --read-only-port=10255 --file-check-frequency=1s
--fail-swap-on=false --eviction-hard= --make-iptables-util-chains=false
"""


def group(home: Path) -> str:
    """The name of the control group that is the root of all others of this node."""
    return home.name


@contextmanager
def groups(home: Path) -> Iterator[None]:
    """That group, in every hierarchy of version 1, removed in the end with all below it."""
    hierarchies = [each for each in CGROUPS.iterdir() if (each / "cgroup.procs").exists()]
    roots = [each / group(home) for each in hierarchies if each.name != "unified" and not each.is_symlink()]
    for root in roots:
        root.mkdir()
    try:
        yield
    finally:
        for root in roots:
            wait_for(lambda root=root: _removed(root), f"{root} to be empty")  # type: ignore[misc]


def _removed(root: Path) -> bool:
    """Remove it and all below, deepest first; False while something in it still ends."""
    try:
        for below in [*sorted(root.rglob("*/"), reverse=True), root]:
            below.rmdir()
    except OSError:
        return False
    return True


@contextmanager
def node(home: Path, kubelet: Path, archives: list[Path]) -> Iterator[None]:
    """From inside NAMESPACES: both run, and the images are there."""
    _prepare(home)
    with ExitStack() as ends:
        ends.enter_context(_runs(home, "containerd", "-c", str(home / "containerd.toml")))
        ctr = ["ctr", "--address", str(home / "containerd.sock"), "--connect-timeout", "30s", "-n", "k8s.io"]
        for archive in archives:
            subprocess.run([*ctr, "images", "import", archive], check=True, stdout=subprocess.DEVNULL)
        words = KUBELET.format(home=home, group=group(home)).split()
        ends.enter_context(_runs(home, str(kubelet), *words))
        yield


def _prepare(home: Path) -> None:
    subprocess.run(["umount", CGROUPS / "unified"], check=False, stderr=subprocess.DEVNULL)
    for number, (name, value) in enumerate(SYSCTLS.items()):
        (home / f"sysctl-{number}").write_text(f"{value}\n")
        subprocess.run(["mount", "--bind", home / f"sysctl-{number}", f"/proc/sys/{name}"], check=True)
    for place in ("manifests", "cni"):
        (home / place).mkdir()
    (home / "containerd.toml").write_text(CONTAINERD.format(home=home, pause=PAUSE))
    ipam = {"type": "host-local", "subnet": "10.254.0.0/24", "dataDir": str(home / "addresses")}
    bridge = {"type": "bridge", "bridge": "pods0", "isGateway": True, "ipam": ipam}
    network = {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}
    (home / "cni/pods.conflist").write_text(json.dumps(network))
    with socket.socket() as any_socket:  # lo up, SIOCSIFFLAGS with IFF_UP
        fcntl.ioctl(any_socket, 0x8914, b"lo".ljust(16, bytes(1)) + b"\1".ljust(24, bytes(1)))


@contextmanager
def _runs(home: Path, program: str, *words: str) -> Iterator[None]:
    """Its output is kept; it is ended in the end, and all that it started with the namespace."""
    log = home / f"{Path(program).name}.log"
    with log.open("wb") as out, subprocess.Popen([program, *words], stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.terminate()
