"""No file can be opened.

By a limit of the process (EMFILE), in the init or in web, or because the machine has no more (ENFILE).
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import pytest

from tests.kernel.client import DEADLINE, Answer, UnixConnection, ask, wait_for
from tests.kernel.harness import PYTHON, Scene, program, run, scene

from .misfortune import misfortune, without_descriptors

Figures = dict[str, object]
STREAM = b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
DIRECT = (*PYTHON[:2], "-m", "initd")  # the shell of the script needs more


def limited(soft: int) -> Callable[[], None]:
    """An entry with a limit on descriptors."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))


def lines(made: Scene, start: str) -> list[str]:
    """What was said that begins so."""
    return [line for line in made.err().splitlines() if line.startswith(start)]


@contextmanager
def kept(made: Scene) -> Iterator[Callable[[str], Answer]]:
    """GET, on a connection that was there before."""
    connection = UnixConnection(made.socket, DEADLINE)

    def get(path: str) -> Answer:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    assert get("/livez").status == 200
    try:
        yield get
    finally:
        connection.close()


def is_back(made: Scene, figures: Figures) -> None:
    """web answers again, and soon; main runs again."""
    begun = time.monotonic()
    assert made.ask("GET", "/livez").status == 200
    figures["answers again after"] = f"{time.monotonic() - begun:.1f} s"
    wait_for(lambda: made.status()["main"]["state"] == "running", "main to be back")
    wait_for(lambda: made.out().count("ready\n") == 2, "the second run of main")
    assert "please report" not in made.err()


@pytest.mark.survives("no descriptor is left in PID 1 (EMFILE)", "signals, reaping, HTTP; all comes back")
def test_an_init_without_descriptors_works_on_and_starts_again_what_ended(figures: Figures) -> None:
    with scene(*program("catcher.py", 15), options=["--restart", "always"]) as made:
        made.ready()
        main, web = made.main, made.web
        with without_descriptors(made.init):
            made.send(signal.SIGWINCH)
            made.wait_out("\n28\n")
            assert made.post("/api/v1/main/signal", {"signal": "USR1"})["signal"] == "USR1"
            made.wait_out("\n10\n")
            os.kill(main, signal.SIGKILL)
            failed = made.wait_event("fork.failed", 3)
            assert (failed["unit"], failed["limit"]) == ("main", "open_files")
            (complaint,) = lines(made, "cannot run")  # one for three tries
            assert "Too many open files" in complaint
            assert "raise that limit" in complaint
            assert made.ask("GET", "/livez").status == made.ask("GET", "/metrics").status == 200
            os.kill(web, signal.SIGKILL)
            wait_for(lambda: lines(made, "cannot start web"), "a word about web")
            assert not made.zombies()
        is_back(made, figures)
        assert made.stop() == 0


@pytest.mark.survives("no file can be opened on the whole machine (ENFILE)", "connections, signals, reaping")
def test_a_machine_without_files_is_waited_for(figures: Figures) -> None:
    options = ["--restart", "always"]
    with (
        misfortune() as bad,
        scene(*program("catcher.py", 15), options=options, before=bad.before, listen="127.0.0.1:0") as made,
    ):
        made.ready()
        main, port = made.main, made.port
        with kept(made) as get, ExitStack() as waiting:
            bad.befall(full=True)
            made.send(signal.SIGWINCH)
            made.wait_out("\n28\n")
            for _ in range(3):  # the kernel takes them, web cannot
                waiting.enter_context(socket.create_connection(("127.0.0.1", port)))
            wait_for(lambda: lines(made, "initd web: cannot accept"), "a word about connections")
            assert get("/livez").text == "ok"
            assert get("/api/v1/status").json()["main"]["state"] == "running"
            os.kill(main, signal.SIGKILL)
            wait_for(lambda: lines(made, "cannot run"), "a word about main")
            assert not made.zombies()
            wait_for(lambda: get("/readyz").status == 503, "web to know it")
            assert get("/livez").text == "ok"
        bad.befall()
        is_back(made, figures)
        assert {len(lines(made, each)) for each in ("cannot run", "initd web: cannot accept")} == {1}
        assert made.stop() == 0


@pytest.mark.survives("clients idle or stream on all of web's descriptors", "new connections of probes")
@pytest.mark.parametrize("limit", [20, 64, 1024])
def test_clients_that_take_every_descriptor_leave_one_for_a_probe(limit: int, figures: Figures) -> None:
    options = ["--anonymous", "read"]
    with (
        scene("sleep", "100000", options=options, entry=limited(limit), listen="127.0.0.1:0") as made,
        ExitStack() as taken,
    ):
        port, took = made.port, []
        for number in range(min(2 * limit, 800)):
            client = taken.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE))
            if number % 2:
                client.sendall(STREAM)
            if number % 100 == 99 or number == limit:
                begun = time.monotonic()
                assert ask(HTTPConnection("127.0.0.1", port, DEADLINE), "GET", "/livez").status == 200
                took.append(time.monotonic() - begun)
        assert made.ask("GET", "/metrics").status == 200
        assert "accept" not in made.err()
        figures["/livez at worst"] = f"{max(took) * 1000:.0f} ms"


@pytest.mark.survives("standard descriptors are closed at entry", "main, its code, reaping, HTTP")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], ids=["0", "1", "2", "all"])
@pytest.mark.parametrize("dev", [":", "mount -t tmpfs -o ro none /dev"], ids=["", "no /dev"])
def test_standard_descriptors_that_are_closed_at_entry_are_missed_by_nobody(closed: str, dev: str) -> None:
    body = "( : & ); until [ -e go ]; do sleep 0.05; done 2>said; exit 6"
    with scene("sh", "-c", body, before=("sh", "-c", f'{dev}\nexec "$@" {closed}', "sh")) as made:
        assert made.ask("GET", "/livez").status == 200
        os.kill(made.web, signal.SIGKILL)
        assert wait_for(lambda: made.status()["web"]["restarts"], "another web") == 1
        (made.home / "go").touch()
        assert made.wait() == 6
        assert "Traceback" not in made.err()


@pytest.mark.survives("a limit too low to start anything", "one line that names it, and exit code 125")
@pytest.mark.parametrize("limit", [5, 8, 10])
def test_a_limit_that_is_too_low_for_anything_is_said_in_one_line(limit: int) -> None:
    before = ("prlimit", f"--nofile={limit}:{limit}")
    code, _, error = run("true", before=before, init=(*DIRECT, "--no-http", "--"))
    assert code == 125
    (line,) = error.splitlines()
    assert line == "cannot run 'true': no process can be made: Too many open files"
