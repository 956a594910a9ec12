"""schemathesis reads /openapi.json and finds nothing that is served otherwise.

Its victims live and die in a PID namespace of their own: a main that comes back each time, and web.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.kernel.client import wait_for
from tests.kernel.harness import program, scene

TOKEN = "a-control-token-for-schemathesis"
PATIENCE = 120.0


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    options = ["--restart", "always", "--anonymous", "health"]
    main = program("catcher.py", 15)
    with scene(*main, listen="127.0.0.1:0", options=options, env={"INITD_TOKEN": TOKEN}) as made:
        made.ready()
        words = [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", f"http://127.0.0.1:{made.port}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}"),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", "15", "--seed", "1", "--no-color"),
            *("--exclude-path", "/api/v1/shutdown"),
        ]
        found = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
        wait_for(lambda: made.ask("GET", "/livez").status == 200, "livez")
        assert "Traceback" not in made.err()
