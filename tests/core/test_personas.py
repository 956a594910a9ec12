"""personas.py and its tables: another init's command line becomes a Config, or that init's own refusal."""

from __future__ import annotations

import getopt
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import persona_catatonit, persona_dumb_init, persona_tini, personas, signals
from initd.cli import Config
from initd.personas import Answer, Program, Row

from .driver import QUICK

TINI, DUMB_INIT, CATATONIT = persona_tini.PROGRAM, persona_dumb_init.PROGRAM, persona_catatonit.PROGRAM
PROGRAMS = {"tini": TINI, "docker-init": TINI, "dumb-init": DUMB_INIT, "catatonit": CATATONIT}
TERM, STOP, QUIT = (signals.NUMBERS[name] for name in ("TERM", "STOP", "QUIT"))


def called(name: str, line: str, **environ: str) -> Config:
    return personas.parse(PROGRAMS[name], name, line.split(), environ)


def answer(name: str, *argv: str, **environ: str) -> Answer:
    with pytest.raises(Answer) as caught:
        personas.parse(PROGRAMS[name], name, argv, environ)
    return caught.value


@pytest.mark.parametrize(
    ("name", "line", "environ", "expected"),
    [
        ("tini", "x", {}, {"group": False, "adopts": False, "session": False, "own_group": True}),
        ("tini", "-sg x", {}, {"group": True, "adopts": True}),
        ("tini", "x", {"TINI_SUBREAPER": "", "TINI_KILL_PROCESS_GROUP": ""}, {"group": True, "adopts": True}),
        ("tini", "-e 143 -e1 x", {}, {"expect_exit": (143, 1)}),
        ("tini", "-p SIGKILL x", {}, {"parent_death_signal": 9}),
        ("tini", "-w x", {}, {"warn_on_reap": False}),  # it is said in tini's own words
        ("docker-init", "-- x -s", {}, {"argv": ("x", "-s"), "adopts": False}),
        ("dumb-init", "x", {}, {"session": True, "suspends": True, "farewell": True, "adopts": False}),
        (
            "dumb-init",
            "-c x",
            {},
            {"session": False, "own_group": False, "suspends": True, "farewell": False},
        ),
        ("dumb-init", "x", {"DUMB_INIT_SETSID": "0"}, {"session": False, "own_group": False}),
        ("dumb-init", "x", {"DUMB_INIT_SETSID": "no"}, {"session": True, "own_group": True}),
        ("catatonit", "x", {}, {"adopts": True, "group": False, "listen_pid": True}),
        ("catatonit", "-g -- x", {}, {"group": True, "argv": ("x",)}),
        ("catatonit", "-P x", {}, {"argv": ()}),
    ],
)
def test_its_options_and_variables_become_ours(
    name: str, line: str, environ: dict[str, str], expected: dict[str, Any]
) -> None:
    config = called(name, line, **environ)
    assert {key: getattr(config, key) for key in expected} == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_another_there_is_no_http_no_sweep_and_no_restart(name: str) -> None:
    config = called(name, "x")
    assert (config.no_http, config.sweep_timeout, config.restart) == (True, 0.0, ("no", None))
    assert config.persona is not None
    assert config.persona.name == name


@pytest.mark.parametrize("name", PROGRAMS)
def test_our_variables_are_heard_and_one_of_them_turns_http_on(name: str) -> None:
    config = called(name, "x", INITD_LISTEN="127.0.0.1:1", INITD_SWEEP_TIMEOUT="2s", INITD_UMASK="077")
    assert (config.no_http, config.listen, config.sweep_timeout) == (False, (("127.0.0.1", 1),), 2.0)
    assert config.umask == 0o077
    assert called(name, "x", INITD_LISTEN="none", INITD_NO_HTTP="1").no_http
    assert called(name, "x", INITD_LISTEN="").no_http


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_another_a_command_cannot_be_only_observed(name: str) -> None:
    refusal = answer(name, "x", INITD_OBSERVE="1")
    assert "cannot start 'x' with --observe: an observer starts nothing; leave it out" in str(refusal)
    assert refusal.code == 1


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_variable_of_ours_is_one_line_in_its_form_and_its_code(name: str) -> None:
    refused = answer(name, "x", INITD_UMASK="9")
    assert (refused.code, refused.fd, str(refused).count("\n")) == (1, 2, 0)
    assert str(refused).endswith("cannot use INITD_UMASK '9': say an octal mask such as 022")


def rewriting(config: Config) -> dict[int, int]:
    return dict(config.rewrite)


