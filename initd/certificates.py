"""Are the certificates any good? Asked before main starts, where TLS was asked for.

Law of this file: PID 1 reads no key and loads no TLS library; whoever is to serve with them is asked.
"""

from __future__ import annotations

import posix as os
import select

from initd import plans, spawning
from initd.cli import Config, Refusal

_PATIENCE_MS = 10_000
_KILL = 9
_LONG = 4_096  # bytes of what it says


def check(config: Config) -> None:
    """Raises Refusal with the line that web's own look at them says."""
    reader, writer = os.pipe()
    try:
        pid = spawning.spawn(plans.tls_plan(config, writer))
    except spawning.SpawnError as error:
        os.close(reader)
        raise Refusal(f"cannot check --tls-cert {config.tls_cert}: {error}; make room for it") from None
    finally:
        os.close(writer)
    said = _listen(reader)
    os.close(reader)
    if said is None:
        os.kill(pid, _KILL)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        line = (said or b"").decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise Refusal(line or f"cannot use --tls-cert {config.tls_cert}: looking at it failed; try another")


def _listen(reader: int) -> bytes | None:
    """All that is said until the end; None when that does not come in time."""
    waiter, said = select.poll(), b""
    waiter.register(reader, select.POLLIN | select.POLLHUP)
    while waiter.poll(_PATIENCE_MS):
        part = os.read(reader, _LONG)
        if not part:
            return said
        said = (said + part)[-_LONG:]
    return None
