"""One converter per kind of value: the text of an option to the value, or the cure.

Law of this file: a converter raises ValueError with the cure ("say …"); whose option it was is the
caller's to add. Imported before main runs, so it stays light.
"""

from __future__ import annotations

import posix as os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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


def period(text: str) -> float:
    """A duration of at least 10 ms: what is done every so often, or given so long."""
    seconds = duration(text)
    if seconds < 0.01:
        raise ValueError("say a duration between 10ms and 24h")
    return seconds


def command(text: str) -> tuple[str, ...]:
    """A command line in words, quoted as in a shell; but there is no shell, unless it is called."""
    import shlex  # 12 ms, for those who say a command

    try:
        words = tuple(shlex.split(text))
    except ValueError:
        raise ValueError("say a command whose quotes are closed") from None
    if not words or not words[0]:
        raise ValueError("say a command, such as '/bin/check --fast'")
    return words


def address(text: str) -> str:
    """``[ADDR:]PORT`` of main as ``ADDR:PORT``; without ADDR it is 127.0.0.1."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    literal = host[1:-1] if bracketed else {"": "127.0.0.1", "localhost": "127.0.0.1"}.get(host, host)
    if not _is_ip(literal) or bracketed != (":" in literal):
        raise ValueError("say [ADDR:]PORT with an IP address, such as 8080 or [::1]:8080")
    number = _integer(port, 1, 65_535, "a port between 1 and 65535")
    return f"[{literal}]:{number}" if bracketed else f"{literal}:{number}"


def url(text: str) -> str:
    """``http://[ADDR:]PORT/PATH`` or just ``PORT/PATH``. No names: a check must not wait for DNS."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    place, slash, path = rest.partition("/")
    plain = path.isascii() and f"{path}.".isprintable() and " " not in path
    if scheme not in ("http", "https") or not place or not plain:
        raise ValueError("say a URL such as http://127.0.0.1:8080/health, or 8080/health")
    if separator and not place.rpartition(":")[2].isdigit():
        place += ":443" if scheme == "https" else ":80"
    return f"{scheme}://{address(place)}/{path if slash else ''}"


def signal(text: str) -> int:
    """One signal that can be sent."""
    from initd import signals  # two tables, for those who name one

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
    return path(text)


def path(text: str) -> str:
    """A file, from / on: it is looked at again when the working directory is another one."""
    if word(text).startswith("/"):
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
    return account(name), account(group) if group else None


def account(text: str) -> str:
    """A user or a group by name or number; 2**32 - 1 is none, but "leave it as it is": setresuid(2)."""
    if word(text).isdigit() and not (text.isascii() and len(text) < 11 and int(text) < 2**32 - 1):
        raise ValueError("say a name, or a number below 4294967295")
    return text


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
    if high != -1 and not -1 < low <= high:
        raise ValueError("say a soft limit that is not above the hard one")
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
