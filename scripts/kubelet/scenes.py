"""What a pod goes through, asserted on kubelet's own word and on initd's.

Law of this file: the story, a line for each thing that was seen.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from scripts.kubelet.pods import PATIENCE, Pod, secret, start
from tests.deploy.files import Json
from tests.kernel.client import wait_for

SERVES = ["/busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"]
DRAIN = {"preStop": {"exec": {"command": ["/opt/initd/bin/initctl", "drain"]}}}
# By name: the overlay, and what its app's container has otherwise.
PODS: dict[str, tuple[str, Json]] = {
    "base": ("base", {}),
    "inject": ("inject", {"args": SERVES}),
    "prestop": ("inject", {"args": SERVES, "lifecycle": DRAIN}),
}


def say(pod: Pod, what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {pod.name:8} {what}", flush=True)


def equal(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


def starts(pod: Pod) -> None:
    pod.ready()
    container = pod.container()
    equal("started", container["started"], True)
    equal("restarts by kubelet", container["restartCount"], 0)
    for kind in ("Startup", "Readiness"):
        wait_for(lambda kind=kind: pod.probed(kind, "successful"), f"a {kind} probe", PATIENCE)  # type: ignore[misc]
    say(
        pod,
        f"started and ready: {pod.status()['main']['argv'][0]} under pid {pod.status()['init']['pid']}",
    )


def web_stops(pod: Pod) -> None:
    """kubelet never gets to its third failure."""
    begin = time.monotonic()
    os.kill(pod.process(pod.status()["web"]["pid"]), signal.SIGSTOP)
    wait_for(lambda: answers(lambda: pod.status()["web"]["restarts"] == 1), "another web", PATIENCE)
    say(pod, f"web stood still, and was replaced after {time.monotonic() - begin:.1f} s")
    before = pod.probed("Liveness", "successful")
    wait_for(lambda: pod.probed("Liveness", "successful") > before, "a liveness probe", PATIENCE)
    pod.ready()
    equal("restarts by kubelet", pod.container()["restartCount"], 0)
    say(
        pod,
        f"live all the time for kubelet: {pod.probed('Liveness', 'failed'):.0f} probes failed, no restart",
    )


def main_hangs(pod: Pod) -> None:
    begin = time.monotonic()
    os.kill(pod.process(pod.status()["main"]["pid"]), signal.SIGSTOP)
    pod.ready(False)
    say(pod, f"main hung, and kubelet saw it not ready after {time.monotonic() - begin:.1f} s")
    pod.ready()
    equal("restarts of main", pod.status()["main"]["restarts"], 1)
    equal("restarts by kubelet", pod.container()["restartCount"], 0)
    say(
        pod,
        f"main restarted by its health check after {time.monotonic() - begin:.1f} s, the container was not",
    )


def main_ends(pod: Pod) -> None:
    """Main's end is the container's, and kubelet's to repair."""
    os.kill(pod.process(pod.status()["main"]["pid"]), signal.SIGKILL)
    wait_for(lambda: pod.container()["restartCount"] == 1, "kubelet to restart the container", PATIENCE)
    ended = pod.container()["lastState"]["terminated"]["exitCode"]
    equal("its exit code", ended, 128 + signal.SIGKILL)
    pod.ready()
    say(pod, f"main was killed, the container ended with {ended}, kubelet started it anew, and it is ready")


def is_deleted(pod: Pod, by_hook: bool) -> None:
    """TERM is held back while main goes on to serve; then main ends, and everything with it."""
    address, init = pod.address, pod.process(1)
    pod.manifest.unlink()
    begin = time.monotonic()
    wait_for(lambda: pod.ask("/readyz", address=address).status == 503, "the drain to begin", PATIENCE)
    drained = time.monotonic()
    equal("main's answer", pod.ask("/", port=8080, address=address).status, 200)
    answer = pod.ask("/api/v1/events?kind=drain", address=address).json()["events"]
    equal("drains by somebody's order", [bool(event["by"]) for event in answer], [by_hook])
    say(
        pod,
        f"deleted: {'by preStop ' if by_hook else ''}503 after {drained - begin:.1f} s, main serves on",
    )
    wait_for(lambda: not os.path.exists(f"/proc/{init}"), "its end", PATIENCE)
    took = time.monotonic() - drained
    equal(f"an end soon after 5 s, in {took:.1f} s", 4.5 < took < 15, True)
    wait_for(lambda: pod.find() is None, "kubelet to forget it", PATIENCE)
    say(pod, f"drained for 5 s and ended after {took:.1f} s, long before the grace period of 30 s")


def comes_back(pod: Pod) -> None:
    """Its manifest is the same, so kubelet takes it for the same pod, which has ended once."""
    pod.ready()
    equal("main", pod.status()["main"]["state"], "running")
    say(pod, "its manifest was put back, and it is ready again")


def play(home: Path) -> None:
    """All of it: the pods side by side, one thing after the other."""
    secret(home)
    pods = {name: start(home, name, *about) for name, about in PODS.items()}
    for act in (starts, web_stops, main_hangs):
        for name in ("base", "inject"):
            act(pods[name])
    main_ends(pods["inject"])
    starts(pods["prestop"])
    for pod in pods.values():
        is_deleted(pod, by_hook=pod.name == "prestop")
    comes_back(start(home, "base", *PODS["base"]))


def answers(ask: Callable[[], bool]) -> bool:
    """What it answers; False while nobody does."""
    try:
        return ask()
    except OSError:
        return False
