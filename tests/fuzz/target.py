"""What a target is, and what its words and its corpus are good for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

CORPUS, WORDS = Path(__file__).with_name("corpus"), Path(__file__).with_name("words")


class Target(NamedTuple):
    """``run`` raises where a promise is broken; ``whole`` is how many runs by atheris are a whole soak.

    ``more`` are words that are made from code, so that a new one is not forgotten.
    """

    name: str
    run: Callable[[bytes], None]
    whole: int
    more: tuple[bytes, ...] = ()

    @property
    def words(self) -> tuple[bytes, ...]:
        """What its language is made of: lines of words/NAME.dict, as libFuzzer and AFL have them."""
        lines = (WORDS / f"{self.name}.dict").read_text().splitlines()
        return *(ast.literal_eval(f"b{line}") for line in lines), *self.more

    @property
    def corpus(self) -> list[Path]:
        """Inputs worth keeping: one of each kind, and each that ever broke a promise, named by what it is."""
        return sorted((CORPUS / self.name).iterdir())


def attempt(error: type[E], what: Callable[..., T], *arguments: object) -> T | E:
    """What it gives, or the one error that it may raise instead."""
    try:
        return what(*arguments)
    except error as raised:
        return raised


def is_line(text: str) -> bool:
    """One line for people: it says something, and nothing in it steers a terminal or a log."""
    return bool(text) and text.isprintable()
