"""usage.py: --help says every option of the table, in a hundred columns."""

from __future__ import annotations

import re

import pytest

from initd import __version__
from initd.options import OPTIONS, TABLE, Option
from initd.usage import render

HELP = render()
ENTRIES = re.split(r"\n(?=  (?:-\w, |    )--)|\n\n", HELP)  # an option with its lines


@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.name)
def test_every_option_is_there_with_its_letter_its_value_and_its_words(option: Option) -> None:
    value = f"[={option.metavar}]" if option.implied else f" {option.metavar}"
    left = f"--{option.name}" + (value if option.metavar else "")
    short = f"-{option.short}, " if option.short else "    "
    found = [entry for entry in ENTRIES if re.match(re.escape(f"  {short}{left}") + r"( |\n)", entry)]
    assert len(found) == 1
    words = " ".join(found[0].split())
    assert option.help in words
    assert words.endswith("(repeatable)") == (option.many or option.count)


def test_no_line_is_wider_than_a_hundred_columns() -> None:
    assert max(map(len, HELP.splitlines())) <= 100
    assert not any(line != line.rstrip() for line in HELP.splitlines())


def test_sections_come_in_the_tables_order() -> None:
    sections = [row for row in OPTIONS if isinstance(row, str)]
    places = [HELP.index(f"\n{section}:\n") for section in sections]
    assert places == sorted(places)


def test_help_and_version_and_the_exit_codes_are_told() -> None:
    assert HELP.startswith(f"initd {__version__}: ")
    for words in ("-h, --help", "-V, --version", "125", "126", "127", "128+N", "INITD_"):
        assert words in HELP


def test_the_examples_of_the_variables_are_true() -> None:
    assert "INITD_RESTART=always" in HELP
    assert "INITD_RESTART" in {option.variable for option in TABLE}
