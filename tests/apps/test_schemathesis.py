"""schemathesis reads /openapi.json and finds nothing that is served otherwise.

Its victims live and die in a PID namespace of their own: signals go to a main that comes back.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.kernel.client import wait_for
from tests.kernel.harness import program, scene

TOKEN = "a-control-token-for-schemathesis"
PATIENCE = 120.0
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


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    options = ["--restart", "always", "--anonymous", "health", "--stop-timeout", "1s"]
    main = program("catcher.py", 15)
    with scene(*main, listen="127.0.0.1:0", options=options, env={"INITD_TOKEN": TOKEN}) as made:
        made.ready()
        configuration = tmp_path / "schemathesis.toml"
        configuration.write_text(CONFIGURATION.format(main=made.status()["main"]["pid"]))
        words = [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(configuration)),
            *("run", f"http://127.0.0.1:{made.port}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}"),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", "25", "--no-color"),
        ]
        found = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
        wait_for(lambda: made.ask("GET", "/livez").status == 200, "livez")
        assert "Traceback" not in made.err()
