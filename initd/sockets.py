"""The listening sockets, bound by PID 1 before main starts, so that a bad address is said in time.

Law of this file: bind and listen, nothing is ever accepted here. An address that the user named
and we cannot have is a Refusal; a default that we cannot have is a warning, and the init goes on.
"""

from __future__ import annotations

import _socket
import _stat
import errno
import posix as os

from initd.cli import Refusal
from initd.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.cli import Config

_BACKLOG = 1024  # connections wait here while web restarts; the kernel caps it at net.core.somaxconn
_ALL = "::"  # addresses of both families
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


@record
class Listener:
    """One bound socket: ``kind`` is tcp or unix, ``address`` as people write it."""

    fd: int
    kind: str
    address: str
    inode: int = 0  # of a unix socket's file, so that we remove no other

    def as_dict(self) -> dict[str, int | str]:
        """For web's hello."""
        return {"fd": self.fd, "kind": self.kind, "address": self.address}


def bind_all(config: Config, warnings: list[str]) -> tuple[Listener, ...]:
    """Every listener the configuration asks for; what is missing is added to ``warnings``."""
    if config.no_http:
        return ()
    found = [_tcp(address, config.listen_asked, warnings) for address in config.listen]
    found.append(_unix(config.socket, warnings))
    return tuple(listener for listener in found if listener is not None)


def _tcp(where: tuple[str, int], asked: bool, warnings: list[str]) -> Listener | None:
    try:
        return _bind_tcp(*where)
    except OSError as error:
        failure = error
    if where[0] == _ALL and failure.errno in _NO_IPV6:
        try:
            return _bind_tcp("0.0.0.0", where[1])  # noqa: S104  all that there are, where there is no IPv6
        except OSError as error:
            failure = error
    text = f"cannot listen on {_spell(*where)}: {os.strerror(failure.errno or 0)}"
    if asked:
        raise Refusal(f"{text}; free it, or say --listen with another address")
    warnings.append(f"{text}; there is no HTTP over TCP; free the port or say --listen")
    return None


def _bind_tcp(address: str, port: int) -> Listener:
    family = _socket.AF_INET6 if ":" in address else _socket.AF_INET
    sock = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        if family == _socket.AF_INET6:  # [::] serves both families whatever bindv6only says; ipv6(7)
            sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 0 if address == _ALL else 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
        bound = sock.getsockname()
    except OSError:
        sock.close()
        raise
    return Listener(sock.detach(), "tcp", _spell(bound[0], bound[1]))


def _spell(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _unix(path: str | None, warnings: list[str]) -> Listener | None:
    if path is None:
        return None
    try:
        _remove_stale(path)
        return _bind_unix(path)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        warnings.append(f"cannot make the socket {path}: {why}; say --socket PATH, or use initctl --url")
        return None


def _bind_unix(path: str) -> Listener:
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    before = os.umask(0o177)  # the file is born 0600; a chmod after the bind would leave a gap
    try:
        sock.bind(path)
        sock.listen(_BACKLOG)
        inode = os.stat(path).st_ino
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return Listener(sock.detach(), "unix", path, inode)


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody serves any more. Raises OSError EADDRINUSE when somebody does."""
    try:
        if not _stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "exists")
    except FileNotFoundError:
        return
    probe = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        probe.setblocking(False)
        probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except BlockingIOError:
        raise OSError(errno.EADDRINUSE, "in use") from None
    else:
        raise OSError(errno.EADDRINUSE, "in use")
    finally:
        probe.close()


def remove_socket_file(listeners: tuple[Listener, ...]) -> None:
    """At exit: remove the unix socket's file, if it is still ours."""
    for listener in listeners:
        try:
            if listener.kind == "unix" and os.stat(listener.address).st_ino == listener.inode:
                os.unlink(listener.address)
        except OSError:  # somebody else tidied up first
            continue
