"""The token table: ``ROLE TOKEN`` and ``ROLE cert:NAME`` lines of a file, and one token from the environment.

Law of this file: a token is never shown, not even in a refusal. Imported only where there are any.
"""

from __future__ import annotations

import _stat
import posix as os

from initd.options import ROLES, TOKEN_MINIMUM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.inputs import Credentials

TOKEN_MAXIMUM, TOKENS_MAXIMUM = 200, 200
_TABLE = (
    46_000  # characters in JSON: the whole table goes to web in one datagram of 64 KiB, with other things
)
_BESIDE = 20  # a role, quotes and commas
_LONGEST = 1 << 20
_CERTIFICATE = "cert:"


def read(path: str | None, single: str | None) -> Credentials:
    """Tokens, that of the environment first, and certificates. Raises ValueError with the line to show."""
    found: list[tuple[str, str]] = []
    if single is not None:
        if single.startswith(_CERTIFICATE):
            raise ValueError(
                "cannot use the token in INITD_TOKEN: it names a certificate; put that into --tokens"
            )
        _check(single, "INITD_TOKEN")
        found.append(("control", single))
    found += _lines(path) if path is not None else []
    if len(found) > TOKENS_MAXIMUM:
        raise ValueError(f"cannot use {path}: it has {len(found)} tokens; say at most {TOKENS_MAXIMUM}")
    if sum(len(word) + word.count('"') + word.count("\\") + _BESIDE for _, word in found) > _TABLE:
        raise ValueError(
            f'cannot use {path}: its tokens are too long together; say fewer, or without \\ and "'
        )
    named = [(role, word) for role, word in found if word.startswith(_CERTIFICATE)]
    return (
        tuple(pair for pair in found if pair not in named),
        tuple((role, word.removeprefix(_CERTIFICATE)) for role, word in named),
    )


def _lines(path: str) -> list[tuple[str, str]]:
    """What the file says, without its comments."""
    found = []
    for place, line in enumerate(_text(path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{path} line {place}"
        if len(words) != 2 or words[0] not in ROLES:
            raise ValueError(f"cannot use {where}: say ROLE TOKEN, with health, metrics, read or control")
        _check(words[1], where)
        found.append((words[0], words[1]))
    return found


def _text(path: str) -> str:
    """A pipe would have PID 1 wait for its writer, for ever."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, encoding="utf-8") as file:
            text = file.read(_LONGEST + 1) if _stat.S_ISREG(os.fstat(fd).st_mode) else None
        if text is not None and len(text) <= _LONGEST:
            return text
        why = "it is no regular file" if text is None else "it is longer than a megabyte"
    except (OSError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it is not UTF-8 text"
    raise ValueError(f"cannot read the token file {path}: {why}; give initd a readable file")


def _check(token: str, where: str) -> None:
    least = len(_CERTIFICATE) + 1 if token.startswith(_CERTIFICATE) else TOKEN_MINIMUM
    if len(token) < least:
        cure = f"say at least {TOKEN_MINIMUM} characters, such as the output of openssl rand -hex 16"
        raise ValueError(f"cannot use the token in {where}: it is too short; {cure}")
    if len(token) > TOKEN_MAXIMUM:
        raise ValueError(f"cannot use the token in {where}: say at most {TOKEN_MAXIMUM} characters")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(f"cannot use the token in {where}: say printable ASCII without spaces")
