"""argv and environment to a frozen configuration, or one refusal in the user's words.

Law of this file: nothing happens here but reading. The command line wins over INITD_ variables,
and those over the table's defaults. Exit codes as in docker: 125 is our own refusal.
"""

from __future__ import annotations

import posix as os

from initd import options
from initd.options import TABLE, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

REFUSED = 125


class Refusal(Exception):
    """We will not start: ``str()`` is the one line to show, ``code`` what to exit with."""

    def __init__(self, text: str, code: int = REFUSED) -> None:
        super().__init__(text if code == 0 else one_line(text))
        self.code = code


def one_line(text: str) -> str:
    """What is quoted from the user may hold anything; a refusal stays one printable line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Config:
    """What the user asked for; one attribute per row of the table, read-only once made."""

    argv: tuple[str, ...]
    tokens: tuple[tuple[str, str], ...]  # (role, token); the file has been read
    listen: tuple[tuple[str, int], ...]
    listen_asked: bool  # False: the default address, which may be taken without harm
    warnings: tuple[str, ...]
    restart: tuple[str, int | None]
    stop_signal: int
    stop_timeout: float
    sweep_timeout: float
    drain: float
    expect_exit: tuple[int, ...]
    user: tuple[str, str | None] | None
    workdir: str | None
    umask: int | None
    nice: int | None
    oom_score_adj: int | None
    rlimit: tuple[tuple[int, int, int], ...]
    group: bool
    rewrite: tuple[tuple[int, int], ...]
    session: bool
    subreaper: bool
    parent_death_signal: int | None
    warn_on_reap: bool
    socket: str | None
    anonymous: str
    allow_host: tuple[str, ...]
    http_user: str
    history: int
    no_http: bool
    verbose: int
    quiet: bool
    log_format: str

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("the configuration is frozen")


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Config:
    """The configuration for ``initd ARGV…``. Raises Refusal; code 0 means help or version was asked for."""
    given, command = _command_line(argv)
    values: dict[str, Any] = {option.key: option.default for option in TABLE}
    values.update(_from_environment(environ))
    values.update(given)
    if not command:
        raise Refusal("cannot start: no command was given; say initd -- COMMAND [ARG…], or initd --help")
    listening = values["listen"]
    values.update(
        argv=tuple(command),
        listen_asked=listening is not None,
        listen=_addresses(listening),
        tokens=_tokens(values["tokens"], environ.get("INITD_TOKEN")),
        warnings=_strange_variables(environ),
    )
    return Config(values)


def _addresses(asked: tuple[tuple[str, int] | None, ...] | None) -> tuple[tuple[str, int], ...]:
    if asked is None:
        return options.DEFAULT_LISTEN
    if None in asked and len(asked) > 1:
        raise Refusal("cannot use --listen none together with an address: say one of them")
    return tuple(address for address in asked if address is not None)


def _command_line(argv: Sequence[str]) -> tuple[dict[str, Any], Sequence[str]]:
    """Options up to ``--`` or the first word that is none, and the rest: main's own argv."""
    given: dict[str, Any] = {}
    words = list(argv)
    while words:
        word = words[0]
        if word == "--":
            return given, words[1:]
        if not word.startswith("-") or word == "-":
            break
        words.pop(0)
        if word.startswith("--"):
            _long(word[2:], words, given)
        else:
            _short(word[1:], words, given)
    return given, words


def _long(word: str, words: list[str], given: dict[str, Any]) -> None:
    name, equals, value = word.partition("=")
    if name in ("help", "version"):
        raise Refusal(_help() if name == "help" else _version(), code=0)
    option = next((row for row in TABLE if row.name == name), None)
    if option is None:
        raise Refusal(f"cannot use --{name}: there is no such option; see initd --help")
    if option.metavar is None:
        if equals:
            raise Refusal(f"cannot use --{word}: --{name} takes no value; leave it out")
        _put(given, option, None)
        return
    if not equals:
        if not words:
            raise Refusal(f"cannot use --{name}: it needs a value; say --{name} {option.metavar}")
        value = words.pop(0)
    _put(given, option, _convert(option, f"--{name}", value))


