"""lingerer.py NAME HOW: gives away the last of many TCP sockets whose close waits for a minute.

HOW: plain, or hidden in the queue of another socket. Who sends them does not close them, but ends: an exit
waits for nothing.
"""

import array
import os
import socket
import struct
import sys

_MINUTE = struct.pack("ii", 1, 60)
_MANY = 100

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
listener.bind(("127.0.0.1", 0))
listener.listen(_MANY)


def lingering() -> socket.socket:
    """Connected, with more to send than the other end ever takes."""
    made = socket.create_connection(listener.getsockname())
    made.setblocking(False)
    try:
        while True:
            made.send(b"x" * 65_536)
    except BlockingIOError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _MINUTE)
        return made


def hidden() -> socket.socket:
    """A socket with such a one in its queue."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    give(ours, b"x", [lingering()])
    ours.detach()
    return theirs


def give(to: socket.socket, text: bytes, given: list[socket.socket]) -> None:
    """Send them, and do not close them."""
    numbers = array.array("i", [each.detach() for each in given])
    to.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])


name, how = sys.argv[1:]
make = {"plain": lingering, "hidden": hidden}[how]
sender = os.fork()
if sender == 0:
    speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    speaker.connect("\0" + name[1:])
    give(speaker, b"STATUS=from a lingerer", [make() for _ in range(_MANY)])
    os._exit(0)
os.waitpid(sender, 0)
print("given", flush=True)
sys.stdin.read()
