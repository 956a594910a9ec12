"""signals.py: every number has one name that reads back; garbage is UnknownSignal and nothing else."""

from __future__ import annotations

import contextlib
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import signals
from initd.signals import RTMAX, RTMIN, UnknownSignal, name_of, parse

from .driver import QUICK

NAMED = sorted({int(number) for number in signal.valid_signals()})
COMMON = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "TERM": 15}  # the same on every architecture


@pytest.mark.parametrize("number", NAMED)
def test_every_signal_has_a_name_that_reads_back(number: int) -> None:
    name = name_of(number)
    assert not name.isdigit()
    assert not name.startswith("SIG")
    spellings = (name, f"SIG{name}", name.lower(), f"sig{name}".title(), f" {name}\n", str(number), number)
    assert {parse(spelled) for spelled in spellings} == {number}


@pytest.mark.parametrize(("name", "number"), COMMON.items())
def test_the_common_ones_are_who_they_are(name: str, number: int) -> None:
    assert (name_of(number), parse(name)) == (name, number)


def test_names_are_those_of_the_standard_library() -> None:
    theirs = {
        name[3:]: int(number)
        for name, number in signal.__dict__.items()
        if name.startswith("SIG") and not name.startswith(("SIG_", "SIGRT"))
        if isinstance(number, signal.Signals)
    }
    assert theirs == signals.NUMBERS


@pytest.mark.parametrize(("alias", "name"), [("CLD", "CHLD"), ("POLL", "IO"), ("IOT", "ABRT")])
def test_second_names_are_understood_and_not_used(alias: str, name: str) -> None:
    assert name_of(parse(alias)) == name


@pytest.mark.parametrize("offset", range(RTMAX - RTMIN + 1))
def test_real_time_signals_count_from_both_ends(offset: int) -> None:
    assert parse(f"RTMIN+{offset}") == parse(f"SIGRTMIN+{offset}") == RTMIN + offset
    assert parse(f"RTMAX-{offset}") == RTMAX - offset
    assert name_of(RTMIN + offset) == ("RTMIN" if offset == 0 else f"RTMIN+{offset}")


def test_the_ends_need_no_offset() -> None:
    assert (parse("rtmin"), parse("SIGRTMAX")) == (RTMIN, RTMAX)


@pytest.mark.parametrize(
    "word",
    ["", " ", "0", "-1", "+9", "9.0", "65", "999", "0009", "NOPE", "SIG", "SIGSIGTERM", "TERM ME", "_DFL",
     "SIG_IGN", "RT", "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN+31", "RTMIN+999", "RTMIN+-1", "RTMIN+x",
     "RTMINX", "RTMAXX", "RTMAX-40", "RTMIN+1+1", "\u0661\u0665", "²"],
)  # fmt: skip
def test_what_is_no_signal_says_so_with_the_cure(word: str) -> None:
    with pytest.raises(UnknownSignal) as caught:
        parse(word)
    assert str(caught.value) == f"cannot find a signal named {word!r}: say TERM, SIGTERM, 15 or RTMIN+3"


@pytest.mark.parametrize("number", [n for n in range(1, 65) if n not in NAMED] + [0, 65, 1000, -1])
def test_a_number_without_a_name_stays_a_number_and_is_not_taken(number: int) -> None:
    assert name_of(number) == str(number)
    with pytest.raises(UnknownSignal):
        parse(number)


@QUICK
@given(st.text() | st.from_regex(r"(?i)(SIG)?RT(MIN|MAX)[+-]\d*", fullmatch=True) | st.integers().map(str))
def test_any_text_is_a_signal_or_unknown(text: str) -> None:
    with contextlib.suppress(UnknownSignal):
        assert parse(text) in NAMED


@QUICK
@given(st.text())
def test_the_refusal_is_one_short_line_whatever_the_word(text: str) -> None:
    with pytest.raises(UnknownSignal) as caught:
        parse(f"?{text}")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("number", range(1, 65))
def test_the_name_of_any_signal_leads_back_to_it(number: int) -> None:
    assert signals.number_of(name_of(number)) == number