def _short(cluster: str, words: list[str], given: dict[str, Any]) -> None:
    while cluster:
        letter, cluster = cluster[0], cluster[1:]
        if letter in "hV":
            raise Refusal(_help() if letter == "h" else _version(), code=0)
        option = next((row for row in TABLE if row.short == letter), None)
        if option is None:
            raise Refusal(f"cannot use -{letter}: there is no such option; see initd --help")
        if option.metavar is None:
            _put(given, option, None)
            continue
        if not cluster and not words:
            raise Refusal(f"cannot use -{letter}: it needs a value; say -{letter} {option.metavar}")
        value = cluster or words.pop(0)
        _put(given, option, _convert(option, f"-{letter}", value))
        return


def _put(given: dict[str, Any], option: Option, value: object) -> None:
    if option.metavar is None:
        given[option.key] = given.get(option.key, 0) + 1 if option.count else True
    elif option.many:
        given[option.key] = (*given.get(option.key, ()), value)
    else:
        given[option.key] = value


def _convert(option: Option, shown: str, text: str) -> object:
    assert option.convert is not None
    try:
        return option.convert(text)
    except ValueError as error:
        raise Refusal(f"cannot use {shown} {text[:200]!r}: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in TABLE:
        text = environ.get(option.variable)
        if text is None:
            continue
        if option.count:
            found[option.key] = _convert_with(option, options.number(0, 9), text)
        elif option.metavar is None:
            found[option.key] = _convert_with(option, options.choice("1", "0"), text) == "1"
        elif option.many:
            words = (word for word in text.split(",") if word)
            found[option.key] = tuple(_convert(option, option.variable, word) for word in words)
        else:
            found[option.key] = _convert(option, option.variable, text)
    return found


def _convert_with(option: Option, convert: Any, text: str) -> Any:
    try:
        return convert(text)
    except ValueError as error:
        raise Refusal(f"cannot use {option.variable} {text[:200]!r}: {error}") from None


def _strange_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """INITD_ variables that are no option: a typing error, or Kubernetes' links to a service called initd."""
    known = {option.variable for option in TABLE} | {"INITD_TOKEN"}
    return tuple(
        f"{name} is not an option's variable, and is ignored; see initd --help"
        for name in environ
        if name.startswith("INITD_") and name not in known
        if "_SERVICE_" not in name and not name.startswith("INITD_PORT")
    )


def _tokens(path: str | None, single: str | None) -> tuple[tuple[str, str], ...]:
    """The token table. A token is never shown, not even in a refusal."""
    found: list[tuple[str, str]] = []
    if single is not None:
        _check_token(single, "INITD_TOKEN")
        found.append(("control", single))
    if path is None:
        return tuple(found)
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read(1 << 20).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refusal(f"cannot read the token file {path}: {why}; give initd a readable file") from None
    for place, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{path} line {place}"
        if len(words) != 2 or words[0] not in options.ROLES:
            raise Refusal(f"cannot use {where}: say ROLE TOKEN, with health, metrics, read or control")
        _check_token(words[1], where)
        found.append((words[0], words[1]))
    return tuple(found)


def _check_token(token: str, where: str) -> None:
    if len(token) < options.TOKEN_MINIMUM:
        cure = f"say at least {options.TOKEN_MINIMUM} characters, such as the output of openssl rand -hex 16"
        raise Refusal(f"cannot use the token in {where}: it is too short; {cure}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Refusal(f"cannot use the token in {where}: say printable ASCII without spaces")


def _version() -> str:
    from initd import __version__

    return f"initd {__version__}"


def _help() -> str:
    from initd.usage import render

    return render()
