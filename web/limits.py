"""How many clients may be here at once. Data only; server.py and stream.py keep to it."""

from __future__ import annotations

import resource

# Half of the descriptors are for connections, so that there are always some for the letterbox, the
# listeners and reading /proc; 512 is half of the usual 1,024.
_SOFT, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
CONNECTIONS = min(512, _SOFT // 2)
# asyncio accepts this many in one turn, before the first of them can be counted; were they more than the
# descriptors that are left, it would stop accepting for a second, which is all that a probe has.
AT_ONCE = min(128, _SOFT // 8)
BACKLOG = 1_024  # connections that the kernel keeps meanwhile
# Those who wait may never take the last connection: a probe must find one. Each costs a few kilobytes.
STREAMS = min(64, CONNECTIONS // 2)
