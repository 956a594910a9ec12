"""nginx with two workers as main: it reloads by HUP, replaces a killed worker, and drains at QUIT."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.apps.help import answers, kill, no_zombie, signal_main, wait_workers, workers
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, scene

CONFIGURATION = """
daemon off;
pid {home}/nginx.pid;
error_log stderr;
user root;
worker_processes 2;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen unix:{home}/web.sock;
        location / {{ return 200 "{answer}"; }}
    }}
}}
"""


def configure(home: Path, answer: str) -> None:
    (home / "nginx.conf").write_text(CONFIGURATION.format(home=home, answer=answer))


@contextmanager
def nginx(home: Path, *options: str, pid1: bool = True) -> Iterator[Scene]:
    configure(home, "first")
    main = ("nginx", "-c", str(home / "nginx.conf"), "-p", str(home), "-e", "stderr")
    with scene(*main, options=options, pid1=pid1) as made:
        answers(home / "web.sock", "first")
        yield made


def test_nginx_lives_under_initd_from_start_to_graceful_stop(tmp_path: Path) -> None:
    with nginx(tmp_path, "-r", "TERM:QUIT") as made:
        master = made.status()["main"]["id"]
        before = wait_workers(made, 2)
        configure(tmp_path, "second")
        signal_main(made, "HUP")
        answers(tmp_path / "web.sock", "second")
        after = wait_for(
            lambda: now if len(now := workers(made)) == 2 and not now.keys() & before.keys() else None,
            "two new workers",
        )
        victim = next(iter(after))
        kill(made, victim)
        wait_for(lambda: victim not in workers(made) and len(workers(made)) == 2, "a worker in its place")
        answers(tmp_path / "web.sock", "second")
        assert made.status()["main"]["id"] == master
        no_zombie(made)
        assert made.stop(signal.SIGTERM) == 0


def test_the_workers_of_a_killed_master_are_swept(tmp_path: Path) -> None:
    """Not as PID 1, where the kernel would end them anyway."""
    with nginx(tmp_path, pid1=False) as made:
        wait_workers(made, 2)
        signal_main(made, "KILL")
        assert made.wait() == 137
        assert (made.home / "left").read_text() == ""


def test_a_restarted_master_finds_its_address_free(tmp_path: Path) -> None:
    with nginx(tmp_path) as made:
        before = wait_workers(made, 2)
        assert made.post("/api/v1/main/restart?wait=30")["state"] == "done"
        answers(tmp_path / "web.sock", "first")
        assert not before.keys() & wait_workers(made, 2).keys()
        assert made.metric("initd_main_restarts_total", reason="api") == 1
        no_zombie(made)
