"""say.py: what is worth saying at this verbosity, on one line, whatever is in it."""

from __future__ import annotations

import json
import os
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import cli
from initd.say import LEVELS, Speaker

from .driver import QUICK

Capture = pytest.CaptureFixture[str]


def speaker(*options: str) -> Speaker:
    return Speaker.for_config(cli.parse([*options, "--", "x"], {}))


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        (("-q",), 2),
        ((), 3),
        (("-v",), 4),
        (("-vv",), 5),
        (("-vvvv",), 5),
    ],
)
def test_verbosity_decides_what_is_heard(capfd: Capture, options: tuple[str, ...], heard: int) -> None:
    loud = speaker(*options)
    for level in LEVELS:
        loud.say(level, f"level {level}")
    assert len(capfd.readouterr().err.splitlines()) == heard


@pytest.mark.parametrize(
    ("level", "text", "line"),
    [
        ("error", "cannot bind: taken; say another", "cannot bind: taken; say another\n"),
        ("error", "odd", "initd: error: odd\n"),
        ("warning", "cannot do it", "initd: cannot do it\n"),
        ("warning", "odd", "initd: warning: odd\n"),
        ("info", "main ended", "initd: main ended\n"),
    ],
)
def test_a_refusal_stands_bare_and_the_rest_says_who_speaks(
    capfd: Capture, level: str, text: str, line: str
) -> None:
    speaker().say(level, text)
    assert capfd.readouterr().err == line


def test_control_characters_and_line_breaks_are_shown_and_never_sent(capfd: Capture) -> None:
    speaker().say("info", "a\nb\x1b[31m\u2028\udcff ü")
    assert capfd.readouterr().err == "initd: a\\nb\\x1b[31m\\u2028\\udcff ü\n"


def test_json_is_one_object_a_line(capfd: Capture) -> None:
    speaker("--log-format", "json").say("warning", "a\nb\udcff")
    line = capfd.readouterr().err
    assert line.count("\n") == 1
    said = json.loads(line)
    assert (said["level"], said["message"]) == ("warning", "a\nb\udcff")
    assert set(said) == {"at", "level", "message"}
    assert said["at"].endswith("Z")


@QUICK
@given(st.text(), st.sampled_from(LEVELS[:3]), st.sampled_from(["text", "json"]))
def test_any_text_is_one_printable_line(text: str, level: str, form: str) -> None:
    with patch("initd.descriptors.write_line") as write:
        speaker("--log-format", form).say(level, text)
    ((fd, data),) = [call.args for call in write.call_args_list]
    assert fd == 2
    assert data.endswith(b"\n")
    assert data[:-1].decode().isprintable()


def test_a_closed_standard_error_costs_nothing(capfd: Capture) -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        speaker().say("error", "nobody hears this")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert capfd.readouterr().err == ""
