"""schemathesis reads /openapi.json, follows its links, and finds nothing that is served otherwise.

Its victims live and die in a PID namespace of their own: signals go to a main that comes back.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fuzz.bridge import bridged
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, program, scene
from tests.survival.soak import soak

TOKENS = {role: f"a-{role}-token-for-schemathesis" for role in ("read", "control")}
PATIENCE = soak(7_200, least=240)  # seconds
# 503 of a probe and 504 of a wait are answers of the contract, and the run itself stops and drains main.
# A signal by id goes to main alone: TERM to PID 1 or KILL to web would rightly end the server. Events are
# asked for as JSON and without waiting: a stream in which nothing happens never ends, and is meant not to.
CONFIGURATION = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]

[[operations]]
include-path = "/api/v1/processes/{{id}}/signal"
parameters = {{ "path.id" = "{main}" }}

[[operations]]
include-path = "/api/v1/events"
headers = {{ Accept = "application/json" }}
parameters = {{ "query.wait" = "0" }}

[[operations]]
include-path = "/api/v1/shutdown"
enabled = false
"""


@contextmanager
def served(home: Path, *more: str) -> Iterator[Scene]:
    """Over TCP anybody may look at the metrics, and two tokens may do more."""
    tokens = home / "tokens"
    tokens.write_text("".join(f"{role} {token}\n" for role, token in TOKENS.items()))
    options = ["--restart", "always", "--stop-timeout", "1s", "--tokens", str(tokens), *more]
    with scene(*program("catcher.py", 15), listen="127.0.0.1:0", options=options) as made:
        made.ready()
        yield made
        wait_for(lambda: made.ask("GET", "/livez").status == 200, "livez")
        assert made.metric("initd_web_restarts_total") == 0
        assert "Traceback" not in made.err()


def explore(made: Scene, home: Path, port: int, *options: str, phases: str = "fuzzing,stateful") -> None:
    """So many requests as a soak wants."""
    configuration = home / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(main=made.status()["main"]["pid"]))
    words = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(configuration)),
        *("run", f"http://127.0.0.1:{port}/openapi.json", "--phases", phases, "--checks", "all", *options),
        *("--max-examples", str(soak(400, least=8)), "--no-color"),
    ]
    found = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]


@pytest.mark.parametrize("role", [None, "read"])
def test_who_may_not_change_anything_changes_nothing(role: str | None, tmp_path: Path) -> None:
    with served(tmp_path) as made:
        before = made.status()["main"]
        token = ["--header", f"Authorization: Bearer {TOKENS[role]}"] if role else []
        explore(made, tmp_path, made.port, *token)
        assert made.status()["main"] == before
        assert made.out() == "ready\n"
        assert not made.events("signal.sent")


def test_control_over_tcp(tmp_path: Path) -> None:
    with served(tmp_path) as made:
        token = ["--header", f"Authorization: Bearer {TOKENS['control']}"]
        explore(made, tmp_path, made.port, *token, phases="examples,coverage,fuzzing,stateful")
        assert made.events("signal.sent")


def test_control_over_the_unix_socket(tmp_path: Path) -> None:
    """root needs no token there, and a wrong one does not matter."""
    with served(tmp_path, "--anonymous", "control") as made, bridged(made.socket) as port:
        explore(made, tmp_path, port, "--exclude-checks", "ignored_auth")
        assert made.events("signal.sent")
