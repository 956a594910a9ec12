"""Where to ask: the socket or URL that the words and the environment name.

Law of this file: the order of preference, and nothing on the network.
"""

from __future__ import annotations

import os
from argparse import Namespace

from web.ctl.client import Target, url_target
from web.ctl.errors import Usage

DEFAULT_SOCKET = "/run/initd.sock"
DEFAULT_PORT = 9911
_ANY_ADDRESS = ("", "*", "[::]", "0.0.0.0", "localhost")  # noqa: S104  nothing is bound here


def token(words: Namespace) -> str | None:
    """The bearer token, or None."""
    return getattr(words, "token", None) or os.environ.get("INITD_TOKEN")


def target(words: Namespace) -> Target:
    """``--url``, else ``--socket``, else INITD_SOCKET, else the default socket. Raises Usage."""
    url, path = getattr(words, "url", None), getattr(words, "socket", None)
    if url and path:
        raise Usage("cannot use --socket and --url together: say one of them")
    if url:
        return url_target(url)
    path = path or os.environ.get("INITD_SOCKET") or DEFAULT_SOCKET
    if path == "none":
        raise Usage("cannot use the socket: INITD_SOCKET says there is none; say --url http://127.0.0.1:9911")
    return Target(path)


def check_targets(words: Namespace) -> list[Target]:
    """Where a health check looks, in this order. Probes are open to everyone, so loopback will do."""
    if getattr(words, "url", None) or getattr(words, "socket", None):
        return [target(words)]
    path = os.environ.get("INITD_SOCKET") or DEFAULT_SOCKET
    return [*([Target(path)] if path != "none" else []), loopback(os.environ.get("INITD_LISTEN", ""))]


def loopback(listen: str) -> Target:
    """The first address of INITD_LISTEN as seen from inside, or the default port."""
    host, _, port = listen.partition(",")[0].rpartition(":")
    host = "127.0.0.1" if host in _ANY_ADDRESS else host.strip("[]")
    return Target(None, host, int(port) if port.isdigit() else DEFAULT_PORT)
