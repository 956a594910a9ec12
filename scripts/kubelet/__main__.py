"""``python -m scripts.kubelet``: build what is missing, make a node, play the scenes, leave nothing.

Law of this file: the story. Inside the namespaces it is called once more, with the node's directory.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.kubelet import build, images, node, scenes


def main() -> int:
    """The exit code: 0 when everything was seen."""
    if len(sys.argv) > 1:
        return inside(Path(sys.argv[1]))
    if os.geteuid() != 0:
        sys.exit("cannot run a kubelet: that takes root; say sudo make kubelet")
    if (node.CGROUPS / "cgroup.controllers").exists():
        sys.exit("cannot run a kubelet of 1.20: it needs control groups of version 1; boot with those")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left then either
    build.packages()
    kubelet = build.kubelet()
    home = Path(tempfile.mkdtemp(prefix="initd-kubelet-"))
    try:
        print("making the images", flush=True)
        about = {"kubelet": str(kubelet), "archives": [str(path) for path in images.archives(home)]}
        (home / "about.json").write_text(json.dumps(about))
        with node.groups(home):
            words = [*node.NAMESPACES, sys.executable, "-m", "scripts.kubelet", str(home)]
            return subprocess.run(words, check=False).returncode
    finally:
        shutil.rmtree(home)


def inside(home: Path) -> int:
    """In namespaces of our own; when we end, all that is in them does."""
    about = json.loads((home / "about.json").read_text())
    archives = [Path(path) for path in about["archives"]]
    with node.node(home, Path(about["kubelet"]), archives):
        try:
            scenes.play(home)
        except BaseException:
            for log in ("kubelet.log", "containerd.log"):
                print(f"--- {log}\n{(home / log).read_text(errors='replace')[-4000:]}", file=sys.stderr)
            raise
    print("everything was seen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
