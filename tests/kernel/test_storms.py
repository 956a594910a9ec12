"""While a storm of orphans goes on: signals go out, probes are answered, and nothing is told twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from .client import UnixConnection, wait_for
from .harness import PROGRAMS, Scene, scene


@pytest.fixture(scope="module")
def tempest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A storm in C: one in Python leaves an init in Python too much time."""
    binary = str(tmp_path_factory.mktemp("tempest") / "tempest")
    subprocess.run(["cc", "-O1", "-o", binary, str(PROGRAMS / "tempest.c")], check=True)
    return binary


def test_a_storm_that_does_not_end_holds_up_neither_probes_nor_a_stop(tempest: str) -> None:
    with scene(tempest, "0") as made:
        made.ready()
        end = time.monotonic() + 2.0
        answers = []
        while time.monotonic() < end:
            answers.append(made.ask("GET", "/livez").status)
        assert answers.count(200) > 0.9 * len(answers)
        assert made.stop(signal.SIGTERM) == 143


def ask_for_events(made: Scene, after: int) -> UnixConnection:
    """A stream asked for, and not answered yet."""
    connection = UnixConnection(made.socket, 20)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    connection.request("GET", "/api/v1/events", headers=headers)
    return connection


def numbers(connection: UnixConnection) -> Iterator[int]:
    """The numbers of a stream's events."""
    for line in connection.getresponse():
        if line.startswith(b"id: "):
            yield int(line[4:])


@pytest.mark.parametrize("after", ["all", "some"])
def test_a_stream_that_resumes_at_a_new_web_goes_on_where_it_was(after: str, tempest: str) -> None:
    with scene(tempest, "5000", options=["--history", "20000"]) as made:
        made.wait_out("over")
        wait_for(lambda: made.status()["adopted"]["total"] >= 10_000, "a history of many datagrams")
        newest = made.status()["seq"]
        last = newest if after == "all" else newest - 300
        os.kill(made.web, signal.SIGKILL)
        connection = ask_for_events(made, last)  # waits in the backlog for the new web
        made.post("/api/v1/main/signal", {"signal": "WINCH"})
        with contextlib.closing(connection):
            stream = numbers(connection)
            assert [next(stream) for _ in range(3)] == [last + 1, last + 2, last + 3]
        page = json.loads(made.ask("GET", f"/api/v1/events?after={last}").text)
        assert page["events"][0]["seq"] == last + 1
        assert page["next"] >= newest
