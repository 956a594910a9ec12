"""The house: what every handler shares, found as ``request.app.state.house``.

Law of this file: plain holders of values, no behaviour beyond counting. Whoever needs a new shared thing
gives it a name here.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from web.batch import Batch

if TYPE_CHECKING:
    from web.link import Link
    from web.memory import Memory
    from web.mirror import Mirror
    from web.sampler import Sampler

GROUPS = ("health", "metrics", "api", "stream", "page")
BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0)  # kubelet gives up at 1 s, a scrape at 10 s


class Listener(NamedTuple):
    """One inherited listening socket: ``kind`` is tcp or unix."""

    fd: int
    kind: str
    address: str


class Tls(NamedTuple):
    """The files that the TCP listeners' TLS is made of; ``client_ca`` vouches for client certificates."""

    cert: str
    key: str
    client_ca: str | None

    @classmethod
    def of(cls, files: dict[str, Any]) -> Tls:
        return cls(str(files["cert"]), str(files["key"]), files["client_ca"])


class Config(NamedTuple):
    """What the core's ``hello`` told us; fixed for the life of this process."""

    version: str
    history: int
    anonymous: str
    tokens: tuple[tuple[str, str], ...]  # (role, token)
    certificates: tuple[tuple[str, str], ...]  # (role, a name in the client's certificate)
    tls: Tls | None
    connects: bool  # whether the core may ask for checks over TCP or HTTP
    redact: bool  # whether secrets in command lines are hidden
    allow_hosts: tuple[str, ...]
    http_user: str | None
    listen: tuple[Listener, ...]
    init_pid: int
    init_uid: int
    init_role: str

    @classmethod
    def of(cls, hello: dict[str, Any]) -> Config:
        """From the datagram. Raises KeyError, TypeError or ValueError where it is not as agreed."""
        config, init = hello["config"], hello["init"]
        return cls(
            version=str(hello["version"]),
            history=int(config["history"]),
            anonymous=str(config["anonymous"]),
            tokens=_pairs(config["tokens"]),
            certificates=_pairs(config["certificates"]),
            tls=None if config["tls"] is None else Tls.of(config["tls"]),
            connects=bool(config["connects"]),
            redact=bool(config["redact"]),
            allow_hosts=tuple(map(str, config["allow_hosts"])),
            http_user=config["http_user"],
            listen=tuple(Listener(int(s["fd"]), str(s["kind"]), str(s["address"])) for s in hello["listen"]),
            init_pid=int(init["pid"]),
            init_uid=int(init["uid"]),
            init_role=str(init["role"]),
        )


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(role), str(what)) for role, what in rows)


class HttpFigures:
    """Requests answered, by group and code class (``2xx``), and how many seconds that took, by group."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], int] = {}
        self.counts = {group: [0] * (len(BOUNDS) + 1) for group in GROUPS}  # not cumulative; the last is +Inf
        self.sums = dict.fromkeys(GROUPS, 0.0)

    def observe(self, group: str, status: int, seconds: float) -> None:
        key = group, f"{status // 100}xx"
        self.requests[key] = self.requests.get(key, 0) + 1
        self.counts[group][bisect_left(BOUNDS, seconds)] += 1
        self.sums[group] += seconds


class Highest:
    """The highest value so far of what cannot really fall."""

    def __init__(self) -> None:
        self._value = 0.0

    def of(self, value: float) -> float:
        self._value = max(self._value, value)
        return self._value


class House:
    """Everything shared. Made once, before the first request."""

    def __init__(self, config: Config, link: Link, mirror: Mirror, sampler: Sampler, memory: Memory) -> None:
        self.config = config
        self.link = link
        self.mirror = mirror
        self.sampler = sampler
        self.memory = memory
        self.http = HttpFigures()
        self.scrapes: Batch[bytes] = Batch()  # of /metrics
        self.cpu = Highest()  # seconds of all processes
        self.streams = 0  # open event streams and long polls
        self.slow_readers = 0  # connections cut off because they did not read
        self.closing = False  # no new waits; the open ones end
        self.leaving = False  # the init ends, and waits for us
