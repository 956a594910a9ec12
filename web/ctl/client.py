"""The way to initd: one small HTTP/1.0 exchange at a time.

Law of this file: bytes in and out, and whose fault it was when there are none. It knows no resource of the
API. http.client would do the same and costs 14 ms of every health check, most of it for a parser of mail
headers; HTTP/1.0 needs neither chunks nor keep-alive: a body ends where the connection does, a stream's too.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

from initd.model import record
from web.ctl.errors import Unreachable
from web.ctl.place import Target, whole

LONGEST = 64 << 20  # bytes of one answer: 100,000 processes are 20 MB
LONGEST_HEAD = 64 << 10


@record
class Answer:
    """One answer, read to its end. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NotAStream(Exception):
    """The server refused the stream; ``answer`` says how."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Client:
    """Asks one target. ``timeout`` is for each wait on the network, in seconds; ``token`` None sends none."""

    def __init__(self, target: Target, token: str | None = None, timeout: float = 10.0) -> None:
        self.target = target
        self.token = token
        self.timeout = timeout

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        accept: str = "application/json",
        extra_seconds: float = 0.0,
    ) -> Answer:
        """One exchange; the answer may take ``extra_seconds`` longer than usual. Raises Unreachable."""
        with self._connect(extra_seconds) as connection:
            try:
                connection.sendall(self._request(method, path, body, accept, {}))
                data = self._read_all(connection)
            except OSError as error:
                raise self._unreachable(error) from None
        head, separator, rest = data.partition(b"\r\n\r\n")
        if not data:
            raise Unreachable(f"cannot read the answer of {self.target}: the connection ended before it came")
        if not separator:
            raise self._nonsense()
        status, headers = self._parse_head(head)
        if len(rest) < whole(headers.get("content-length", "")) and method != "HEAD":
            raise Unreachable(f"cannot read the answer of {self.target}: it ended too early; try again")
        return Answer(status, headers, rest)

    def follow(self, path: str, headers: dict[str, str], quiet_seconds: float) -> Iterator[bytes]:
        """The lines of an event stream until it ends; an Answer that is no stream is raised as NotAStream.

        ``quiet_seconds``: a stream that is silent for longer is dead. Raises Unreachable.
        """
        with self._connect(0.0) as connection:
            try:
                connection.sendall(self._request("GET", path, None, "text/event-stream", headers))
                with connection.makefile("rb") as stream:
                    answer = self._read_head(stream.readline)
                    if answer.status != 200:
                        raise NotAStream(Answer(answer.status, answer.headers, stream.read(LONGEST_HEAD)))
                    connection.settimeout(quiet_seconds)
                    yield from stream
            except OSError as error:
                raise self._unreachable(error) from None

    def _connect(self, extra_seconds: float) -> socket.socket:
        try:
            connection = _connection(self.target, self.timeout)
        except OSError as error:
            raise self._unreachable(error) from None
        connection.settimeout(self.timeout + extra_seconds)
        return connection

    def _request(
        self, method: str, path: str, body: bytes | None, accept: str, headers: dict[str, str]
    ) -> bytes:
        lines = {"Host": self.target.authority, "Accept": accept, "User-Agent": "initctl", **headers}
        if self.token is not None:
            lines["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            lines["Content-Type"] = "application/json"
        if method == "POST":
            lines["Content-Length"] = str(len(body or b""))
        head = [f"{method} {self.target.base}{path} HTTP/1.0", *(f"{k}: {v}" for k, v in lines.items())]
        return "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + (body or b"")

    def _read_head(self, readline: Callable[[int], bytes]) -> Answer:
        head = b""
        while len(head) < LONGEST_HEAD:
            line = readline(LONGEST_HEAD)
            if line in (b"\r\n", b"\n"):
                return Answer(*self._parse_head(head), b"")
            if not line:
                break
            head += line
        raise self._nonsense()

    def _parse_head(self, head: bytes) -> tuple[int, dict[str, str]]:
        first, *rest = head.decode("latin-1").splitlines() or [""]
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not 100 <= whole(words[1]) <= 999:
            raise self._nonsense()
        pairs = (line.partition(":") for line in rest)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if "transfer-encoding" in headers:
            raise Unreachable(f"cannot read the answer of {self.target}: a proxy sends chunks to HTTP/1.0")
        return int(words[1]), headers

    def _read_all(self, connection: socket.socket) -> bytes:
        parts: list[bytes] = []
        size = 0
        while part := connection.recv(1 << 16):
            parts.append(part)
            size += len(part)
            if size > LONGEST:
                raise Unreachable(f"cannot read the answer of {self.target}: it is longer than 64 MiB")
        return b"".join(parts)

    def _nonsense(self) -> Unreachable:
        return Unreachable(
            f"cannot understand the answer of {self.target}: is that initd? say --socket or --url"
        )

    def _unreachable(self, error: OSError) -> Unreachable:
        return Unreachable(f"cannot reach initd at {self.target}: {_why(error, self.target, self.timeout)}")


def _connection(target: Target, timeout: float) -> socket.socket:
    if target.path is not None:
        return _unix_connection(target.path, timeout)
    connection = socket.create_connection((target.host, target.port), timeout)
    if target.trust is None:
        return connection
    from web.ctl.secure import secured

    return secured(connection, target, target.trust)


def _unix_connection(path: str, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _why(error: OSError, target: Target, timeout: float) -> str:
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, PermissionError) and target.path is not None:
        return f"{reason}; the socket is for root and the user of PID 1: be one of them, or say --url"
    if target.path is not None:
        return f"{reason}; is it started with --socket none? say --socket PATH or --url http://127.0.0.1:9911"
    if target.trust is not None and not isinstance(error, ConnectionRefusedError):
        return f"{reason}; does it speak TLS, and trust the certificate of --cert?"
    return f"{reason}; is it started with --listen none? say --url or --socket PATH"
