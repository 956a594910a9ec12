"""A web that cannot start or has gone mad, and what a good one may do: nearly nothing."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from . import kernel
from .client import wait_for
from .harness import PROGRAMS, Scene, first, program, scene


def web_source() -> Path:
    """The file that web is started from."""
    spec = find_spec("web.__main__")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


@contextmanager
def broken_web(tmp_path: Path, body: str, *main: str, **rest: Any) -> Iterator[tuple[Scene, Path]]:
    """A scene in which web/__main__.py reads ``body``, by a bind mount in its own mount namespace."""
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(body)
    before = first(f"mount --bind {stand_in} {web_source()}")
    with scene(*main, before=before, **rest) as made:
        yield made, stand_in


@pytest.mark.parametrize(
    "body",
    ["raise SystemExit(7)\n", "raise ImportError('nothing works')\n", "import os; os.kill(os.getpid(), 9)\n"],
)
def test_a_web_that_cannot_start_leaves_the_inits_own_work_alone(tmp_path: Path, body: str) -> None:
    main = program("crowd.py", 10)
    with broken_web(tmp_path, body, *main, listen="127.0.0.1:0") as (made, _):
        made.ready()
        wait_for(lambda: "web" in made.err(), "a word about web")
        wait_for(lambda: len(kernel.children(made.init)) >= 11, "the crowd to be ours")
        os.kill(oldest_child(made), signal.SIGUSR1)
        made.wait_out("gone")
        wait_for(lambda: not made.zombies(), "no zombies")
        assert made.stop() == 143


def oldest_child(made: Scene) -> int:
    """Main is the first that was spawned."""
    return min(kernel.children(made.init))


def test_web_comes_back_once_its_cause_is_gone(tmp_path: Path) -> None:
    whole = web_source().read_text()
    with broken_web(tmp_path, "raise SystemExit(7)\n", *program("catcher.py")) as (made, stand_in):
        made.ready()
        wait_for(lambda: "web" in made.err(), "a word about web")
        stand_in.write_text(whole)
        status = made.status()
        assert status["web"]["restarts"] >= 1
        assert status["main"]["restarts"] == 0


def test_garbage_from_web_is_dropped_and_the_init_goes_on(tmp_path: Path) -> None:
    mad = (PROGRAMS / "mad_web.py").read_text()
    with broken_web(tmp_path, mad, *program("catcher.py")) as (made, _):
        made.ready()
        wait_for(lambda: "mad enough" in made.err(), lambda: f"the garbage to be taken: {made.err()}")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            made.send(number)
            made.wait_out(f"\n{int(number)}\n")
        assert "Traceback" not in made.err()
        os.kill(oldest_child(made), signal.SIGKILL)
        assert made.wait() == 137


def test_web_is_nobody_without_rights_and_the_first_victim_of_oom() -> None:
    with scene("sleep", "100000", listen="127.0.0.1:0") as made:
        web = made.web
        status = kernel.status(web)
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65534"}
        assert status["Groups"] in ("", "65534")
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert Path(f"/proc/{web}/oom_score_adj").read_text() == "1000\n"
        assert made.ask("GET", "/livez").status == 200


def test_http_user_root_keeps_root() -> None:
    with scene("sleep", "100000", options=["--http-user", "root"]) as made:
        assert set(kernel.status(made.web)["Uid"].split()) == {"0"}


def test_no_http_means_exactly_initd_and_main() -> None:
    with scene(*program("catcher.py"), http=False) as made:
        made.ready()
        assert len(list(kernel.descendants(made.init))) == 1
        assert not made.socket.exists()


def test_the_control_token_is_in_nobodys_environment() -> None:
    token = "a-control-token-of-enough-length"
    with scene(*program("catcher.py"), env={"INITD_TOKEN": token}) as made:
        made.ready()
        for pid in (made.web, made.main):
            assert token not in Path(f"/proc/{pid}/environ").read_text()


def test_a_client_that_sends_half_a_request_does_not_disturb_others() -> None:
    with scene(*program("catcher.py", 15), listen="127.0.0.1:0") as made:
        made.ready()
        idle = [socket.create_connection(("127.0.0.1", made.port)) for _ in range(30)]
        for connection in idle:
            connection.sendall(b"POST /api/v1/main/signal HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        assert made.tcp("GET", "/livez").status == 200
        assert made.stop() == 0
        for connection in idle:
            connection.close()
