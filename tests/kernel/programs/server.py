"""server.py PORT [late]: say ``ready``, and answer GET on the loopback port with 200.

Files in its directory say how it is: ``go`` is what a late one waits for before it listens; while
``sick`` is there it answers 503; once ``deaf`` is there it listens no more, and goes on.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if os.path.exists("sick") else 200)
        self.end_headers()
        self.wfile.write(b"body\n")

    def log_message(self, *_: object) -> None:
        """Nothing."""


def wait(name: str) -> None:
    while not os.path.exists(name):
        signal.sigtimedwait((), 0.01)


os.write(1, b"ready\n")
if "late" in sys.argv:
    wait("go")
with HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler) as server:
    server.timeout = 0.02
    while not os.path.exists("deaf"):
        server.handle_request()
while True:
    signal.pause()
