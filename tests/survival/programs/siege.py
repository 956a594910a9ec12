"""siege.py WHERE COUNT PACE HOW: keep COUNT connections to a port or socket, each behaving as HOW says.

They come from fifty addresses of 127.0.1.0/24, at most PACE new ones a second, and whatever is cut off is
opened again. Says ``ready`` when COUNT have been opened, and at the end of its input what came of them: JSON.
"""

import errno
import json
import os
import resource
import select
import socket
import struct
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"
LIVEZ = b"GET /livez" + HEAD + b"\r\n"
POST = b"POST /api/v1/drain" + HEAD
SCRAPE = b"GET /metrics" + HEAD + b"\r\n"
STREAM = b"GET /api/v1/events?after=0" + HEAD + b"Accept: text/event-stream\r\n\r\n"
SOURCES = 50
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7)


class How(NamedTuple):
    """What one connection does."""

    first: bytes = b""  # at once
    drip: bytes = b""  # twice a second
    flood: bytes = b""  # as fast as it is taken
    reads: bool = False  # and asks again when it was answered
    resets: bool = False  # as soon as it is connected


HOWS = {
    "idle": How(),
    "head": How(b"GET /livez" + HEAD + b"X: ", drip=b"x"),
    "body": How(POST + b"Content-Length: 60000\r\n\r\n", drip=b"x"),
    "endless": How(POST + b"Content-Length: 9999999999\r\n\r\n", flood=b"x" * 65_536),
    "chunks": How(POST + b"Transfer-Encoding: chunked\r\n\r\n", flood=b"1\r\nx\r\n" * 10_000),
    "headers": How(b"GET /livez" + HEAD, flood=b"a:1\r\n" * 10_000),
    "pipeline": How(LIVEZ * 2_000),
    "hammer": How(LIVEZ, reads=True),
    "scrape": How(SCRAPE, reads=True),
    "poll": How(b"GET /api/v1/events?kind=shutdown&wait=60" + HEAD + b"\r\n", reads=True),
    "deaf": How(STREAM),
    "reset": How(resets=True),
}


class Siege:
    """All connections by descriptor, and what each has still to send."""

    def __init__(self, where: str, count: int, pace: float, how: How) -> None:
        self.where, self.count, self.pace, self.how = where, count, pace, how
        self.poll = select.epoll()
        self.socks: dict[int, socket.socket] = {}
        self.unsent: dict[int, bytes] = {}
        self.heard: dict[int, bytes] = {}  # the beginning of an answer
        self.opened = self.cut = 0
        self.statuses: Counter[str] = Counter()

    def open(self) -> None:
        tcp = self.where.isdecimal()
        sock = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        sock.setblocking(False)
        if tcp:
            sock.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((f"127.0.1.{1 + self.opened % SOURCES}", 0))
        if self.how.resets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if not self.how.reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.opened += 1
        place = ("127.0.0.1", int(self.where)) if tcp else self.where
        if sock.connect_ex(place) not in (0, errno.EINPROGRESS):
            sock.close()  # the backlog of the unix socket is full
            return
        self.socks[sock.fileno()] = sock
        self.unsent[sock.fileno()] = self.how.first
        self.poll.register(sock, select.EPOLLOUT | select.EPOLLRDHUP)

    def drop(self, fd: int) -> None:
        self.socks.pop(fd).close()
        del self.unsent[fd]
        self.heard.pop(fd, None)

    def serve(self, fd: int, mask: int) -> None:
        """One connection that can be written to or read from, or has ended."""
        if mask & (select.EPOLLERR | select.EPOLLHUP | select.EPOLLRDHUP):
            self.cut += 1
            self.drop(fd)
        elif self.how.resets:
            self.drop(fd)
        elif mask & select.EPOLLIN:
            self.read(fd)
        else:
            self.write(fd)

    def read(self, fd: int) -> None:
        heard = self.heard.pop(fd, b"") + self.socks[fd].recv(65_536)
        head, _, body = heard.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length and len(body) >= int(length):
            self.statuses[head[9:12].decode()] += 1
            self.unsent[fd] = self.how.first
            self.poll.modify(fd, select.EPOLLOUT | select.EPOLLRDHUP)
        else:
            self.heard[fd] = heard

    def write(self, fd: int) -> None:
        left = self.unsent[fd] or self.how.flood
        left = left and left[self.socks[fd].send(left) :]
        self.unsent[fd] = left
        if not left and not self.how.flood:
            self.poll.modify(fd, select.EPOLLRDHUP | (select.EPOLLIN if self.how.reads else 0))

    def drip(self) -> None:
        for sock in self.socks.values():
            with suppress(OSError):  # full, or cut off, as is noticed elsewhere
                sock.send(self.how.drip)

    def last(self) -> None:
        """Until standard input ends."""
        self.poll.register(0, select.EPOLLIN | select.EPOLLHUP)
        begun = dripped = time.monotonic()
        ready = False
        while True:
            now = time.monotonic()
            room = min(self.count - len(self.socks), int((now - begun) * self.pace) - self.opened, 200)
            for _ in range(room):
                self.open()
            if not ready and self.opened >= self.count:
                ready = True
                print("ready", flush=True)
            if self.how.drip and now > dripped + 0.5:
                dripped = now
                self.drip()
            for fd, mask in self.poll.poll(0.01):
                if fd == 0:
                    return
                try:
                    self.serve(fd, mask)
                except OSError:
                    self.cut += 1
                    self.drop(fd)


def step_back() -> None:
    """A real besieger is elsewhere: he takes none of the processors that he besieges."""
    os.nice(19)
    with suppress(OSError), open("/proc/self/autogroup", "w") as group:  # sched(7)
        group.write("19")


most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
step_back()
siege = Siege(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), HOWS[sys.argv[4]])
siege.last()
print(json.dumps({"opened": siege.opened, "cut": siege.cut, "statuses": siege.statuses}))
