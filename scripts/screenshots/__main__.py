"""``python -m scripts.screenshots``: a leaking web shop under a real initd, and what its page looks like.

Law of this file: it needs root (namespaces, control groups), Debian's nginx and Chromium, and two minutes;
whatever it starts and makes, it ends and removes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
PORT, SHOP = 19240, 19241
URL = f"http://127.0.0.1:{PORT}"
TOKEN = "screenshot-screenshot"  # noqa: S105  of an init that lives for two minutes on loopback
LIMITS = {"pids": {"pids.max": "160"}, "memory": {"memory.limit_in_bytes": str(1 << 30)}}
SIZE: Any = {"width": 1400, "height": 900}
SETTLE = 75  # s: until a minute of adoptions and growth can be told
TELLING = 12_000  # ms: the page tells adoptions a minute after ten seconds
DEADLINE = 30.0
UNSHARE = ("unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SCENE = """
mount -t tmpfs shop /srv
cp {shop} /srv/shop.py
exec {initd} --listen 127.0.0.1:{port} --socket /srv/initd.sock --restart always --notify \
    --ready-http http://127.0.0.1:{served}/ -- /usr/bin/python3 /srv/shop.py main {served}
"""


@contextmanager
def group(controller: str, settings: dict[str, str]) -> Iterator[str]:
    """A control group (v1); gives the shell's line that enters it and mounts it as a container sees it."""
    base = Path("/sys/fs/cgroup") / controller
    path = base / "initd-screenshots"
    path.mkdir()
    for name, value in settings.items():
        (path / name).write_text(value)
    try:
        yield f"echo 0 > {path}/cgroup.procs; mount --bind {path} {base}"
    finally:
        until(lambda: not (path / "cgroup.procs").read_text(), f"{path} to be empty")
        path.rmdir()


@contextmanager
def shop() -> Iterator[int]:
    """The scene; the pid of its init as seen from here."""
    with ExitStack() as stack:
        groups = [stack.enter_context(group(*limit)) for limit in LIMITS.items()]
        initd = Path(sys.executable).with_name("initd")
        lines = SCENE.format(shop=Path(__file__).with_name("shop.py"), initd=initd, port=PORT, served=SHOP)
        script = "\n".join(["set -e", *groups, lines])
        process = subprocess.Popen([*UNSHARE, "sh", "-c", script], env={**os.environ, "INITD_TOKEN": TOKEN})
        stack.callback(process.wait, DEADLINE)
        stack.callback(process.kill)
        until(lambda: children(process.pid), "the init to start")
        yield children(process.pid)[0]


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(condition: Any, what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"cannot go on: waited {DEADLINE:g} s in vain for {what}")
        time.sleep(0.1)


def ask(path: str, body: object = None) -> Any:
    """One question to the API."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers)) as answer:  # noqa: S310  ours
        return json.load(answer)


def ready() -> bool:
    try:
        return bool(ask("/api/v1/status")["ready"])
    except OSError:
        return False


def named(name: str) -> str:
    found: str = ask(f"/api/v1/processes?name={name}")["processes"][0]["id"]
    return found


def live(init: int) -> None:
    """A minute and a half in the life of the shop, with a shell that somebody opened in it."""
    until(ready, "the shop to be ready")
    entered = ["nsenter", "-t", str(init), "-p", "-m", "sh", "-c", "tail -f /dev/null; :"]
    with subprocess.Popen(entered):
        time.sleep(SETTLE)
        shoot()
        os.kill(init, signal.SIGKILL)


def act() -> None:
    """What an operator might do while looking at this."""
    ask(f"/api/v1/processes/{named('nginx')}/signal", {"signal": "HUP"})
    ask("/api/v1/main/signal", {"signal": "USR1"})
    ask(f"/api/v1/zombies/{named('shop-mailer')}/nudge", {})


def shoot() -> None:
    """Both pictures, from one page: what is on them is the same moment."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=shutil.which("chromium"),
            headless=True,
            args=FLAGS,
            viewport=SIZE,
            reduced_motion="reduce",
        )
        page = context.pages[0]
        page.goto(f"{URL}/#token={TOKEN}")
        page.wait_for_selector("#rows [role=row]")
        page.wait_for_timeout(TELLING)
        act()
        page.wait_for_timeout(1_500)
        page.wait_for_selector('[aria-level="5"]:has-text("shop-convert")')  # a job that has work right now
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=IMAGES / f"page-{scheme}.png")
        context.close()


def main() -> None:
    """Make the scene, live in it, and end it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with shop() as init:
        live(init)


if __name__ == "__main__":
    main()
