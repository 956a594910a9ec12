"""Who may do what.

Law of this file: pure decisions. It knows the roles, tokens, certificates, peers and names of this server,
and nothing of what a request is for beyond the role that its row of the route table asks for.
"""

from __future__ import annotations

import hmac
import re
import socket
from collections.abc import Sequence
from typing import NamedTuple

from web.house import Config
from web.problem import Problem

_AUTHORITY = re.compile(r"(?:\[([^\[\]]*:[^\[\]]*)\]|([^\[\]:]*))(?::[0-9]{0,5})?")  # RFC 3986, 3.2
ROLES = ("health", "metrics", "read", "control")  # each includes those before it


class Peer(NamedTuple):
    """Who is at the other end: ``kind`` of the listener, and what the kernel says of the connection."""

    kind: str  # tcp or unix
    uid: int | None  # of the process that connected to the unix socket
    address: str
    names: tuple[str, ...] = ()  # of the client certificate, which the CA of --tls-client-ca vouches for


class Caller(NamedTuple):
    """A peer, what it may do, and ``by`` what: its uid, a token, a certificate, or nothing."""

    role: str
    by: str
    peer: str

    @property
    def known(self) -> bool:
        """Not just anybody."""
        return self.by != "nothing"

    @property
    def meant(self) -> bool:
        """Whoever asks wants to. A browser shows a certificate for any page, but no token for another's."""
        return self.by in ("uid", "token")


def caller(peer: Peer, authorization: Sequence[bytes], config: Config) -> Caller:
    """Who asks: by the uid that the kernel tells, else the token, else the certificate.

    A token that is shown must be right: Problem("unauthorized") rather than a lower role.
    """
    where = f"unix:uid={peer.uid}" if peer.kind == "unix" else peer.address
    if peer.kind == "unix" and peer.uid in (0, config.init_uid):
        return Caller("control", "uid", where)
    if authorization:
        return Caller(_role_of_token(authorization, config), "token", where)
    named = [pair for pair in config.certificates if pair[1] in peer.names]
    if named:
        role, name = max(named, key=lambda pair: ROLES.index(pair[0]))
        return Caller(role, "certificate", f"cert:{name}@{where}")
    return Caller(config.anonymous, "nothing", where)


def require(needed: str, caller: Caller) -> None:
    """Raises unless the caller's role is enough."""
    if ROLES.index(caller.role) >= ROLES.index(needed):
        return
    if not caller.known:
        raise _unauthorized(
            f"cannot do this without a token of role {needed}: send Authorization: Bearer TOKEN"
        )
    raise Problem(
        "forbidden",
        f"cannot do this with role {caller.role}: it needs {needed}",
        role=caller.role,
        needed=needed,
    )


def _role_of_token(authorization: Sequence[bytes], config: Config) -> str:
    scheme, _, shown = authorization[0].strip().partition(b" ")
    if len(authorization) > 1 or scheme.lower() != b"bearer":
        raise _unauthorized("cannot read Authorization: send it once, as Bearer TOKEN")
    found = None
    for role, token in config.tokens:  # all of them, so that the time taken tells nothing
        if hmac.compare_digest(token.encode("utf-8", "surrogateescape"), shown.strip()):
            found = role
    if found is None:
        raise _unauthorized("cannot accept this token: it is not one of those in --tokens or INITD_TOKEN")
    return found


def _unauthorized(detail: str) -> Problem:
    return Problem("unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="initd"'})


class Names:
    """The names that this server answers to, against DNS rebinding and cross-site requests.

    A page is ours when it came from this machine (localhost, the hostname, a loopback address), from the
    very name that the request was sent to, or from one named by --allow-host. Another IP address is not
    enough: whoever has one could serve a page there that posts to us.
    """

    def __init__(self, hostname: str, allow_hosts: Sequence[str]) -> None:
        self._allowed = {_plain(name) for name in allow_hosts}
        self._ours = {"localhost", _plain(hostname)} | self._allowed

    def check(self, host: str | None, origins: Sequence[str], *, strict: bool = False) -> None:
        """Raises Problem("misdirected"). Without a Host (HTTP/1.0) there is no browser to protect.

        ``strict``: the caller is known by what its browser shows for any page, so only the very site may ask,
        and not the app on another port of this host.
        """
        if host is not None and not self._is_ours(host):
            raise Problem(
                "misdirected",
                f"cannot answer for the host {_shown(host)}: allow it with --allow-host, or use a token",
            )
        for origin in origins:
            ours = origin == f"https://{host}" if strict else self._is_our_page(origin, host or "")
            if not ours:
                raise Problem(
                    "misdirected",
                    f"cannot answer pages of {_shown(origin)}: say --allow-host, or use a token",
                )

    def _is_ours(self, authority: str) -> bool:
        name = _name_in(authority)
        return name != "" and (name in self._ours or is_address(name))

    def _is_our_page(self, origin: str, host: str) -> bool:
        scheme, _, authority = origin.partition("://")
        if scheme not in ("http", "https"):
            return False  # an extension; or "null": a file, a sandbox or a redirect
        name = _name_in(authority)
        return name != "" and (name in self._ours or _is_loopback(name) or name == _name_in(host))


def _is_loopback(name: str) -> bool:
    return is_address(name) and (name.startswith("127.") or name == "::1")


def is_address(name: str) -> bool:
    """Whether a host is an IP literal: nobody can point one somewhere else."""
    try:
        if ":" in name:
            socket.inet_pton(socket.AF_INET6, name.partition("%")[0])
        else:
            socket.inet_pton(socket.AF_INET, name)
    except (OSError, ValueError):  # ValueError: a null byte or what is not ASCII
        return False
    return True


def _name_in(authority: str) -> str:
    """The host of ``host``, ``host:port``, ``[::1]`` or ``[::1]:port``; the port may be empty.

    Nothing of what has any other form: it may be a name of ours with another site's behind it.
    """
    found = _AUTHORITY.fullmatch(authority)
    return "" if found is None else _plain(found[1] or found[2])


def _plain(name: str) -> str:
    return name.strip().lower().rstrip(".")


def _shown(text: str) -> str:
    return repr(text[:80])
