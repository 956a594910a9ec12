"""Asked, listened to and stormed for long.

What is compared is anonymous memory (RssAnon), which is all that a leak can be made of: after a warm-up that
has filled the history and met every path, and at the end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel import kernel
from tests.kernel.cgroup import limited
from tests.kernel.client import DEADLINE, UnixConnection, wait_for
from tests.kernel.harness import Scene, scene
from web.limits import STREAMS

from .asking import GETS, stream
from .soak import soak

REQUESTS, CLIENTS, EVENTS = soak(100_000), soak(1_000, least=2 * STREAMS), soak(1_000_000)
WARM = max(4_000, EVENTS // 10)  # events of the warm-up; the history has 2,000
AHEAD = 400  # processes: more zombies than that at once would be memory for those, and no leak
# What malloc's fragments may come to: it was seen to level off at 4 MB after 2,000,000 events. In a whole
# soak it is what 40 bytes a request, 4 an event, or 4,000 a client would be.
SLACK = 4 << 10  # kB
LONG = 1_800.0  # seconds; a whole soak on a slow machine


@dataclass
class Weighed:
    """A scene, and what its init and its web weighed after the warm-up."""

    made: Scene
    before: dict[str, int]

    def assert_not_grown(self, figures: dict[str, object]) -> None:
        """It is weighed again and again, since a moment's garbage is no leak."""
        wait_for(self._has_not_grown, lambda: f"{weigh(self.made)} kB to be near {self.before} again")
        for who, now in weigh(self.made).items():
            figures[f"{who} grew by"] = f"{now - self.before[who]:+d} kB, of {now / 1024:.1f} MB"

    def _has_not_grown(self) -> bool:
        return all(now <= self.before[who] + SLACK for who, now in weigh(self.made).items())


def weigh(made: Scene) -> dict[str, int]:
    """RssAnon in kB; proc_pid_status(5)."""
    return {
        who: int(kernel.status(pid)["RssAnon"].split()[0])
        for who, pid in (("PID 1", made.init), ("web", made.web))
    }


@contextmanager
def warm(tmp_path: Path, orphans: int = 0) -> Iterator[Scene]:
    """An initd whose history is full; ``orphans`` more come once there is a file "go"."""
    source, binary = Path(__file__).with_name("programs") / "orphans.c", str(tmp_path / "orphans")
    subprocess.run(["cc", "-O1", "-o", binary, str(source)], check=True)
    with limited() as group:
        group.limit(AHEAD)
        main = (binary, str(WARM // 2), "warm", str(orphans), "go")
        with scene(*main, entry=group.enter, home=tmp_path) as made:
            web = made.web
            (tmp_path / "warm").touch()
            wait_for(lambda: made.status()["adopted"]["total"] >= WARM // 2, "the first orphans", LONG)
            happen(made, WARM)
            yield made
            assert made.web == web


def happen(made: Scene, events: int) -> None:
    """Real-time signals are queued, so that each of them is one event; main ignores them."""
    init = made.init
    for sent in range(events):
        os.kill(init, signal.SIGRTMIN)
        if sent % 1_000 == 999:
            wait_for(lambda: not int(kernel.status(init)["ShdPnd"], 16), "them to be taken", LONG)


def ask(made: Scene, requests: int) -> None:
    """Every path by turns, and what there is not; a new connection for each turn."""
    main = made.status()["main"]["id"]
    paths = [path.format(id=main, n=1, name="page.css") for path in GETS]
    paths += ["/nowhere", "/api/v1/processes/4194304", "/api/v1/events?after=1&limit=10000"]
    for first in range(0, requests, len(paths)):
        connection = UnixConnection(made.socket, DEADLINE)
        for path in paths[: requests - first]:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.read()
            assert answer.status in (200, 404), (path, answer.status)
        connection.close()


@pytest.mark.survives("requests over all paths, in a long row", "web and PID 1 do not grow")
def test_requests_leave_nothing_behind(tmp_path: Path, figures: dict[str, object]) -> None:
    with warm(tmp_path) as made:
        ask(made, 400)
        weighed, begun = Weighed(made, weigh(made)), time.monotonic()
        ask(made, REQUESTS)
        figures["requests"] = f"{REQUESTS:,} in {time.monotonic() - begun:.0f} s"
        weighed.assert_not_grown(figures)


def come_and_go(made: Scene) -> None:
    """As many streams as there may be, and one too many; half of them hear of an event, half leave unread."""
    with ExitStack() as all_of_them:
        streams = [all_of_them.enter_context(stream(made)) for _ in range(STREAMS)]
        refused = made.ask("GET", "/api/v1/events", headers={"Accept": "text/event-stream"})
        assert refused.status == 503, refused
        made.post("/api/v1/main/signal", {"signal": "WINCH"})
        for each in streams[::2]:
            each.until("signal.sent")
    wait_for(lambda: made.metric("initd_event_streams") == 0, "all streams to be closed")


@pytest.mark.survives(
    "clients of the event stream come and go, as many at once as there may be", "web and PID 1 do not grow"
)
def test_clients_of_the_stream_leave_nothing_behind(tmp_path: Path, figures: dict[str, object]) -> None:
    with warm(tmp_path) as made:
        come_and_go(made)
        weighed, begun = Weighed(made, weigh(made)), time.monotonic()
        for _ in range(0, CLIENTS, STREAMS):
            come_and_go(made)
        figures["clients"] = f"{CLIENTS:,} in {time.monotonic() - begun:.0f} s, {STREAMS} at once"
        weighed.assert_not_grown(figures)


@pytest.mark.survives(
    "events without end, by signals and a storm of orphans, and a client that reads them all",
    "web and PID 1 do not grow, every orphan and every signal is counted",
)
def test_events_leave_nothing_behind(tmp_path: Path, figures: dict[str, object]) -> None:
    orphans = EVENTS // 10
    with warm(tmp_path, orphans) as made, listener(made):
        weighed, begun = Weighed(made, weigh(made)), time.monotonic()
        before = made.status()
        (tmp_path / "go").touch()
        happen(made, EVENTS)
        wait_for(lambda: made.out().count("over") == 2, "the storm to be over", LONG)
        wait_for(lambda: not made.zombies(), "all to be reaped")
        wait_for(
            lambda: made.metric("initd_signals_total", signal="RT", source="forwarded") == WARM + EVENTS,
            "all to be forwarded",
        )
        seconds, after = time.monotonic() - begun, made.status()
        assert after["adopted"]["total"] - before["adopted"]["total"] == orphans
        assert after["seq"] - before["seq"] >= EVENTS
        figures["events"] = f"{after['seq'] - before['seq']:,} in {seconds:.0f} s"
        weighed.assert_not_grown(figures)


@contextmanager
def listener(made: Scene) -> Iterator[None]:
    """Somebody who reads the stream of events as it comes."""
    words = ["curl", "-sSN", "--unix-socket", str(made.socket), "-H", "Accept: text/event-stream"]
    reader = subprocess.Popen([*words, "http://localhost/api/v1/events"], stdout=subprocess.DEVNULL)
    try:
        yield
        assert reader.poll() is None, "it was cut off"
    finally:
        reader.kill()
        reader.wait()