def test_dumb_inits_session_turns_terminal_stops_into_stop_unless_told_otherwise() -> None:
    assert rewriting(called("dumb-init", "x")) == dict.fromkeys(signals.JOB_CONTROL, STOP)
    tstp = signals.NUMBERS["TSTP"]
    given_too = rewriting(called("dumb-init", f"-r {tstp}:0 -r 15:2 x"))
    assert (given_too[tstp], given_too[15], given_too[signals.NUMBERS["TTIN"]]) == (0, 2, STOP)
    assert rewriting(called("dumb-init", "-c -r 15:2 x")) == {15: 2}


def test_tini_and_catatonit_keep_faults_for_themselves_and_drop_what_the_terminal_says() -> None:
    for name in ("tini", "catatonit"):
        config = called(name, "x")
        assert signals.NUMBERS["SEGV"] in config.own_signals
        assert TERM not in config.own_signals
        assert rewriting(config)[signals.NUMBERS["TTIN"]] == 0
    assert signals.NUMBERS["TSTP"] not in rewriting(called("tini", "x"))
    assert QUIT not in rewriting(called("catatonit", "x"))
    assert rewriting(called("catatonit", "-P"))[QUIT] == 0
    assert called("dumb-init", "x").own_signals == ()


@pytest.mark.parametrize(
    ("line", "environ", "level"),
    [
        ("x", {}, "warning"),
        ("-v x", {}, "info"),
        ("-vvv x", {}, "trace"),
        ("-vvvvvv x", {}, "trace"),
        ("x", {"TINI_VERBOSITY": "0"}, "error"),
        ("-vvv x", {"TINI_VERBOSITY": " 3"}, "debug"),
        ("x", {"TINI_VERBOSITY": "+2x"}, "info"),
        ("-v x", {"TINI_VERBOSITY": "-7"}, "trace"),
        ("-v x", {"TINI_VERBOSITY": "x"}, "error"),
    ],
)
def test_tinis_verbosity(line: str, environ: dict[str, str], level: str) -> None:
    persona = called("tini", line, **environ).persona
    assert persona is not None
    assert persona.level == level


def told(name: str, line: str, kind: str, **fields: object) -> tuple[tuple[str, str], ...]:
    persona = called(name, line).persona
    assert persona is not None
    return persona.voice(kind, fields)


DEATH = {"process": {"pid": 7}, "code": None, "signal": "KILL"}
END = {"process": {"pid": 7}, "code": 3, "signal": None}


def test_tini_warns_of_reaped_orphans_only_when_asked_and_never_of_web() -> None:
    warning = ("warning", "Reaped zombie process with pid=7")
    assert warning in told("tini", "-w x", "reaped", origin="adopted", **END)
    assert warning not in told("tini", "x", "reaped", origin="adopted", **END)
    assert warning not in told("tini", "-w x", "reaped", origin="main", **END)
    assert told("tini", "-w x", "reaped", origin="web", **END) == ()


def test_a_death_by_signal_is_told_in_each_ones_words() -> None:
    text = "Main child exited with signal (with signal 'Killed')"
    assert told("tini", "x", "main.exited", **DEATH) == (("info", text),)
    text = "A child with PID 7 was terminated by signal 9."
    assert told("dumb-init", "x", "reaped", origin="adopted", **DEATH) == (("debug", text),)
    text = "child process 7 exited due to signal 9"
    assert told("catatonit", "x", "reaped", origin="adopted", **DEATH) == (("debug", text),)


def test_catatonit_tells_what_it_started_and_what_it_reaped_but_main() -> None:
    assert told("catatonit", "x", "main.started", **END) == (("debug", "pid1 (7) spawned: x"),)
    assert told("catatonit", "x", "reaped", origin="main", **END) == ()
    text = "child process 7 exited with code 3"
    assert told("catatonit", "x", "reaped", origin="adopted", **END) == (("debug", text),)


@pytest.mark.parametrize(("environ", "level"), [({}, "error"), ({"CATATONIT_DEBUG": ""}, "trace")])
def test_catatonits_variable_makes_it_talk(environ: dict[str, str], level: str) -> None:
    persona = called("catatonit", "x", **environ).persona
    assert persona is not None
    assert persona.level == level
    assert persona.line("info", "a text", 7) == (2, "INFO (catatonit:7): a text")


def test_forwarded_signals_are_told_with_their_translation() -> None:
    event: dict[str, Any] = {"process": {"pid": 7}, "received": "TERM", "signal": "QUIT"}
    assert [text for _, text in told("dumb-init", "x", "signal.forwarded", **event)] == [
        "Received signal 15.",
        "Translating signal 15 to 3.",
        "Forwarded signal 3 to children.",
    ]
    assert told("tini", "x", "signal.forwarded", **event) == (("debug", "Passing signal: 'Quit'"),)


