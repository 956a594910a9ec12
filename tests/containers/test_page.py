"""docs/containers.md: what it says to type works, from the first line to the last."""

from __future__ import annotations

from pathlib import Path

from tests.containers.documents import blocks, shell
from tests.containers.engine import Engine
from tests.kernel.client import free_port


def test_every_command_of_the_page_works_in_its_order(engine: Engine) -> None:
    port = free_port()
    for block in blocks("sh")[1:]:  # the first has made the image
        done = shell(
            engine, block.replace("127.0.0.1:9911", f"127.0.0.1:{port}").replace("curl ", "curl -sSf ")
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def test_a_program_is_put_on_top_as_the_page_says(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import os; print('pid', os.getpid(), 'of', os.getppid())")
    (tmp_path / "Dockerfile").write_text(blocks("dockerfile")[0])
    build = shell(engine, "docker build --tag app .", tmp_path)
    assert build.returncode == 0, build.stderr
    assert engine.run("run", "--rm", "app").endswith("of 1\n")
    healthcheck = "RUN true\n" + blocks("dockerfile")[1]
    (tmp_path / "Dockerfile").write_text("FROM initd\n" + healthcheck)
    assert shell(engine, "docker build --tag ready .", tmp_path).returncode == 0
    assert engine.inspect("ready")["Healthcheck"]["Test"][-1] == "ready"
