"""Where to ask: the socket or URL that the words and the environment name.

Law of this file: the order of preference, and nothing on the network.
"""

from __future__ import annotations

import os
from argparse import Namespace

from web.ctl.errors import Usage
from web.ctl.place import Target, Trust, url_target, whole

DEFAULT_SOCKET = "/run/initd.sock"
DEFAULT_PORT = 9911
_ANY_ADDRESS = ("", "*", "::", "0.0.0.0", "localhost")  # noqa: S104  nothing is bound here


def token(words: Namespace) -> str | None:
    """The bearer token, or None."""
    return getattr(words, "token", None) or os.environ.get("INITD_TOKEN")


def target(words: Namespace) -> Target:
    """``--url``, else ``--socket``, else INITD_SOCKET, else the default socket. Raises Usage."""
    url, path = getattr(words, "url", None), getattr(words, "socket", None)
    if url and path:
        raise Usage("cannot use --socket and --url together: say one of them")
    cacert, cert, key = (getattr(words, name, None) for name in ("cacert", "cert", "key"))
    trust = Trust(cacert, cert, key)
    found = url_target(url, trust) if url else _unix(path)
    if trust != Trust() and found.trust is None:
        raise Usage("cannot use --cacert, --cert or --key without TLS: say --url https://HOST:PORT")
    if key and not cert:
        raise Usage("cannot use --key alone: say --cert as well")
    return found


def _unix(path: str | None) -> Target:
    path = path or os.environ.get("INITD_SOCKET") or DEFAULT_SOCKET
    if path == "none":
        raise Usage("cannot use the socket: INITD_SOCKET says there is none; say --url http://127.0.0.1:9911")
    return Target(path)


def check_targets(words: Namespace) -> list[Target]:
    """Where a health check looks, in this order. Probes are open to everyone, so loopback will do.

    On loopback it trusts whoever answers, as kubelet does: it shows no token, and the name in the certificate
    is hardly 127.0.0.1.
    """
    if getattr(words, "url", None) or getattr(words, "socket", None):
        return [_trusting(target(words))]
    path = os.environ.get("INITD_SOCKET") or DEFAULT_SOCKET
    return [*([Target(path)] if path != "none" else []), loopback(os.environ.get("INITD_LISTEN", ""))]


def loopback(listen: str) -> Target:
    """The first address of INITD_LISTEN as seen from inside, or the default port."""
    host, _, port = listen.partition(",")[0].rpartition(":")
    host = host.strip("[]")
    host = "127.0.0.1" if host in _ANY_ADDRESS else host
    trust = Trust(anyone=True) if os.environ.get("INITD_TLS_CERT") else None
    return Target(None, host, whole(port) if 0 < whole(port) < 65_536 else DEFAULT_PORT, trust=trust)


def _trusting(place: Target) -> Target:
    """The same, and anyone there, where that is loopback and nobody said whom to trust."""
    if place.trust != Trust() or not (place.host in ("localhost", "::1") or place.host.startswith("127.")):
        return place
    return Target(None, place.host, place.port, place.base, Trust(anyone=True))
