"""A certificate authority for tests: openssl's, in a directory of its own.

Law of this file: it makes files, and contexts of clients that trust them; it knows nothing of initd.
"""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
OURS = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


class Pair(NamedTuple):
    """A certificate and its key."""

    cert: str
    key: str


class Authority:
    """Signs what it is asked to. ``home`` holds ca.pem and whatever was issued."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ca = str(home / "ca.pem")
        home.mkdir(exist_ok=True)
        openssl("req", "-x509", *_KEY, "-keyout", self._key, "-out", self.ca, "-subj", f"/CN={home.name}")

    @property
    def _key(self) -> str:
        return str(self.home / "ca.key")

    def issue(
        self, name: str, *sans: str, usage: str = "serverAuth", days: int = 2, common: str | None = None
    ) -> Pair:
        """A certificate for ``name``: its file's name, and its common name unless that is another."""
        pair = Pair(str(self.home / f"{name}.pem"), str(self.home / f"{name}.key"))
        names = ("-addext", f"subjectAltName={','.join(sans)}") if sans else ()
        subject = ("-subj", f"/CN={name if common is None else common}")
        asked = ("req", "-new", *_KEY, *subject, *names, "-addext", f"extendedKeyUsage={usage}")
        request = openssl(*asked, "-keyout", pair.key)
        signing = ("x509", "-req", "-CA", self.ca, "-CAkey", self._key, "-days", str(days))
        openssl(*signing, "-copy_extensions", "copyall", "-out", pair.cert, given=request)
        return pair

    def server(self, name: str = "server", days: int = 2) -> Pair:
        """For an initd on loopback."""
        return self.issue(name, *OURS, days=days)

    def client(self, name: str, *sans: str) -> Pair:
        """For somebody who asks."""
        return self.issue(name, *sans, usage="clientAuth")

    def trusted(self, shown: Pair | None = None) -> ssl.SSLContext:
        """What a client has that trusts this authority, and shows a certificate."""
        context = ssl.create_default_context(cafile=self.ca)
        if shown is not None:
            context.load_cert_chain(*shown)
        return context


def openssl(*words: str, given: bytes = b"") -> bytes:
    """What it prints. Never asks anybody."""
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
