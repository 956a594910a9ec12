"""A real Prometheus scrapes a real initd; what it answers by its own API is what happened."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.deploy.leaking import Prometheus, prometheus
from tests.kernel.client import wait_for
from tests.kernel.harness import program, scene


def values(watching: Prometheus, expression: str) -> list[float]:
    """Those of an instant query; none while Prometheus is not up."""
    return [float(sample["value"][1]) for sample in watching.query(expression)]


def test_prometheus_answers_with_what_happened(tmp_path: Path) -> None:
    options = ["--restart", "always"]
    with (
        scene(*program("storm.sh", 250), listen="127.0.0.1:0", options=options) as made,
        prometheus(tmp_path, f"127.0.0.1:{made.port}") as watching,
    ):
        made.ready()
        wait_for(lambda: made.status()["reaped"]["total"] == 250, "250 reaped")
        os.kill(made.main, signal.SIGKILL)
        wait_for(lambda: made.out().count("ready\n") == 2, "the second run's storm")
        made.post("/api/v1/main/signal", {"signal": "WINCH"})
        expected = {
            'up{job="initd"}': [1],
            "sum(initd_adoptions_total)": [500],
            'initd_reaped_total{origin="adopted",outcome="exited"}': [500],
            'initd_reaped_total{origin="main",outcome="signaled"}': [1],
            'initd_main_restarts_total{reason="exit"}': [1],
            'initd_signals_total{signal="WINCH",source="api"}': [1],
            "initd_main_up": [1],
            'initd_main_state{state="running"}': [1],
            "sum(initd_main_state)": [1],
            'initd_processes{state="zombie"}': [0],
            "sum(initd_processes)": [3],
            "sum(initd_zombies)": [0],
            "initd_adopted_processes": [0],
            "initd_web_restarts_total": [0],
        }
        for expression, wanted in expected.items():
            wait_for(lambda: values(watching, expression) == wanted, f"{expression} to be {wanted}")  # noqa: B023
        assert values(watching, "scrape_samples_scraped")[0] <= 300


def test_promtool_finds_nothing_to_improve() -> None:
    with scene(*program("zombies.py", 3), listen="127.0.0.1:0", options=["--restart", "always"]) as made:
        made.ready()
        os.kill(made.main, signal.SIGKILL)
        made.wait_event("main.started", 2)
        text = made.tcp("GET", "/metrics", headers={"Accept": "text/plain"}).body
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        assert (lint.returncode, lint.stderr.decode()) == (0, "")
