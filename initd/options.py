"""Every option of initd in one table, from which parsing, help and the environment's names are made.

Law of this file: the table, and one converter per kind of value. A converter takes the text and
returns the value or raises ValueError with the cure ("say …"); whose option it was is the caller's
to add. Imported before main runs, so it stays light.
"""

from __future__ import annotations

import posix as os

from initd import signals
from initd.model import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROLES = ("health", "metrics", "read", "control")
DEFAULT_LISTEN = (("::", 9911),)
DEFAULT_SOCKET = "/run/initd.sock"
TOKEN_MINIMUM = 20  # characters: below that a token can be guessed over the network
_UNITS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0))
RLIMITS = {  # getrlimit(2); numbers of asm-generic/resource.h, the same on x86 and arm
    "CPU": 0, "FSIZE": 1, "DATA": 2, "STACK": 3, "CORE": 4, "RSS": 5, "NPROC": 6, "NOFILE": 7,
    "MEMLOCK": 8, "AS": 9, "LOCKS": 10, "SIGPENDING": 11, "MSGQUEUE": 12, "NICE": 13,
    "RTPRIO": 14, "RTTIME": 15,
}  # fmt: skip


def duration(text: str) -> float:
    """``10``, ``10s``, ``500ms``, ``1.5m``, ``1h`` in seconds, up to a day."""
    number, scale = text, 1.0
    for unit, size in _UNITS:
        if text.endswith(unit):
            number, scale = text[: -len(unit)], size
            break
    if not number or number.count(".") > 1 or not number.replace(".", "0").isdigit() or not number.isascii():
        raise ValueError("say a duration such as 10s, 500ms or 2m")
    seconds = float(number) * scale if number != "." else -1.0
    if not 0 <= seconds <= 86_400:
        raise ValueError("say a duration between 0 and 24h")
    return seconds


def signal(text: str) -> int:
    """One signal that can be sent."""
    try:
        return signals.parse(text)
    except signals.UnknownSignal:
        raise ValueError("say a signal such as TERM, SIGTERM, 15 or RTMIN+3") from None


def rewrite(text: str) -> tuple[int, int]:
    """``FROM:TO``; TO 0 drops the signal."""
    source, colon, target = text.partition(":")
    if not colon:
        raise ValueError("say FROM:TO, such as TERM:QUIT, or FROM:0 to drop it")
    return signal(source), 0 if target == "0" else signal(target)


def exit_code(text: str) -> int:
    """0 to 255."""
    return _integer(text, 0, 255, "an exit code between 0 and 255")


def restart(text: str) -> tuple[str, int | None]:
    """Docker's words: ``no``, ``on-failure``, ``on-failure:N``, ``always``."""
    policy, colon, limit = text.partition(":")
    cure = "no, on-failure, on-failure:N or always"
    if policy not in ("no", "on-failure", "always") or (colon and policy != "on-failure"):
        raise ValueError(f"say {cure}")
    return policy, _integer(limit, 1, 1_000_000, cure) if colon else None


def listen(text: str) -> tuple[str, int] | None:
    """``ADDR:PORT`` as (address, port), or None for ``none``. IP literals only: a name may take long."""
    cure = "say ADDR:PORT with an IP address, such as 127.0.0.1:9911 or [::]:9911, or none"
    if text == "none":
        return None
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(cure)
    bracketed = host.startswith("[") and host.endswith("]")
    address = host[1:-1] if bracketed else {"localhost": "127.0.0.1", "": "::", "*": "::"}.get(host, host)
    if not _is_ip(address) or (":" in address) != (bracketed or host in ("", "*")):
        raise ValueError(cure)
    return address, _integer(port, 0, 65_535, "a port between 0 and 65535")


def _is_ip(address: str) -> bool:
    import _socket  # the C half: the Python half costs 10 ms

    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        return True
    return False


def socket_path(text: str) -> str | None:
    """Where the unix socket is to be, or None for ``none``. sun_path holds 107 bytes; unix(7)."""
    if text == "none":
        return None
    if not text or len(text.encode("utf-8", "surrogateescape")) > 107:
        raise ValueError("say a path of 1 to 107 bytes, or none")
    if text.startswith("/"):
        return text
    try:
        return f"{os.getcwd()}/{text}"
    except FileNotFoundError:
        raise ValueError("say a path from / on: the working directory is gone") from None


def user(text: str) -> tuple[str, str | None]:
    """``U`` or ``U:G``, names or numbers; looked up when main is started."""
    name, colon, group = text.partition(":")
    if not name or (colon and not group):
        raise ValueError("say USER or USER:GROUP, by name or number")
    return name, group or None


def word(text: str) -> str:
    """Anything but nothing."""
    if not text:
        raise ValueError("say something: it is empty")
    return text


def host_name(text: str) -> str:
    """A Host name without port, in lower case."""
    if not 0 < len(text) <= 253 or "/" in text or " " in text or not text.isprintable():
        raise ValueError("say a host name such as init.example.com")
    return text.lower()


def choice(*words: str) -> Callable[[str], str]:
    """One of the words."""

    def one_of(text: str) -> str:
        if text not in words:
            raise ValueError(f"say {', '.join(words[:-1])} or {words[-1]}")
        return text

    return one_of


