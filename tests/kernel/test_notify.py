"""sd_notify by real senders: systemd-notify from Debian, and a program that speaks the protocol itself."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .client import wait_for
from .harness import Scene, program, run, scene

NOTIFY = ["--notify"]
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def socket_name(made: Scene) -> str:
    """The name of the socket, as main tells it."""
    made.wait_out("socket ")
    return made.out().split("socket ")[1].split()[0]


@contextmanager
def stranger(made: Scene, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A program that comes into the container from outside, as docker exec does; it ends with its input."""
    into = ("nsenter", f"--target={made.init}", "--pid", "--mount")
    with subprocess.Popen(
        [*into, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_main_speak(made: Scene) -> None:
    """A child of main says something: what was sent before has then been read."""
    made.post("/api/v1/main/signal", {"signal": "USR1"})
    wait_for(lambda: made.status()["main"]["status_text"] == "from a child", "the child to be heard")


def test_systemd_notify_makes_main_ready_and_its_status_is_shown() -> None:
    say = "systemd-notify --ready --status='all is well'"
    script = f"until [ -e go ]; do sleep 0.05; done; {say}; exec sleep 1000"
    with scene("sh", "-c", script, options=NOTIFY) as made:
        wait_for(lambda: made.ask("GET", "/livez").status == 200, "web")
        assert made.ask("GET", "/readyz").status == 503
        assert "[-]notify failed: main has not said READY=1" in made.ask("GET", "/readyz").text
        assert made.ask("GET", "/startupz").status == 503
        assert made.status()["ready"] is False
        (made.home / "go").touch()
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "main to be ready")
        assert made.ask("GET", "/startupz").status == 200
        assert made.status()["main"]["status_text"] == "all is well"
        assert made.wait_event("main.ready")["process"]["pid"] == made.status()["main"]["pid"]


def test_a_barrier_is_lifted_so_that_systemd_notify_does_not_wait() -> None:
    code, out, error = run(
        "sh", "-c", "timeout 10 systemd-notify --ready && echo told", options=NOTIFY, http=True
    )
    assert (code, out) == (0, "told\n"), error


def test_the_environment_of_main_names_the_socket_and_the_watchdog() -> None:
    script = 'echo "$NOTIFY_SOCKET $WATCHDOG_USEC"; [ "$WATCHDOG_PID" = $$ ] && echo mine'
    code, out, error = run("sh", "-c", script, options=["--notify", "--watchdog", "2s"])
    assert code == 0, error
    assert out.startswith("@initd/notify/")
    assert out.splitlines()[0].endswith(" 2000000")
    assert out.splitlines()[1] == "mine"


def test_without_the_options_an_outer_notify_socket_is_handed_on() -> None:
    code, out, _ = run("sh", "-c", "echo $NOTIFY_SOCKET", env={"NOTIFY_SOCKET": "/outer"})
    assert (code, out) == (0, "/outer\n")


def test_a_main_that_stops_feeding_its_watchdog_is_restarted_with_that_reason() -> None:
    words = program("notifier.py", "feed-until-told")
    with scene(*words, options=["--notify", "--watchdog", "1s"]) as made:
        made.ready()
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "main to be ready")
        first = made.status()["main"]["pid"]
        made.post("/api/v1/main/signal", {"signal": "USR1"})
        wait_for(lambda: made.status()["main"]["pid"] not in (None, first), "main to be replaced")
        assert made.status()["main"]["last_exit"]["signal"] == "ABRT"
        assert made.metric("initd_main_restarts_total", reason="watchdog") == 1
        assert made.wait_event("check.failed")["check"] == "watchdog"


def test_a_descendant_may_speak_for_main_and_a_stranger_may_not() -> None:
    with scene(*program("notifier.py", "silent"), options=NOTIFY) as made:
        made.ready()
        made.wait_out("socket ")
        name = made.out().split("socket ")[1].split()[0]
        stranger = program("notifier.py", "send", name, "READY=1", "STATUS=from outside")
        subprocess.run(["nsenter", f"--target={made.init}", "--pid", "--mount", *stranger], check=True)
        assert made.status()["main"]["status_text"] is None
        assert made.ask("GET", "/readyz").status == 503
        made.post("/api/v1/main/signal", {"signal": "USR1"})  # then a child of it says so
        wait_for(lambda: made.status()["main"]["status_text"] == "from a child", "the child to be heard")
        assert made.ask("GET", "/readyz").status == 200


def test_main_that_says_it_is_stopping_is_not_ready_any_more() -> None:
    with scene(*program("notifier.py", "stopping"), options=NOTIFY) as made:
        made.ready()
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "main to be ready")
        made.send(signal.SIGUSR1)
        wait_for(lambda: made.ask("GET", "/readyz").status == 503, "main to be stopping")
        assert "main says that it is stopping" in made.ask("GET", "/readyz").text


def test_a_daemon_that_main_names_is_main_from_then_on_and_its_code_is_ours() -> None:
    with scene(*program("notifier.py", "daemon"), options=NOTIFY) as made:
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "the daemon to be ready")
        made.wait_out("left ")
        wait_for(lambda: "daemon " in made.out(), "the daemon's pid")
        daemon = int(made.out().split("daemon ")[1].split()[0])
        wait_for(lambda: made.status()["main"]["pid"] == daemon, "the daemon to be main")
        assert made.status()["main"]["state"] == "running"
        made.post("/api/v1/main/signal", {"signal": "USR1"})
        assert made.wait() == 6


def test_a_watchdog_of_years_makes_no_init_deaf() -> None:
    far = "systemd-notify --ready WATCHDOG_USEC=9999999999999; exit 5"
    code, _, error = run("sh", "-c", far, options=["--notify", "--quiet"])
    assert (code, error) == (5, "")


@pytest.mark.parametrize("how", ["plain", "hidden"])
def test_sockets_that_wait_when_they_are_closed_do_not_hold_pid_1_up(how: str) -> None:
    with scene(*program("notifier.py", "silent"), options=NOTIFY) as made:
        made.ready()
        words = program("lingerer.py", socket_name(made), how)
        made.send(signal.SIGSTOP)  # so that the sender's are closed first, and ours are the last
        with stranger(made, *NOBODY, *words) as lingerer:
            assert next_line(lingerer) == "given"
            made.send(signal.SIGCONT)
            assert made.ask("GET", "/livez").status == 200
            let_main_speak(made)
            assert len(list(Path(f"/proc/{made.init}/fd").iterdir())) < 50  # it keeps none of a hundred
            made.send(signal.SIGALRM)  # which we use ourselves meanwhile
            assert made.wait() == 128 + signal.SIGALRM


@pytest.mark.parametrize("user", [NOBODY, ()], ids=["another", "root"])
def test_an_orphan_of_a_stranger_is_believed_where_its_user_could_harm_main_anyway(
    user: tuple[str, ...],
) -> None:
    words = program("notifier.py", "orphan")
    with scene(*program("notifier.py", "silent"), options=NOTIFY) as made:
        made.ready()
        with stranger(made, *user, *words, socket_name(made), "READY=1", "STATUS=from an orphan") as process:
            pid = int(next_line(process))
            wait_for(
                lambda: any(event["process"]["pid"] == pid for event in made.events("adopted")),
                "the orphan to be adopted",
            )
            assert process.stdin is not None
            process.stdin.close()
            assert next_line(process) == "said"
            if not user:
                wait_for(lambda: made.status()["main"]["status_text"] == "from an orphan", "the orphan")
                assert made.ask("GET", "/readyz").status == 200
                return
            let_main_speak(made)
        assert [event["text"] for event in made.events("status")] == ["from a child"]
