"""occupied.py COMMAND…: take the default port 9911 of a private network, then become COMMAND.

``occupied.py -- COMMAND…`` only brings the loopback interface up and leaves the port free.
"""

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # netdevice(7)


def loopback_up() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


command = sys.argv[1:]
loopback_up()
if command[0] == "--":
    command.pop(0)
else:
    taken = socket.create_server(("::", 9911), family=socket.AF_INET6, dualstack_ipv6=True)
    os.set_inheritable(taken.fileno(), True)
os.execvp(command[0], command)  # noqa: S606  to become it is the point