@pytest.mark.parametrize("name", PROGRAMS)
def test_other_events_are_not_told(name: str) -> None:
    assert told(name, "x", "web.started", process={"pid": 7}) == ()


# --- getopt -----------------------------------------------------------------------------------------


def row(letter: str, *, takes: bool = False, name: str = "") -> Row:
    return Row(letter, personas.put(letter, True), takes=takes, name=name)


ROWS = (row("a", name="all"), row("b", takes=True, name="be"), row("c", name="also"), row("d", takes=True))
WORDS = st.lists(
    st.sampled_from(["-a", "-ac", "-bx", "-b", "-ab", "x", "-", "--", "--all", "--be=1", "--be", ""])
)


@QUICK
@given(WORDS, st.booleans())
def test_a_right_line_is_read_as_pythons_own_getopt_reads_it(words: list[str], permutes: bool) -> None:
    """The standard library's is no getopt_long of glibc's in its refusals, but in this it is."""
    reader = getopt.gnu_getopt if permutes else getopt.getopt
    operands: list[str] = []
    try:
        theirs = reader(words, "ab:cd:", ["all", "be=", "also"])
    except getopt.GetoptError:
        with pytest.raises(ValueError, match="argument"):
            list(personas.scan(ROWS, words, operands, permutes=permutes))
        return
    ours = [
        (f"-{each.letter}", text) for each, text in personas.scan(ROWS, words, operands, permutes=permutes)
    ]
    short = {"--all": "-a", "--be": "-b", "--also": "-c"}
    assert ours == [(short.get(name, name), text) for name, text in theirs[0]]
    assert operands == theirs[1]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("-x", "invalid option -- 'x'"),
        ("-ax", "invalid option -- 'x'"),
        ("-d", "option requires an argument -- 'd'"),
        ("--x", "unrecognized option '--x'"),
        ("--al", "option '--al' is ambiguous; possibilities: '--all' '--also'"),
        ("--be", "option '--be' requires an argument"),
        ("--all=1", "option '--all' doesn't allow an argument"),
        ("--als=1", "option '--also' doesn't allow an argument"),
    ],
)
def test_a_wrong_line_is_refused_in_glibcs_words(word: str, says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is compared to the letter below
        list(personas.scan(ROWS, [word], [], permutes=False))
    assert str(caught.value) == says


def test_options_are_acted_on_in_their_order() -> None:
    assert answer("tini", "-h", "-x").code == 0
    assert answer("tini", "-x", "-h").code == 1


ANYTHING = st.lists(
    st.text(st.characters(exclude_characters="\0"), max_size=6)
    | st.sampled_from(
        ["-s", "-v", "-p", "SIGHUP", "-e", "7", "-r", "1:2", "-c", "-g", "-P", "--", "--version", "x"]
    ),
    max_size=5,
)


@QUICK
@given(st.sampled_from(sorted(PROGRAMS)), ANYTHING)
def test_any_command_line_is_a_configuration_or_an_answer(name: str, argv: list[str]) -> None:
    got = parsed(name, argv)
    if isinstance(got, Answer):
        assert got.code in (0, 1)
        assert str(got)
    else:
        assert set(got.argv) <= set(argv)


def parsed(name: str, argv: list[str]) -> Config | Answer:
    try:
        return personas.parse(PROGRAMS[name], name, argv, {})
    except Answer as said:
        return said


def test_the_tables_letters_are_each_used_once() -> None:
    for program in PROGRAMS.values():
        assert isinstance(program, Program)
        letters = [each.letter for each in program.rows]
        assert len(set(letters)) == len(letters)


# --- the door ---------------------------------------------------------------------------------------


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", *words],
        capture_output=True,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
    )


def test_called_as_initd_none_of_it_is_imported() -> None:
    done = python("-X", "importtime", "-X", "initd=initd", "-m", "initd", "--no-http", "--", "true")
    assert done.returncode == 0
    assert "initd.boot" in done.stderr
    assert "persona" not in done.stderr


@pytest.mark.parametrize(
    ("path", "first"), [("/usr/bin/tini", "tini version 0.19.0\n"), ("/opt/initd", "initd ")]
)
def test_without_the_script_the_name_is_that_of_argv(path: str, first: str) -> None:
    done = python(
        "-c", f"import sys; sys.argv[0] = {path!r}; from initd.boot import main; main(['--version'])"
    )
    assert done.returncode == 0
    assert done.stdout.startswith(first)
