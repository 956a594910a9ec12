"""How many clients may be here at once, and how much they may send. Data only; others keep to it."""

from __future__ import annotations

import resource

_SOFT, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
# With WATCHED five eighths of the descriptors, so that there are always some for the letterbox, the listeners
# and reading /proc: of the usual 1,024 it is 384.
CONNECTIONS = min(512, _SOFT * 3 // 8)
# asyncio accepts this many in one turn of its loop, and is three turns ahead of our counting. Were they more
# than the descriptors that are left, it would stop accepting for a second, which is all that a probe has.
AT_ONCE = max(1, min(64, _SOFT // 16))
BACKLOG = 1_024  # connections that the kernel keeps meanwhile
# Those who wait may never take the last connection: a probe must find one. Each costs a few kilobytes.
STREAMS = min(64, CONNECTIONS // 2)
WATCHED = min(512, _SOFT // 4)  # processes whose end we are told of; a descriptor each
HEADERS, HEADER_BYTES = 100, 32_768  # of one request
