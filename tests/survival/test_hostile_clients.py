"""Hostile clients: too many, too slow, too greedy; kubelet comes all the while, each time anew.

Each siege is by fifty addresses; kubelet's is another. Limits and what a client sees of them: docs/limits.md.
"""

from __future__ import annotations

import http.client
import signal
import socket
import time
from contextlib import closing

import pytest

from tests.kernel.client import DEADLINE, wait_for

from .besieging import Fortress, fortress, milliseconds
from .soak import soak

PROBES = soak(200, least=100)
GROWTH = 24  # MB that web may keep of a siege: what the allocator does not give back


def unharmed(fort: Fortress, descriptors: int, memory: float) -> None:
    """The same web, which has let go of everything and said nothing of it."""
    fort.peace(descriptors)
    status = fort.made.status()
    assert (status["web"]["restarts"], status["main"]["restarts"], fort.made.web) == (0, 0, fort.web)
    assert fort.memory < memory + GROWTH
    assert len(fort.made.err().splitlines()) < 6, fort.made.err()


def withstand(
    figures: dict[str, object], how: str, count: int, pace: float, *options: str, unix: bool = False
) -> None:
    """One siege, and what kubelet saw of it."""
    with fortress(*options) as fort:
        fort.probes(10)
        descriptors, memory = fort.descriptors, fort.memory
        with fort.besieged(how, count, pace, unix) as outcome:
            took = fort.probes(PROBES)
        unharmed(fort, descriptors, memory)
        figures[f"livez beside {outcome['opened']:,}"] = milliseconds(took)
        figures["memory kept"] = f"{max(0.0, fort.memory - memory):.1f} MB"


# --- too many -------------------------------------------------------------------------------------


@pytest.mark.survives("10,000 idle connections, and each that is cut off comes again", "kubelet's probes")
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix socket"])
def test_idle_connections_make_room(figures: dict[str, object], unix: bool) -> None:
    withstand(figures, "idle", soak(10_000, least=600), 1_500, unix=unix)


@pytest.mark.survives("connections that are opened and reset at once", "kubelet's probes")
def test_connections_that_are_reset_at_once(figures: dict[str, object]) -> None:
    withstand(figures, "reset", soak(10_000, least=500), 1_500)


@pytest.mark.survives("hundreds of connections beyond the limit", "the idle connections of other addresses")
def test_nobody_loses_his_connection_to_the_siege_of_another() -> None:
    with fortress() as fort, closing(http.client.HTTPConnection("127.0.0.1", fort.port)) as prometheus:
        prometheus.request("GET", "/metrics")
        prometheus.getresponse().read()
        mine = prometheus.sock
        with fort.besieged("idle", 1_000, 1_500) as outcome:
            fort.probes(5)
            prometheus.request("GET", "/metrics")
            assert prometheus.getresponse().status == 200
            assert prometheus.sock is mine
        assert outcome["cut"] > 100


# --- too slow -------------------------------------------------------------------------------------


@pytest.mark.survives("slowloris: thousands who drip a request, byte by byte", "kubelet's probes")
@pytest.mark.parametrize("how", ["head", "body"])
def test_requests_that_drip(figures: dict[str, object], how: str) -> None:
    withstand(figures, how, soak(5_000, least=500), 1_000)


@pytest.mark.survives("1,000 long polls at once", "kubelet's probes; who finds no place is told when to come")
def test_more_long_polls_than_there_are_places(figures: dict[str, object]) -> None:
    with fortress("--anonymous", "read") as fort:
        descriptors, memory = fort.descriptors, fort.memory
        with fort.besieged("poll", soak(1_000, least=200), 500) as outcome:
            took = fort.probes(PROBES)
            refused = fort.made.tcp("GET", "/api/v1/events?kind=shutdown&wait=1")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            assert fort.made.metric("initd_event_streams") > 10
        unharmed(fort, descriptors, memory)
        assert outcome["503"] > 50
        figures["livez"] = milliseconds(took)


@pytest.mark.survives("event streams whose readers never read", "everyone else; they are cut off and counted")
def test_readers_that_never_read(figures: dict[str, object]) -> None:
    with fortress() as fort:
        for _ in range(1_500):  # a history that no socket keeps for its reader
            fort.made.post("/api/v1/main/signal", {"signal": "CONT"})
        descriptors, memory = fort.descriptors, fort.memory
        with fort.besieged("deaf", 30, 1_000, unix=True):
            took = fort.probes(PROBES)
            cut = wait_for(lambda: fort.made.metric("initd_event_streams_cut_total"), "one to be cut off")
            took += fort.probes(PROBES)
        unharmed(fort, descriptors, memory)
        figures["cut off at first"], figures["livez"] = int(cut), milliseconds(took)


# --- too greedy -----------------------------------------------------------------------------------


@pytest.mark.survives("bodies without end, in one piece or in chunks of one byte", "kubelet's probes")
@pytest.mark.parametrize("how", ["endless", "chunks"])
@pytest.mark.parametrize("count", [1, soak(300, least=30)], ids=["one", "many"])
def test_bodies_without_end(figures: dict[str, object], how: str, count: int) -> None:
    withstand(figures, how, count, 500)


@pytest.mark.survives("heads without end", "kubelet's probes")
def test_heads_without_end(figures: dict[str, object]) -> None:
    withstand(figures, "headers", soak(300, least=30), 500)


@pytest.mark.survives("thousands of requests at once, whose answers nobody reads", "kubelet's probes")
def test_deep_pipelines(figures: dict[str, object]) -> None:
    withstand(figures, "pipeline", soak(300, least=50), 500)


@pytest.mark.survives("hundreds who ask as fast as they can", "kubelet's probes, and a scrape in between")
@pytest.mark.parametrize("how", ["hammer", "scrape"])
def test_floods_of_requests(figures: dict[str, object], how: str) -> None:
    with fortress() as fort:
        descriptors, memory = fort.descriptors, fort.memory
        with fort.besieged(how, soak(300, least=50), 500) as outcome:
            took = fort.probes(PROBES)
            begun = time.monotonic()
            assert fort.made.tcp("GET", "/metrics").status == 200
            figures["a scrape"] = f"{(time.monotonic() - begun) * 1000:.0f} ms"
        unharmed(fort, descriptors, memory)
        assert outcome["200"] > 100
        figures["livez"] = milliseconds(took)


# --- what is kept besides -------------------------------------------------------------------------


def test_under_siege_the_init_goes_on_and_the_unix_socket_too() -> None:
    with fortress() as fort, fort.besieged("chunks", 50, 500):
        fort.made.post("/api/v1/main/signal", {"signal": "USR1"})
        fort.made.wait_event("signal.sent")
        fort.made.send(signal.SIGUSR2)
        fort.made.wait_event("signal.forwarded")


def test_a_client_that_has_said_all_is_answered() -> None:
    """``printf 'GET /livez HTTP/1.0\\r\\n\\r\\n' | nc -N 127.0.0.1 9911``"""
    with fortress() as fort, socket.create_connection(("127.0.0.1", fort.port), DEADLINE) as sock:
        sock.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sock.recv(4_096), b""))
        assert answer.endswith(b"\r\n\r\nok")
