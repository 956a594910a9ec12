"""How many clients may be here at once, and how much they may send. Data only; others keep to it."""

from __future__ import annotations

import os

_SOFT = os.sysconf("SC_OPEN_MAX")  # RLIMIT_NOFILE, or what the C library says where a filter refuses that
# With WATCHED and KEPT at most seven eighths of the descriptors, so that there are always some for the
# letterbox, the listeners and reading /proc: of the usual 1,024 it is 384.
CONNECTIONS = min(512, _SOFT * 3 // 8)
# asyncio accepts this many in one turn of its loop, and is three turns ahead of our counting. Were they more
# than the descriptors that are left, it would stop accepting for a second, which is all that a probe has.
AT_ONCE = max(1, min(64, _SOFT // 16))
BACKLOG = 1_024  # connections that the kernel keeps meanwhile
# Those who wait may never take the last connection: a probe must find one. Each costs a few kilobytes.
STREAMS = min(64, CONNECTIONS // 2)
WATCHED = min(512, _SOFT // 4)  # processes whose end we are told of; a descriptor each
KEPT = max(0, min(512, _SOFT // 4 - 64))  # stat files open between two looks; of few descriptors none
UNREAD = 65_536  # bytes of answer that wait for a reader; asyncio's 512 KiB over TLS would be 200 MB for all
HEADERS, HEADER_BYTES = 100, 16_384  # of one request; h11 takes 4 ms to read as many as go into 16 KiB
AT_A_TIME = 1_024  # bytes that are read of a connection in one turn: in chunks of one byte they take 1 ms