def rlimit(text: str) -> tuple[int, int, int]:
    """``NAME=SOFT[:HARD]`` as (resource, soft, hard); ``unlimited`` is -1."""
    name, equals, values = text.partition("=")
    number = RLIMITS.get(name.upper().removeprefix("RLIMIT_"))
    if not equals or number is None:
        raise ValueError("say NAME=SOFT or NAME=SOFT:HARD, such as NOFILE=1024:4096")
    soft, _, hard = values.partition(":")
    cure = "a limit such as 1024, 1024:4096 or unlimited"
    low, high = (
        -1 if value == "unlimited" else _integer(value, 0, 2**62, cure) for value in (soft, hard or soft)
    )
    return number, low, high


def octal(text: str) -> int:
    """A umask such as 022."""
    if not 1 <= len(text) <= 4 or any(digit not in "01234567" for digit in text):
        raise ValueError("say an octal mask such as 022")
    return int(text, 8)


def number(low: int, high: int) -> Callable[[str], int]:
    """An integer between low and high."""
    return lambda text: _integer(text, low, high, f"a number between {low} and {high}")


def _integer(text: str, low: int, high: int, cure: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20) or not low <= int(text) <= high:
        raise ValueError(f"say {cure}")
    return int(text)


@record
class Option:
    """One row: ``metavar`` None is a flag; ``many`` may be repeated; ``count`` adds up (-vv)."""

    name: str
    short: str
    metavar: str | None
    convert: Callable[[str], Any] | None
    default: Any
    help: str
    many: bool = False
    implied: Any = None  # the value of the bare option; another one can only follow "="
    count: bool = False

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return "INITD_" + self.key.upper()


def _flag(name: str, short: str, help: str, *, count: bool = False) -> Option:
    return Option(name, short, None, None, 0 if count else False, help, count=count)


# What a reader of --help meets first comes first. Sections are the rows that are plain words.
OPTIONS: tuple[Option | str, ...] = (
    "Main",
    Option("restart", "", "POLICY", restart, ("no", None), "no, on-failure[:N] or always (default no)"),
    Option("stop-signal", "", "SIG", signal, 15, "how the API stops main (default TERM)"),
    Option("stop-timeout", "", "DUR", duration, 10.0, "then KILL to its group after this (default 10s)"),
    Option("sweep-timeout", "", "DUR", duration, 1.0, "what main leaves behind gets TERM, then KILL after this (default 1s; 0 = no sweep)"),
    Option("drain", "", "DUR", duration, 0.0, "hold a TERM back this long while /readyz says 503"),
    _flag("notify", "", "give main a socket for sd_notify; it is ready when it says READY=1"),
    Option("watchdog", "", "DUR", duration, 0.0, "restart main when it does not say WATCHDOG=1 this often"),
    Option("wait-orphans", "", "DUR", duration, None, "when main has ended, wait for adopted daemons too; =DUR: so long at most", implied=float("inf")),
    _flag("signal-orphans", "", "forward signals to adopted processes as well"),
    _flag("kill-orphans", "", "an orphan gets TERM when its parent dies, and KILL after the stop timeout"),
    Option("expect-exit", "e", "CODE", exit_code, (), "treat this exit code of main as 0", many=True),
    Option("user", "", "U[:G]", user, None, "run main as this user and group"),
    Option("workdir", "", "DIR", word, None, "run main in this directory"),
    Option("umask", "", "MASK", octal, None, "main's umask"),
    Option("nice", "", "N", number(-20, 19), None, "main's nice value"),
    Option("oom-score-adj", "", "N", number(-1000, 1000), None, "main's OOM score adjustment"),
    Option("rlimit", "", "NAME=SOFT[:HARD]", rlimit, (), "a resource limit for main", many=True),
    "Signals and reaping",
    _flag("group", "g", "forward signals to main's whole process group"),
    Option("rewrite", "r", "FROM:TO", rewrite, (), "translate a signal before forwarding; TO 0 drops it", many=True),
    _flag("session", "", "run main in a session of its own, forward to its whole group, and stop when that is stopped"),
    _flag("subreaper", "s", "adopt orphans although we are not PID 1 (then the default)"),
    Option("parent-death-signal", "p", "SIG", signal, None, "get this signal when our own parent dies"),
    _flag("warn-on-reap", "w", "log every orphan that is reaped"),
    "HTTP",
    Option("listen", "", "ADDR:PORT", listen, None, "where to listen (default [::]:9911); none for no TCP", many=True),
    Option("socket", "", "PATH", socket_path, DEFAULT_SOCKET, "unix socket with full rights (default /run/initd.sock), or none"),
    Option("tokens", "", "FILE", word, None, "lines of ROLE TOKEN; INITD_TOKEN is one control token"),
    Option("anonymous", "", "ROLE", choice(*ROLES), "metrics", "health, metrics, read or control without a token (default metrics)"),
    Option("allow-host", "", "NAME", host_name, (), "a further Host name to answer to", many=True),
    Option("http-user", "", "U", word, "nobody", "who the web process runs as when we are root (default nobody)"),
    Option("history", "", "N", number(1, 100_000), 2000, "how many events are kept (default 2000)"),
    _flag("no-http", "", "no HTTP: the process tree is exactly initd and main"),
    "Logging, to stderr",
    _flag("verbose", "v", "say more; twice, say everything", count=True),
    _flag("quiet", "q", "say only what is wrong"),
    Option("log-format", "", "FORMAT", choice("text", "json"), "text", "text or json"),
)  # fmt: skip
TABLE: tuple[Option, ...] = tuple(row for row in OPTIONS if isinstance(row, Option))
