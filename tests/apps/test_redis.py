"""redis-server as main: it shrugs at HUP, survives the death of its saving child, and saves at TERM."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.apps.help import kill, no_zombie, signal_main, wait_workers, workers
from tests.kernel.client import wait_for
from tests.kernel.harness import scene


def told(path: Path, *words: str) -> str:
    """One command and the first part of its answer, in redis' inline protocol; empty while it is down."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65_536).decode()
    except OSError:
        return ""


def test_redis_lives_under_initd_from_start_to_graceful_stop(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    words = ["--port", "0", "--unixsocket", str(path), "--dir", str(tmp_path), "--save", "3600", "1"]
    with scene("redis-server", *words, "--rdb-key-save-delay", "1000000") as made:
        wait_for(lambda: told(path, "PING") == "+PONG\r\n", "PONG")
        main = made.status()["main"]
        signal_main(made, "HUP")
        for number in range(50):
            assert told(path, "SET", f"key{number}", "value") == "+OK\r\n"
        assert told(path, "BGSAVE").startswith("+")
        (saving,) = wait_workers(made, 1)
        kill(made, saving)
        wait_for(
            lambda: "rdb_last_bgsave_status:err" in told(path, "INFO", "persistence"), "the save to fail"
        )
        wait_for(lambda: not workers(made), "no child")
        assert made.status()["main"] == main
        no_zombie(made)
        assert told(path, "CONFIG", "SET", "rdb-key-save-delay", "0") == "+OK\r\n"
        assert made.stop() == 0
        assert (tmp_path / "dump.rdb").stat().st_size > 0
