"""options.py and values.py: one converter per kind of value; a wrong one says the cure."""

from __future__ import annotations

import contextlib
import resource
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import values
from initd.options import OPTIONS, TABLE, Option
from initd.signals import RTMIN

from .driver import QUICK

# option, text, value
GOOD: list[tuple[str, str, Any]] = [
    *[("stop-timeout", text, value) for text, value in [
        ("10", 10.0), ("10s", 10.0), ("500ms", 0.5), ("1.5m", 90.0), ("1h", 3600.0), ("0", 0.0),
        ("24h", 86_400.0), (".5", 0.5), ("5.", 5.0),
    ]],
    *[("restart", text, value) for text, value in [
        ("no", ("no", None)), ("always", ("always", None)), ("on-failure", ("on-failure", None)),
        ("on-failure:3", ("on-failure", 3)),
    ]],
    *[("listen", text, value) for text, value in [
        ("none", None), ("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:9911", ("::1", 9911)), (":0", ("::", 0)),
        ("*:1", ("::", 1)), ("localhost:65535", ("127.0.0.1", 65_535)), ("0.0.0.0:1", ("0.0.0.0", 1)),
    ]],
    *[("rewrite", text, value) for text, value in [
        ("TERM:QUIT", (15, 3)), ("15:0", (15, 0)), ("sighup:SIGRTMIN+1", (1, RTMIN + 1)),
    ]],
    *[("rlimit", text, value) for text, value in [
        ("NOFILE=1024", (7, 1024, 1024)), ("nofile=1:2", (7, 1, 2)), ("RLIMIT_CORE=unlimited", (4, -1, -1)),
        ("AS=5:unlimited", (9, 5, -1)),
    ]],
    *[(name, text, value) for name in ("ready-tcp", "health-tcp") for text, value in [
        ("8080", "127.0.0.1:8080"), (":1", "127.0.0.1:1"), ("localhost:65535", "127.0.0.1:65535"),
        ("10.0.0.1:80", "10.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("0080", "127.0.0.1:80"),
    ]],
    *[(name, text, value) for name in ("ready-http", "health-http") for text, value in [
        ("8080/health", "http://127.0.0.1:8080/health"), ("8080", "http://127.0.0.1:8080/"),
        ("8080/", "http://127.0.0.1:8080/"), ("[::1]:80/a/b?c=d", "http://[::1]:80/a/b?c=d"),
        ("http://10.0.0.1/x", "http://10.0.0.1:80/x"), ("https://10.0.0.1/", "https://10.0.0.1:443/"),
        ("http://[::1]/x", "http://[::1]:80/x"), ("https://localhost:1/x", "https://127.0.0.1:1/x"),
        ("http://8080/x", "http://127.0.0.1:8080/x"), ("8080/%C3%BC", "http://127.0.0.1:8080/%C3%BC"),
    ]],
    *[(name, text, value) for name in ("ready-exec", "health-exec", "pre-start", "post-stop")
      for text, value in [
        ("true", ("true",)), ("  /bin/check   --fast ", ("/bin/check", "--fast")),
        ("sh -c 'exit 1; #'", ("sh", "-c", "exit 1; #")), ('a "b c" ""', ("a", "b c", "")),
        ("a\\ b $HOME", ("a b", "$HOME")), ("\udcff", ("\udcff",)),
    ]],
    *[(name, text, value) for name in (
        "ready-period", "ready-timeout", "health-period", "health-timeout", "pre-start-timeout",
        "post-stop-timeout",
    ) for text, value in [("10ms", 0.01), ("2s", 2.0), ("24h", 86_400.0)]],
    *[(name, text, value) for name in ("ready-failures", "health-failures")
      for text, value in [("1", 1), ("1000", 1000)]],
    ("health-grace", "0", 0.0), ("health-grace", "1m", 60.0),
    ("health-action", "none", "none"), ("health-action", "shutdown", "shutdown"),
    ("ready-max-zombies", "0", 0), ("ready-max-zombies", "4194304", 4_194_304),
    ("ready-free-pids", "1", 1), ("ready-free-pids", "100", 100),
    ("stop-signal", "SIGINT", 2), ("stop-signal", "2", 2),
    ("expect-exit", "0", 0), ("expect-exit", "255", 255),
    ("user", "www", ("www", None)), ("user", "1:2", ("1", "2")),
    ("umask", "022", 0o22), ("umask", "0", 0), ("umask", "0777", 0o777),
    ("nice", "-20", -20), ("nice", "19", 19), ("oom-score-adj", "-1000", -1000),
    ("socket", "none", None), ("socket", "/run/x", "/run/x"),
    ("socket", "/" + "x" * 106, "/" + "x" * 106),
    ("anonymous", "control", "control"), ("log-format", "json", "json"),
    ("allow-host", "A.Example", "a.example"), ("history", "1", 1), ("history", "100000", 100_000),
    ("workdir", "x", "x"), ("http-user", "root", "root"),
]  # fmt: skip
BAD: list[tuple[str, str]] = [
    *[("stop-timeout", text) for text in
      ["", "s", "ms", ".", "-1", "1d", "1.2.3", "1e3", "inf", "nan", "25h", "86401", "9" * 400,
       "\u0661", "²", " 1", "1 s"]],
    *[("restart", text) for text in
      ["", "never", "always:3", "no:1", "on-failure:", "on-failure:0", "on-failure:-1",
       "on-failure:x", "No"]],
    *[("listen", text) for text in
      ["", "9911", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "::1:80",
       "[::1]", "[127.0.0.1]:80", "example.com:80", "1.2.3:80", "[::1:80", "127.0.0.1:8\n0", "None", "\0:1"]],
    *[("rewrite", text) for text in ["", "TERM", "TERM:", ":TERM", "0:TERM", "TERM:NOPE", "TERM:QUIT:INT"]],
    *[("rlimit", text) for text in
      ["", "NOFILE", "NOFILE=", "NOPE=1", "NOFILE=x", "NOFILE=-1", "NOFILE=1:x", "NOFILE=1:2:3",
       "NOFILE=2:1", "NOFILE=unlimited:9"]],
    *[(name, text) for name in ("ready-tcp", "health-tcp") for text in
      ["", ":", "0", "65536", "-1", "x", "127.0.0.1:", "127.0.0.1:x", "::1:80", "[::1]", "example.com:80",
       "1.2.3:80", "[::1:80", "127.0.0.1:80/x", "80 ", "\u0661", "[]:80", "[127.0.0.1]:80",
       "[localhost]:80"]],
    *[(name, text) for name in ("ready-http", "health-http") for text in
      ["", "/", "/x", "x/y", "ftp://127.0.0.1/", "HTTP:/127.0.0.1", "http:/127.0.0.1/", "://1/x", "8080/a b",
       "8080/ü", "8080/a\r\nX: y", "8080/\0", "8080?x", "http://example.com/", "http://user@127.0.0.1/",
       "http://127.0.0.1:0/", "http://127.0.0.1:/", "http://::1/x", "http://"]],
    *[(name, text) for name in ("ready-exec", "health-exec", "pre-start", "post-stop") for text in
      ["", " ", "'", '"a', "a\\", "''", "'' a"]],
    *[(name, text) for name in (
        "ready-period", "ready-timeout", "health-period", "health-timeout", "pre-start-timeout",
        "post-stop-timeout",
    ) for text in ["", "0", "9ms", "25h", "x"]],
    *[(name, text) for name in ("ready-failures", "health-failures") for text in ["", "0", "1001", "x"]],
    *[("health-grace", text) for text in ["", "-1", "25h"]],
    *[("health-action", text) for text in ["", "kill", "Restart"]],
    *[("ready-max-zombies", text) for text in ["", "-1", "4194305"]],
    *[("ready-free-pids", text) for text in ["", "0", "4194305"]],
    *[("stop-signal", text) for text in ["", "0", "65", "NOPE"]],
    *[("expect-exit", text) for text in ["", "-1", "256", "x", "1.0"]],
    *[("user", text) for text in ["", ":", "a:", ":b"]],
    *[("umask", text) for text in ["", "8", "00022", "0o22", "-1"]],
    *[("nice", text) for text in ["-21", "20", "x"]],
    *[("oom-score-adj", text) for text in ["1001", "-1001", ""]],
    *[("socket", text) for text in ["", "/" + "x" * 107, "/" + "ü" * 54]],
    *[("anonymous", text) for text in ["", "root", "none"]],
    *[("history", text) for text in ["0", "100001", ""]],
    *[("allow-host", text) for text in ["", "a b", "http://a"]],
    ("workdir", ""), ("http-user", ""), ("tokens", ""), ("log-format", "xml"), ("parent-death-signal", "x"),
]  # fmt: skip
VALUED = [option for option in TABLE if option.convert is not None]


def convert(name: str, text: str) -> Any:
    (option,) = [row for row in TABLE if row.name == name]
    assert option.convert is not None
    return option.convert(text)


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_a_right_value_is_read(name: str, text: str, value: Any) -> None:
    assert convert(name, text) == value


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_wrong_value_says_the_cure(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^say "):
        convert(name, text)


@pytest.mark.parametrize("option", VALUED, ids=lambda option: option.name)
def test_every_option_with_a_value_has_a_right_one_in_this_file(option: Option) -> None:
    assert option.name in {row[0] for row in GOOD} | {
        "sweep-timeout", "drain", "watchdog", "wait-orphans", "parent-death-signal", "tokens",
        "tls-cert", "tls-key", "tls-client-ca",
    }  # fmt: skip
    assert option.metavar


@pytest.mark.parametrize("option", VALUED, ids=lambda option: option.name)
def test_any_text_is_a_value_or_a_value_error(option: Option) -> None:
    right = [text for name, text, _ in GOOD if name == option.name] or ["TERM"]

    @QUICK
    @given(st.text(max_size=12) | st.sampled_from(right))
    def check(text: str) -> None:
        with contextlib.suppress(ValueError):
            convert(option.name, text)

    check()


def test_names_letters_and_variables_are_each_used_once() -> None:
    names = [option.name for option in TABLE]
    letters = [option.short for option in TABLE if option.short]
    assert len(set(names)) == len(names)
    assert len(set(letters)) == len(letters)
    assert not {"h", "V"} & set(letters)
    assert not {"help", "version"} & set(names)
    assert len(OPTIONS) > len(TABLE)


def test_the_options_are_those_of_the_contract() -> None:
    short = {option.short: option.name for option in TABLE if option.short}
    assert short == {
        "s": "subreaper", "g": "group", "p": "parent-death-signal", "e": "expect-exit", "w": "warn-on-reap",
        "v": "verbose", "q": "quiet", "r": "rewrite",
    }  # fmt: skip
    repeatable = {option.name for option in TABLE if option.many}
    assert repeatable == {"expect-exit", "rewrite", "listen", "allow-host", "rlimit"}


def test_the_limits_are_the_kernels_numbers() -> None:
    for name, number in values.RLIMITS.items():
        known = getattr(resource, f"RLIMIT_{name}", None)
        assert known in (None, number)
