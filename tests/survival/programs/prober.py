"""A client that retries nothing: one connection for each request, until its standard input is closed.

``prober.py PORT [CA]``. It says what it saw as one line of JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import ssl
import sys
import time

PATIENCE = 20.0  # a request that waits in the backlog is late, and not lost


def probe(port: int, trusted: ssl.SSLContext | None) -> None:
    """Raises whatever goes wrong."""
    connection = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        if trusted is None
        else http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=trusted)
    )
    with contextlib.closing(connection):
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        if (answer.status, answer.read()) != (200, b"ok"):
            raise ValueError(answer.status)


def main(port: str, ca: str | None = None) -> None:
    trusted = None if ca is None else ssl.create_default_context(cafile=ca)
    asked, failed, slowest = 0, [], 0.0
    print("ready", flush=True)
    while not select.select([0], [], [], 0)[0]:
        begun = time.monotonic()
        try:
            probe(int(port), trusted)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            failed.append(repr(error))
        asked += 1
        slowest = max(slowest, time.monotonic() - begun)
    print(json.dumps({"asked": asked, "failed": failed, "slowest": slowest}))


main(*sys.argv[1:])
