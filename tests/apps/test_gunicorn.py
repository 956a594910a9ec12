"""gunicorn with four workers as main: new workers at HUP, one for each that is killed, 0 at TERM."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.apps.help import answers, kill, no_zombie, signal_main, wait_workers, workers
from tests.kernel.client import wait_for
from tests.kernel.harness import scene

APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{answer}"]
"""


def test_gunicorn_lives_under_initd_from_start_to_graceful_stop(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION.format(answer="first"))
    socket = tmp_path / "web.sock"
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    words = ["--workers", "4", "--bind", f"unix:{socket}", "--chdir", str(tmp_path), "--no-control-socket"]
    with scene(gunicorn, *words, "app:application", env={"PYTHONDONTWRITEBYTECODE": "1"}) as made:
        answers(socket, "first")
        before = wait_workers(made, 4)
        (tmp_path / "app.py").write_text(APPLICATION.format(answer="second"))
        signal_main(made, "HUP")
        after = wait_for(
            lambda: now if len(now := workers(made)) == 4 and not now.keys() & before.keys() else None,
            "four new workers",
        )
        answers(socket, "second")
        victim = next(iter(after))
        kill(made, victim)
        wait_for(lambda: victim not in workers(made) and len(workers(made)) == 4, "a worker in its place")
        answers(socket, "second")
        no_zombie(made)
        assert made.status()["main"]["restarts"] == 0
        assert made.stop() == 0


def test_gunicorn_says_itself_when_it_is_ready(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION.format(answer="first"))
    socket = tmp_path / "web.sock"
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    words = ["--bind", f"unix:{socket}", "--chdir", str(tmp_path), "--no-control-socket"]
    with scene(gunicorn, *words, "app:application", options=["--notify"]) as made:
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "gunicorn to say READY=1")
        assert made.status()["main"]["status_text"] == "Gunicorn arbiter booted"
        assert made.wait_event("main.ready")["process"]["name"] == "gunicorn"
        assert made.stop() == 0
