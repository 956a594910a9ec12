"""Where initd is: a unix socket, or a URL, and whom to trust there.

Law of this file: values, and how they are spelled. Nothing on the network.
"""

from __future__ import annotations

from initd.model import record
from web.ctl.errors import Usage

PORTS = {"http": "80", "https": "443"}


@record
class Trust:
    """TLS: whose certificates to trust (the system's where None), and which to show; files in PEM."""

    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    anyone: bool = False


@record
class Target:
    """Where initd is: ``path`` of a unix socket, or ``host`` and ``port``; ``base`` is a path before ours."""

    path: str | None
    host: str = "localhost"
    port: int = 0
    base: str = ""
    trust: Trust | None = None  # None is plain

    def __str__(self) -> str:
        if self.path is not None:
            return self.path
        return f"{'http' if self.trust is None else 'https'}://{self.authority}{self.base}"

    @property
    def authority(self) -> str:
        """What the Host header says."""
        if self.path is not None:
            return "localhost"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def whole(text: str) -> int:
    """A whole number in decimal digits, or -1. isdigit() alone is true of ``²`` too, which int() refuses."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def url_target(url: str, trust: Trust | None = None) -> Target:
    """``http[s]://HOST[:PORT][/BASE]`` as a target. Raises Usage."""
    scheme, _, rest = url.partition("://")
    authority, _, base = rest.partition("/")
    host, port = _split_authority(authority, PORTS.get(scheme, ""))
    if not host or not 0 < whole(port) < 65_536:
        raise Usage(f"cannot use the URL {url!r}: say http://HOST:PORT, such as http://127.0.0.1:9911")
    base = f"/{base.rstrip('/')}" if base.rstrip("/") else ""
    return Target(None, host, int(port), base, (trust or Trust()) if scheme == "https" else None)


def _split_authority(authority: str, usual: str) -> tuple[str, str]:
    """Host and port; neither where there is no usual port."""
    if not usual:
        return "", ""
    if authority.startswith("["):
        host, closed, port = authority[1:].partition("]")
        return (host, port[1:] if port.startswith(":") else usual) if closed else ("", "")
    host, colon, port = authority.partition(":")
    return host, port if colon else usual
