"""cli.py: command line over environment over default; every wrong word is one line that begins "cannot "."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from initd import __version__, cli
from initd.cli import Config, Refusal, parse
from initd.options import DEFAULT_LISTEN, TABLE, Option

from .driver import QUICK
from .refusing import refusal

# option: two right texts with their values, and a wrong one
SAMPLES: dict[str, tuple[str, Any, str, Any, str]] = {
    "restart": ("always", ("always", None), "on-failure:2", ("on-failure", 2), "never"),
    "stop-signal": ("INT", 2, "HUP", 1, "NOPE"),
    "stop-timeout": ("5s", 5.0, "1m", 60.0, "x"),
    "sweep-timeout": ("0", 0.0, "2s", 2.0, "x"),
    "watchdog": ("30s", 30.0, "500ms", 0.5, "often"),
    "drain": ("3s", 3.0, "500ms", 0.5, "-1"),
    "expect-exit": ("1", 1, "143", 143, "256"),
    "user": ("www", ("www", None), "1:2", ("1", "2"), ":"),
    "workdir": ("/a", "/a", "b", "b", ""),
    "umask": ("022", 0o22, "7", 7, "9"),
    "nice": ("5", 5, "-5", -5, "99"),
    "oom-score-adj": ("5", 5, "-5", -5, "9999"),
    "rlimit": ("CORE=0", (4, 0, 0), "NOFILE=1:2", (7, 1, 2), "NOPE=1"),
    "ready-tcp": ("8080", "127.0.0.1:8080", "[::1]:80", "[::1]:80", "host:80"),
    "ready-http": ("8080/x", "http://127.0.0.1:8080/x", "http://[::1]/", "http://[::1]:80/", "8080/a b"),
    "ready-exec": ("check", ("check",), "sh -c 'a b'", ("sh", "-c", "a b"), "'"),
    "ready-period": ("500ms", 0.5, "2s", 2.0, "1ms"),
    "ready-timeout": ("500ms", 0.5, "2s", 2.0, "1ms"),
    "ready-failures": ("1", 1, "5", 5, "0"),
    "ready-max-zombies": ("0", 0, "10", 10, "-1"),
    "ready-free-pids": ("1", 1, "10", 10, "0"),
    "health-tcp": ("8080", "127.0.0.1:8080", "[::1]:80", "[::1]:80", "host:80"),
    "health-http": ("8080/x", "http://127.0.0.1:8080/x", "http://[::1]/", "http://[::1]:80/", "8080/a b"),
    "health-exec": ("check", ("check",), "sh -c 'a b'", ("sh", "-c", "a b"), "'"),
    "health-period": ("500ms", 0.5, "2s", 2.0, "1ms"),
    "health-timeout": ("500ms", 0.5, "2s", 2.0, "1ms"),
    "health-failures": ("1", 1, "5", 5, "0"),
    "health-grace": ("0", 0.0, "1m", 60.0, "x"),
    "health-action": ("shutdown", "shutdown", "none", "none", "kill"),
    "pre-start": ("tidy", ("tidy",), "sh -c 'a b'", ("sh", "-c", "a b"), "'"),
    "pre-start-timeout": ("500ms", 0.5, "2s", 2.0, "1ms"),
    "post-stop": ("tidy", ("tidy",), "sh -c 'a b'", ("sh", "-c", "a b"), "'"),
    "post-stop-timeout": ("500ms", 0.5, "2s", 2.0, "1ms"),
    "rewrite": ("HUP:QUIT", (1, 3), "TERM:0", (15, 0), "TERM"),
    "parent-death-signal": ("KILL", 9, "TERM", 15, "0"),
    "listen": ("127.0.0.1:1", ("127.0.0.1", 1), "[::1]:2", ("::1", 2), "host:80"),
    "socket": ("/a.sock", "/a.sock", "none", None, ""),
    "anonymous": ("health", "health", "read", "read", "root"),
    "allow-host": ("A.b", "a.b", "c", "c", "a/b"),
    "http-user": ("root", "root", "1000", "1000", ""),
    "history": ("7", 7, "9", 9, "0"),
    "log-format": ("json", "json", "text", "text", "xml"),
}
FLAGS = [option for option in TABLE if option.metavar is None and not option.count]
VALUED = [option for option in TABLE if option.name in SAMPLES]


def named(options: list[Option]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("option", options, ids=lambda option: option.name)


def test_every_option_is_tested_here() -> None:
    others = {"tokens", "verbose", "wait-orphans", "tls-cert", "tls-key", "tls-client-ca"}
    others |= {option.name for option in FLAGS}
    assert set(SAMPLES) | others == {option.name for option in TABLE}


@named(VALUED)
def test_a_value_comes_by_both_spellings_from_the_line_and_the_environment(option: Option) -> None:
    first, value, second, other, _ = SAMPLES[option.name]
    wrap = (lambda *values: values) if option.many else (lambda *values: values[-1])
    long, short = f"--{option.name}", f"-{option.short}"
    given: list[tuple[list[str], dict[str, str], Any]] = [
        ([long, first], {}, wrap(value)),
        ([f"{long}={first}"], {}, wrap(value)),
        ([f"{long}={first}", long, second], {}, wrap(value, other)),
        ([], {option.variable: second}, wrap(other)),
        ([f"{long}={first}"], {option.variable: second}, wrap(value)),
    ]
    if option.short:
        given += [([short, first], {}, wrap(value)), ([f"{short}{first}"], {}, wrap(value))]
    for words, environ, expected in given:
        config = parse([*words, "x"], environ)
        assert getattr(config, option.key) == expected
        assert config.argv == ("x",)


@named(VALUED)
def test_a_wrong_value_is_refused_by_the_name_it_came_under(option: Option) -> None:
    wrong = SAMPLES[option.name][4]
    assert refusal(f"--{option.name}={wrong}", "x").startswith(f"cannot use --{option.name} {wrong!r}: say ")
    if wrong:
        text = refusal("x", environ={option.variable: wrong})
        assert text.startswith(f"cannot use {option.variable} {wrong!r}: say ")
    if option.short:
        assert refusal(f"-{option.short}", wrong, "x").startswith(f"cannot use -{option.short} {wrong!r}: ")


@named(list(TABLE))
def test_an_empty_variable_is_as_good_as_none(option: Option) -> None:
    assert cli.parse(["x"], {option.variable: ""}).__dict__ == cli.parse(["x"], {}).__dict__


@named(VALUED)
def test_a_missing_value_is_refused_with_what_to_say(option: Option) -> None:
    assert refusal(f"--{option.name}").endswith(f"it needs a value; say --{option.name} {option.metavar}")
    if option.short:
        assert refusal(f"-{option.short}").endswith(f"say -{option.short} {option.metavar}")


@named([option for option in VALUED if option.many])
def test_commas_separate_a_repeatable_option_in_the_environment(option: Option) -> None:
    first, value, second, other, _ = SAMPLES[option.name]
    config = parse(["x"], {option.variable: f"{first},{second},"})
    assert getattr(config, option.key) == (value, other)


@named(FLAGS)
def test_a_flag_is_off_until_it_is_given(option: Option) -> None:
    main = [] if option.name == "observe" else ["x"]  # an observer has none
    assert not getattr(parse(["x"], {}), option.key)
    assert getattr(parse([f"--{option.name}", *main], {}), option.key) is True
    assert getattr(parse(main, {option.variable: "1"}), option.key) is True
    assert not getattr(parse(["x"], {option.variable: "0"}), option.key)
    assert getattr(parse([f"--{option.name}", *main], {option.variable: "0"}), option.key) is True
    assert "takes no value" in refusal(f"--{option.name}=1", "x")
    assert refusal("x", environ={option.variable: "yes"}).endswith("say 1 or 0")


def test_verbose_adds_up() -> None:
    assert [parse(argv, {}).verbose for argv in (["x"], ["-v", "x"], ["-vv", "--verbose", "x"])] == [0, 1, 3]
    assert parse(["x"], {"INITD_VERBOSE": "2"}).verbose == 2
    assert refusal("x", environ={"INITD_VERBOSE": "x"}).startswith("cannot use INITD_VERBOSE 'x': say ")


def test_letters_may_be_joined_and_the_last_may_take_its_value_there() -> None:
    config = parse(["-gvwe143", "-qr", "HUP:0", "x"], {})
    assert (config.group, config.verbose, config.warn_on_reap, config.quiet) == (True, 1, True, True)
    assert (config.expect_exit, config.rewrite) == ((143,), ((1, 0),))
    assert refusal("-vq=1", "x") == "cannot use -q=1: -q takes no value; leave it out"


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["--", "-x", "--", "y"], ("-x", "--", "y")),
        (["x", "-v", "--group"], ("x", "-v", "--group")),
        (["-v", "x", "--", "y"], ("x", "--", "y")),
        (["-"], ("-",)),
        (["--", "--help"], ("--help",)),
        ([""], ("",)),
    ],
)
def test_options_end_at_two_dashes_or_the_first_word(argv: list[str], command: tuple[str, ...]) -> None:
    assert parse(argv, {}).argv == command


def test_the_defaults_are_those_of_the_contract() -> None:
    config = parse(["x"], {"PATH": "/bin"})
    assert (config.restart, config.stop_signal, config.stop_timeout) == (("no", None), 15, 10.0)
    assert (config.sweep_timeout, config.drain, config.history) == (1.0, 0.0, 2000)
    assert (config.listen, config.listen_asked) == (DEFAULT_LISTEN, False)
    assert DEFAULT_LISTEN == (("::", 9911),)
    assert (config.socket, config.anonymous, config.http_user) == ("/run/initd.sock", "metrics", "nobody")
    assert (config.credentials, config.warnings, config.log_format) == (((), ()), (), "text")


@pytest.mark.parametrize("kind", ["ready", "health"])
@pytest.mark.parametrize(("how", "target"), [("tcp", "80"), ("http", "80/x")])
def test_a_check_that_web_would_make_is_refused_without_web(kind: str, how: str, target: str) -> None:
    name, instead = f"{kind}-{how}", f"--{kind}-exec"
    line = f"cannot use --{name} with --no-http: web makes that check; say {instead}"
    assert refusal(f"--{name}", target, "--no-http", "x") == line
    variables = {"INITD_NO_HTTP": "1", f"INITD_{kind.upper()}_{how.upper()}": target}
    assert refusal("x", environ=variables) == line
    assert parse([f"--{name}", target, "x"], {}).no_http is False


@pytest.mark.parametrize("name", ["ready-exec", "health-exec", "pre-start", "post-stop"])
def test_what_is_a_command_needs_no_web(name: str) -> None:
    config = parse([f"--{name}", "true", "--no-http", "x"], {})
    assert getattr(config, name.replace("-", "_")) == ("true",)


def test_checks_and_hooks_have_the_times_of_the_contract() -> None:
    config = parse(["x"], {})
    assert (config.ready_period, config.ready_timeout, config.ready_failures) == (1.0, 1.0, 3)
    assert (config.health_period, config.health_timeout, config.health_failures) == (10.0, 1.0, 3)
    assert (config.health_grace, config.health_action) == (0.0, "restart")
    assert (config.pre_start_timeout, config.post_stop_timeout) == (60.0, 5.0)
    assert {config.ready_tcp, config.health_exec, config.pre_start, config.post_stop} == {None}


def test_an_observer_starts_nothing_and_is_there_to_be_asked() -> None:
    assert "starts nothing" in refusal("--observe", "x")
    assert "nobody could ask" in refusal("--observe", "--no-http")


def test_listening_nowhere_is_asked_for_and_stands_alone() -> None:
    config = parse(["--listen", "none", "x"], {})
    assert (config.listen, config.listen_asked) == ((), True)
    assert "say one of them" in refusal("--listen=none", "--listen=:1", "x")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "cannot start: no command was given; say initd -- COMMAND [ARG…], or initd --help"),
        (["--"], "cannot start: no command was given; say initd -- COMMAND [ARG…], or initd --help"),
        (["--nope", "x"], "cannot use --nope: there is no such option; see initd --help"),
        (["--nope=1", "x"], "cannot use --nope: there is no such option; see initd --help"),
        (["-z", "x"], "cannot use -z: there is no such option; see initd --help"),
        (["-vz", "x"], "cannot use -z: there is no such option; see initd --help"),
        (["--Group", "x"], "cannot use --Group: there is no such option; see initd --help"),
        (["--=1", "x"], "cannot use --: there is no such option; see initd --help"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(argv: list[str], line: str) -> None:
    assert refusal(*argv) == line


LINE_BREAKERS = ["--a\nb", "--a\nb=1", "--group=\n", "-\n", "-\x1b", "--\u2028", "--user=\n:", "--tokens=/\n"]


@pytest.mark.parametrize("word", LINE_BREAKERS)
def test_a_refusal_stays_one_line_whatever_was_given(word: str) -> None:
    refusal(word, "x")


@pytest.mark.parametrize("argv", [["-h"], ["--help", "--nope"], ["-vh"]])
def test_help_is_no_refusal(argv: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        parse(argv, {})
    assert caught.value.code == 0
    assert str(caught.value).startswith(f"initd {__version__}: ")


@pytest.mark.parametrize("argv", [["-V"], ["--version"]])
def test_the_version_is_told(argv: list[str]) -> None:
    with pytest.raises(Refusal, match=f"^initd {__version__}$") as caught:
        parse(argv, {})
    assert caught.value.code == 0


def test_the_configuration_is_frozen() -> None:
    config = parse(["x"], {})
    with pytest.raises(AttributeError):
        config.group = True


def test_variables_that_are_no_options_are_warned_of_but_not_kubernetes_links() -> None:
    environ = {"INITD_RESTRAT": "always", "INITD_SERVICE_HOST": "10.0.0.1", "INITD_PORT": "tcp://10.0.0.1:1"}
    environ |= {"INITD_PORT_80_TCP_ADDR": "10.0.0.1", "INITD_TOKEN": "x" * 20, "INITDX": "1"}
    (warning,) = parse(["x"], environ).warnings
    assert warning.startswith("INITD_RESTRAT ")


# --- anything -------------------------------------------------------------------------------------

NO_NUL = st.characters(exclude_characters="\0")
WORDS = st.one_of(
    st.text(NO_NUL, max_size=8),
    st.binary(max_size=6).map(lambda raw: os.fsdecode(raw.replace(b"\0", b""))),
    st.sampled_from(["--", "-", "-h", "--help", "x"]),
    st.sampled_from([f"--{option.name}" for option in TABLE if option.name != "tokens"]),
    st.sampled_from([f"-{option.short}" for option in TABLE if option.short]),
    st.builds(
        lambda name, value: f"--{name}={value}", st.sampled_from(sorted(SAMPLES)), st.text(NO_NUL, max_size=6)
    ),
)
NAMES = [option.variable for option in TABLE if option.name != "tokens"]
VARIABLES = st.dictionaries(
    st.sampled_from([*NAMES, "INITD_X", "INITD_TOKEN"]),
    st.text(NO_NUL, max_size=24),
    max_size=2,
)


@QUICK
@example(["--\udcff", "x"], {})
@example(["--a\nb"], {})
@given(st.lists(WORDS, max_size=5), VARIABLES)
def test_any_command_line_is_a_configuration_or_one_line(argv: list[str], environ: dict[str, str]) -> None:
    got = parsed(argv, environ)
    if isinstance(got, Config):
        assert got.argv == tuple(argv[len(argv) - len(got.argv) :])
    elif got.code != 0:
        shown = str(got).encode("utf-8", "backslashreplace").decode()  # as it is written to stderr
        token = environ.get("INITD_TOKEN", "")
        assert (got.code, shown[:7], shown.isprintable()) == (cli.REFUSED, "cannot ", True)
        assert len(token) < 9 or token not in shown


def parsed(argv: list[str], environ: dict[str, str]) -> Config | Refusal:
    try:
        return parse(argv, environ)
    except Refusal as refused:
        return refused


@pytest.mark.parametrize(
    ("words", "variables", "value"),
    [
        ([], {}, None),
        (["--wait-orphans"], {}, float("inf")),
        (["--wait-orphans=5s"], {}, 5.0),
        ([], {"INITD_WAIT_ORPHANS": "1"}, float("inf")),
        ([], {"INITD_WAIT_ORPHANS": "0"}, None),
        ([], {"INITD_WAIT_ORPHANS": "2m"}, 120.0),
        (["--wait-orphans=3s"], {"INITD_WAIT_ORPHANS": "1"}, 3.0),
    ],
)
def test_an_optional_value_only_follows_an_equals_sign(
    words: list[str], variables: dict[str, str], value: float | None
) -> None:
    config = cli.parse([*words, "sleep", "9"], variables)
    assert (config.wait_orphans, config.argv) == (value, ("sleep", "9"))
