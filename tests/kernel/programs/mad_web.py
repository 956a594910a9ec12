"""Stands in for web/__main__.py: writes anything into its letterbox, without end, and reads nothing.

After some thousand datagrams it says so on standard error.
"""

import os
import socket

GARBAGE = (  # no empty datagram: that cannot be told from a closed letterbox
    b"{",
    b"[]",
    b"null",
    b"\xff" * 999,
    b"[" * 60_000,
    b'{"t":1}',
    b'{"t":"ask"}',
    b'{"t":"attach","v":"?"}',
    b'{"t":"ask","n":1,"what":"signal","pid":"x"}',
    b'{"t":"ask","n":2,"what":"signal","pid":1e999,"starttime":{},"signal":[],"by":7}',
    b'{"t":"ask","n":{},"what":[]}',
    b'{"t":"ask","n":3,"what":"history","after":-1}',
    b'{"t":"ask","n":4,"what":"operation","id":null}',
)
box = socket.socket(fileno=3)
box.setblocking(True)
rounds = 0
while True:
    for word in GARBAGE:
        box.send(word)
    rounds += 1
    if rounds == 300:
        os.write(2, b"mad enough\n")
