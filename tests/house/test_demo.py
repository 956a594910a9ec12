"""``make run``, and the lines that it prints."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from pathlib import Path

from tests.house.imports import ROOT
from tests.kernel.client import wait_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_demo_runs_a_web_server_and_every_line_it_prints_works(tmp_path: Path) -> None:
    web = free_port()
    command: list[str | Path] = [ROOT / "scripts" / "demo", str(free_port()), str(web), tmp_path / "demo"]
    with (tmp_path / "out").open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as demo:
        try:
            said = wait_for(
                lambda: text if "Ctrl-C" in (text := (tmp_path / "out").read_text()) else None, "its text"
            )
            lines = re.findall(r"^  (\S.*)$", said, re.MULTILINE)
            assert len(lines) >= 5
            assert "as PID 1 of a new PID namespace" in said
            wait_for(lambda: _runs(lines[0]), f"{lines[0]}; it said {said}")
            assert [line for line in lines if not _runs(line)] == []
            assert _runs(f"curl http://127.0.0.1:{web}/")
            (init,) = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
            subprocess.run(["kill", f"-{signal.SIGINT}", init], check=True)
            assert demo.wait(timeout=20) == 0
        finally:
            demo.kill()


def _runs(line: str) -> bool:
    exact = line.replace("curl ", "curl -sSf -m 5 ", 1)
    return subprocess.run(["sh", "-c", exact], capture_output=True, check=False, timeout=30).returncode == 0
