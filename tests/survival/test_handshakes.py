"""Clients that connect by TLS and never finish"""

from __future__ import annotations

import http.client
import os
import resource
import socket
import ssl
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.kernel.harness import program, scene

from .soak import soak

BEGUN = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50)  # of a handshake, and no more of it
KUBELET_WAITS = 1.0
SPARE = 200  # descriptors that we need for other things


@contextmanager
def descriptors(wanted: int) -> Iterator[int]:
    """So many for this process, or as many as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    try:
        yield most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def usual() -> None:
    """The number of descriptors that a container usually has."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, 1_024))


def unfinished(port: int, number: int) -> socket.socket:
    """One of two hundred addresses connects; every second one begins its handshake."""
    client = socket.socket()
    client.bind((f"127.0.0.{2 + number % 200}", 0))
    client.settimeout(KUBELET_WAITS)
    client.connect(("127.0.0.1", port))
    if number % 2:
        client.send(BEGUN)
    return client


def probe(port: int, trusted: ssl.SSLContext) -> float:
    """Seconds that a probe took: a connection of its own, as kubelet's is."""
    begun = time.monotonic()
    with closing(http.client.HTTPSConnection("127.0.0.1", port, context=trusted)) as connection:
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok"
    return time.monotonic() - begun


@pytest.mark.survives(
    "thousands of connections by TLS that never finish their handshake",
    "each probe is answered within kubelet's second; web keeps to its number of connections, and to its log",
)
def test_handshakes_that_are_never_finished_do_not_starve_a_probe(
    tmp_path: Path, figures: dict[str, object]
) -> None:
    authority = Authority(tmp_path / "authority")
    pair, trusted = authority.server(), authority.trusted()
    options = ["--tls-cert", pair.cert, "--tls-key", pair.key]
    with (
        scene(*program("catcher.py"), listen="127.0.0.1:0", options=options, entry=usual) as made,
        descriptors(soak(10_000, 600) + SPARE) as most,
        ExitStack() as held,
    ):
        made.ready()
        port, web, said = made.port, made.web, made.err()
        took = []
        for number in range(most - SPARE):
            held.enter_context(unfinished(port, number))
            if number % 20 == 0:
                took.append(probe(port, trusted))
        took += [probe(port, trusted) for _ in range(50)]
        assert len(os.listdir(f"/proc/{web}/fd")) < 512
        assert (made.web, made.err()) == (web, said)
    assert max(took) < KUBELET_WAITS
    hundredths = statistics.quantiles(took, n=100)
    figures["connections"] = most - SPARE
    figures["probes"] = f"p50 {hundredths[49] * 1000:.0f} ms, p99 {hundredths[98] * 1000:.0f} ms"
