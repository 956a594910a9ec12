"""The page's files: small, lawful, and without a way for a name to become markup."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

import web

STATIC = Path(web.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
MARKUP = (
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTML|DOMParser"
    r"|\beval\b|new Function"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_opens_with_its_law_and_is_short(path: Path) -> None:
    lines = path.read_text().splitlines()
    opening = itertools.takewhile(lambda line: line.startswith("// "), lines)
    assert "Law of this file" in " ".join(line[3:] for line in opening)
    assert len(lines) <= 250
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_of_text(path: Path) -> None:
    assert re.findall(MARKUP, path.read_text()) == []


def test_only_one_file_fetches_and_one_knows_the_token() -> None:
    def with_word(word: str) -> set[str]:
        return {path.name for path in SCRIPTS if re.search(word, path.read_text())}

    assert with_word(r"\bfetch\(") == {"api.js"}
    assert with_word("sessionStorage") == {"access.js"}


def test_no_script_is_left_over() -> None:
    imported = set(re.findall(r'from "\./([\w.]+)"', "".join(path.read_text() for path in SCRIPTS)))
    assert imported | {"main.js"} == {path.name for path in SCRIPTS}
