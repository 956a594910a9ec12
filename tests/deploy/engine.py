"""A stand-in for a Docker engine: the two questions that Prometheus' discovery asks, on a unix socket.

Law of this file: the Engine API's words, with values from the test; it knows nothing of initd.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


def container(name: str, address: str, ports: list[int], labels: dict[str, str]) -> dict[str, Any]:
    """As ``GET /containers/json`` lists it."""
    network = {"NetworkID": "n1", "IPAddress": address}
    return {
        "Id": f"id-of-{name}",
        "Names": [f"/{name}"],
        "Labels": labels,
        "State": "running",
        "Ports": [{"PrivatePort": port, "Type": "tcp"} for port in ports],
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Networks": {"default": network}},
    }


NETWORKS = [{"Id": "n1", "Name": "default", "Scope": "local", "Ingress": False, "Internal": False}]


@contextmanager
def engine(socket: Path, containers: list[dict[str, Any]]) -> Iterator[None]:
    """Answer on ``socket`` until the end."""
    answers = {"containers/json": containers, "networks": NETWORKS}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found: object = next((what for end, what in answers.items() if path.endswith(end)), {})
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Api-Version", "1.41")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Api-Version", "1.41")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence: it would write to standard error."""

        def address_string(self) -> str:
            return "unix"  # a unix socket's peer has no address to take apart

    with socketserver.ThreadingUnixStreamServer(str(socket), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
