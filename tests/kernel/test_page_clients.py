"""A hundred open pages: each asks what the page asks; nobody gets an error, and probes go on."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

from web.limits import STREAMS

from .harness import Scene, program, scene

PAGES = 100
ASKED = ("status", "tree", "zombies", "lineage", "events?limit=100")
ROUNDS = 3


def page(made: Scene) -> list[int]:
    """What one page asks in a few seconds, as fast as it is answered."""
    return [made.ask("GET", f"/api/v1/{path}", timeout=60).status for _ in range(ROUNDS) for path in ASKED]


def stream(made: Scene) -> tuple[socket.socket, int]:
    """One live feed; its socket, still open, and the status."""
    feed = socket.socket(socket.AF_UNIX)
    feed.settimeout(60)
    feed.connect(str(made.socket))
    feed.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    head = feed.recv(4096)
    return feed, int(head.split(b" ")[1])


def test_a_hundred_pages_get_all_their_answers_and_probes_theirs() -> None:
    with scene(*program("crowd.py", 100, 0)) as made:
        made.ready()
        feeds = [stream(made) for _ in range(PAGES)]
        try:
            with ThreadPoolExecutor(PAGES) as pool:
                pages = [pool.submit(page, made) for _ in range(PAGES)]
                probes = [made.ask("GET", "/livez") for _ in range(20)]
                answers = [status for future in pages for status in future.result()]
        finally:
            for feed, _ in feeds:
                feed.close()
        assert {probe.text for probe in probes} == {"ok"}
        assert answers == [200] * (PAGES * ROUNDS * len(ASKED))
        opened = [status for _, status in feeds]
        assert (opened.count(200), opened.count(503)) == (STREAMS, PAGES - STREAMS)
        assert made.metric("initd_web_restarts_total") == 0
