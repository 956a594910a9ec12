"""Speaks sd_notify by itself: feed-until-told, silent, stopping, daemon, send or orphan NAME WORD…"""

import os
import signal
import socket
import sys
import time


def send(name: str, *words: str) -> None:
    """One datagram to an abstract or ordinary socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect("\0" + name[1:] if name.startswith("@") else name)
        sock.send("\n".join(words).encode())


def from_child(*_: object) -> None:
    """A child says it, and stays until it was surely heard."""
    if os.fork() == 0:
        send(os.environ["NOTIFY_SOCKET"], "READY=1", "STATUS=from a child")
        time.sleep(5)
        os._exit(0)


def daemon() -> None:
    """The classic way: main forks a daemon, names it, and leaves. At USR1 the daemon exits with 6."""
    if os.fork():
        time.sleep(0.3)
        print("left ", flush=True)
        return
    os.setsid()
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(6))
    print("daemon", os.getpid(), flush=True)
    send(os.environ["NOTIFY_SOCKET"], f"MAINPID={os.getpid()}", "READY=1")
    while True:
        time.sleep(1)


def orphan(name: str, *words: str) -> None:
    """Who forks twice is adopted. It tells its pid, and speaks when its standard input ends."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    print(os.getpid(), flush=True)
    sys.stdin.read()
    send(name, *words)
    print("said", flush=True)
    time.sleep(60)  # the sender has to be there when its credentials are looked at


def main() -> None:
    how, *rest = sys.argv[1:]
    if how == "orphan":
        orphan(*rest)
        return
    if how == "daemon":
        daemon()
        return
    if how == "send":
        send(*rest)
        time.sleep(0.3)  # the sender has to be there when its credentials are looked at
        return
    name = os.environ["NOTIFY_SOCKET"]
    told: list[int] = []
    answer = {
        "feed-until-told": lambda *_: told.append(1),
        "stopping": lambda *_: send(name, "STOPPING=1"),
        "silent": from_child,
    }[how]
    signal.signal(signal.SIGUSR1, answer)
    if how != "silent":
        send(name, "READY=1")
    print("socket", name, flush=True)
    print("ready", flush=True)
    while True:
        if how == "feed-until-told" and not told:
            send(name, "WATCHDOG=1")
        time.sleep(0.2)


main()
