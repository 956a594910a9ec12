"""argv and environment to a frozen configuration, or one refusal in the user's words.

Law of this file: nothing happens here but reading. The command line wins over INITD_ variables,
and those over the table's defaults. Exit codes as in docker: 125 is our own refusal.
"""

from __future__ import annotations

from initd import options, values
from initd.config import Config as Config  # noqa: PLC0414  for whoever takes a configuration from here
from initd.options import TABLE, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from initd.inputs import Credentials

REFUSED = 125
_GREETING = 16_384  # characters of web's hello for what options name; tokens.py has a limit for the rest
_FACTS: dict[str, Any] = {  # what no option of initd's changes, but being another program does
    "persona": None,
    "own_group": True,
    "adopts": True,
    "farewell": False,
    "default_signals": False,
    "own_signals": (),
    "listen_pid": False,
}


class Refusal(Exception):
    """We will not start: ``str()`` is the one line to show on ``fd``, ``code`` what to exit with."""

    def __init__(self, text: str, code: int = REFUSED) -> None:
        super().__init__(text if code == 0 else one_line(text))
        self.code = code
        self.fd = 2 if code else 1


def one_line(text: str) -> str:
    """What is quoted from the user may hold anything; a refusal stays one printable line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Config:
    """The configuration for ``initd ARGV…``. Raises Refusal; code 0 means help or version was asked for."""
    given, command = _command_line(argv)
    config = settle(command, environ, {}, given)
    if not command and not config.observe:
        raise Refusal("cannot start: no command was given; say initd -- COMMAND [ARG…], or initd --help")
    return config


def _refuse_main(command: Sequence[str], settled: Mapping[str, Any]) -> None:
    """An observer has no main, so that nothing that is about main makes sense."""
    if command:
        raise Refusal(f"cannot start {command[0]!r} with --observe: an observer starts nothing; leave it out")
    if settled["no_http"]:
        raise Refusal("cannot use --observe with --no-http: nobody could ask; leave one of them out")


def settle(
    command: Sequence[str], environ: Mapping[str, str], defaults: Mapping[str, Any], given: Mapping[str, Any]
) -> Config:
    """The table's defaults, ``defaults``, INITD_ variables, ``given``: each wins over those before it."""
    settled: dict[str, Any] = {option.key: option.default for option in TABLE}
    settled |= {**_FACTS, **defaults, **_from_environment(environ), **given}
    settled.setdefault("suspends", settled["session"])
    if settled["session"]:
        settled["rewrite"] = _session_rewrite() + settled["rewrite"]
    _refuse_blind_checks(settled)
    _refuse_half_tls(settled)
    _refuse_long_lists(settled)
    if settled["observe"]:
        _refuse_main(command, settled)
    listening = settled["listen"]
    settled.update(
        argv=tuple(command),
        listen_asked=listening is not None,
        listen=_addresses(listening),
        token=environ.get("INITD_TOKEN"),
        **_files(settled),
        credentials=_credentials(settled["tokens"], environ.get("INITD_TOKEN")),
        warnings=_strange_variables(environ),
    )
    return Config(settled)


def _session_rewrite() -> tuple[tuple[int, int], ...]:
    """In a session of its own main's group is an orphaned one, which the kernel does not stop by those."""
    from initd import signals

    return tuple((number, signals.NUMBERS["STOP"]) for number in signals.JOB_CONTROL)


def _refuse_blind_checks(settled: Mapping[str, Any]) -> None:
    """Connections are made by web: PID 1 reads nothing that a network may send."""
    for name in ("ready-tcp", "ready-http", "health-tcp", "health-http"):
        if settled["no_http"] and settled[name.replace("-", "_")] is not None:
            exec_name = name.partition("-")[0] + "-exec"
            raise Refusal(f"cannot use --{name} with --no-http: web makes that check; say --{exec_name}")


def _refuse_half_tls(settled: Mapping[str, Any]) -> None:
    """What belongs together comes together; whether the files are any good is web's to say."""
    cert, key, authority = (settled[f"tls_{name}"] for name in ("cert", "key", "client_ca"))
    if (cert is None) != (key is None):
        given, missing = ("key", "cert") if cert is None else ("cert", "key")
        raise Refusal(f"cannot use --tls-{given} alone: say --tls-{missing} as well")
    if authority is not None and cert is None:
        raise Refusal("cannot use --tls-client-ca without TLS: say --tls-cert and --tls-key as well")


def _refuse_long_lists(settled: Mapping[str, Any]) -> None:
    """What web is told in its greeting has to fit into one datagram, with the tokens."""
    names = ("allow_host", "http_user", "listen", "tls_cert", "tls_key", "tls_client_ca")
    told = {name: settled[name] for name in names}
    if len(repr(told)) < _GREETING // 12:  # no character takes more in JSON
        return
    from initd.compact_json import encode  # for those who name a great deal

    if (taken := len(encode(told))) > _GREETING:
        raise Refusal(
            f"cannot use so many --allow-host, --listen and names of files: they take {taken} characters, "
            f"and web can be told {_GREETING}; say fewer"
        )


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
    if not equals and option.implied is not None:
        _put(given, option, option.implied)
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
            if cluster.startswith("="):
                raise Refusal(f"cannot use -{letter}{cluster}: -{letter} takes no value; leave it out")
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


def _convert(option: Option, shown: str, text: str, convert: Callable[[str], Any] | None = None) -> Any:
    """By the option's own converter, unless a flag needs one for its variable."""
    convert = convert or option.convert
    assert convert is not None
    try:
        return convert(text)
    except ValueError as error:
        raise Refusal(f"cannot use {shown} {text[:200]!r}: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in TABLE:
        text = environ.get(option.variable)
        if not text:  # VARIABLE= is what compose files make of a value that is not there
            continue
        if option.count:
            found[option.key] = _convert(option, option.variable, text, values.number(0, 9))
        elif option.metavar is None:
            found[option.key] = _convert(option, option.variable, text, values.choice("1", "0")) == "1"
        elif option.implied is not None and text in ("1", "0"):
            found[option.key] = option.implied if text == "1" else option.default
        elif option.many:
            words = (word for word in text.split(",") if word)
            found[option.key] = tuple(_convert(option, option.variable, word) for word in words)
        else:
            found[option.key] = _convert(option, option.variable, text)
    return found


def _strange_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """INITD_ variables that are no option: a typing error, or Kubernetes' links to a service called initd."""
    known = {option.variable for option in TABLE} | {"INITD_TOKEN"}
    return tuple(
        f"{name} is not an option's variable, and is ignored; see initd --help"
        for name in environ
        if name.startswith("INITD_") and name not in known
        if "_SERVICE_" not in name and not name.startswith("INITD_PORT")
    )


def _files(settled: Mapping[str, Any]) -> dict[str, Any]:
    """To be looked at before they are read: a change that comes in between is still to be seen."""
    if settled["tokens"] is None and settled["tls_cert"] is None:
        return {"files": (), "files_seen": ()}
    from initd import credentials

    names = credentials.files(settled)
    return {"files": names, "files_seen": credentials.fingerprint(names)}


def _credentials(path: str | None, single: str | None) -> Credentials:
    if path is None and single is None:
        return (), ()
    from initd import tokens

    try:
        return tokens.read(path, single)
    except ValueError as error:
        raise Refusal(str(error)) from None


def _version() -> str:
    from initd import __version__

    return f"initd {__version__}"


def _help() -> str:
    from initd.usage import render

    return render()
