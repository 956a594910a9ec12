# ruff: noqa: S311  nothing here is secret
"""A small web shop to look at: ``shop.py ROLE``. Every fault in it is one that real containers have.

Law of this file: standard library only, and nothing of ours: it is what people run under an init.
"""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
PORT = sys.argv[2]
NGINX = f"""daemon off; worker_processes 2; pid {HERE}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {HERE}; proxy_temp_path {HERE}; fastcgi_temp_path {HERE};
uwsgi_temp_path {HERE}; scgi_temp_path {HERE};
server {{ listen 127.0.0.1:{PORT}; location / {{ return 200 "shop\\n"; }} }} }}"""


def main() -> None:
    """The supervisor: it starts the others, and says that it is ready. Its first try fails."""
    if not (HERE / "tried").exists():
        (HERE / "tried").touch()
        sys.exit("cannot reach the database")
    (HERE / "nginx.conf").write_text(NGINX)
    subprocess.Popen(["nginx", "-p", str(HERE), "-e", "stderr", "-c", str(HERE / "nginx.conf")])
    for role in ("api", "api", "api", "images", "repo-sync", "mailer", "pool"):
        start(role)
    signal.signal(signal.SIGUSR1, lambda *_: say("STATUS=serving, 3 API workers, 41 orders today"))
    say("READY=1\nSTATUS=serving, 3 API workers")
    while True:
        signal.pause()


def api() -> None:
    """A worker with threads, memory and some work."""
    for _ in range(random.randint(2, 5)):
        threading.Thread(target=signal.pause, daemon=True).start()
    kept = bytearray(random.randint(24, 64) << 20)
    kept[::4096] = b"x" * len(kept[::4096])
    while True:
        until = time.monotonic() + random.random() / 12
        while time.monotonic() < until:
            pass
        time.sleep(0.25)


def images() -> None:
    """Each job starts its converters in the background, and ends before they do."""
    number = 1_040
    while True:
        number += 1
        job = start("thumbnail", f"--order={number}")
        job.wait()
        time.sleep(random.uniform(3.0, 5.0))


def thumbnail() -> None:
    """One of those jobs: what it leaves behind is init's."""
    for size in (200, 800):
        start("convert", f"--width={size}")
    time.sleep(1.6)


def convert() -> None:
    """Works a while; nobody waits for it."""
    time.sleep(random.uniform(6, 40))


def repo_sync() -> None:
    """Runs git, time and again, and never looks how it went."""
    kept = []
    while True:
        kept.append(subprocess.Popen(["git", "--version"], stdout=subprocess.DEVNULL))
        time.sleep(0.05 if len(kept) < 31 else random.uniform(4, 6))


def mailer() -> None:
    """Stopped by somebody with a debugger, with its children still to be waited for."""
    (HERE / "sendmail").symlink_to("/bin/true")
    kept = [subprocess.Popen([str(HERE / "sendmail")]) for _ in range(6)]
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGSTOP)
    del kept


def pool() -> None:
    """Many that wait for work."""
    for _ in range(24):
        subprocess.Popen(["sleep", "100000"])
    signal.pause()


def start(role: str, *more: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, str(HERE / "shop.py"), role, PORT, *more])


def say(text: str) -> None:
    """sd_notify(3)."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address[0] == "@" else address)
            notify.send(text.encode())


if __name__ == "__main__":
    name = sys.argv[1]
    ctypes.CDLL(None).prctl(15, f"shop-{name}".removesuffix("-main").encode(), 0, 0, 0)  # PR_SET_NAME
    globals()[name.replace("-", "_")]()
