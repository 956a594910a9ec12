"""Called by another init's name, initd is that init: how its command line and variables are read.

Law of this file: one reader for all of them, a getopt(3) that does what glibc's does, and the shape
of their tables. What a program is stands in its own file, as data; what comes out is the Config that
initd itself runs by. Imported only when we are called by one of these names.
"""

from __future__ import annotations

import posix as os

from initd import cli
from initd.cli import Config, Refusal
from initd.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Values = dict[str, Any]
    Lines = tuple[tuple[str, str], ...]  # (level, text)


class Answer(Refusal):
    """What the program says instead of starting, in as many lines as it does."""

    def __init__(self, text: str, code: int, fd: int = 2) -> None:
        Exception.__init__(self, text)
        self.code, self.fd = code, fd


@record
class Persona:
    """How the program speaks: this goes with the Config, which says what it does."""

    name: str  # as we were called
    level: str  # the last of say.LEVELS that is heard
    form: Callable[[str, str, int], tuple[int, str]]  # level, text, pid: the descriptor and the line
    voice: Callable[[str, Mapping[str, Any]], Lines]  # what it says of an event of ours
    exec_failure: Callable[[str, int], tuple[int, str]]  # command, errno: the exit code and the text
    passive: str = ""  # the warning where orphans will pass us by

    def line(self, level: str, text: str, pid: int = 0) -> tuple[int, str]:
        """The descriptor and the line; ``pid`` is who says it, if not we."""
        return self.form(level, text, pid or os.getpid())

    def refusal(self, text: str, code: int = 1, pid: int = 0) -> Answer:
        """An error in its form; whatever is wrong before the command runs, all of these leave with 1."""
        fd, line = self.line("error", text, pid)
        return Answer(line, code, fd)


@record
class Row:
    """One option: what its letter, or a prefix of its long name, does to the values."""

    letter: str
    put: Callable[[Values, str], None]
    takes: bool = False
    name: str = ""


@record
class Program:
    """One init that we can be."""

    rows: tuple[Row, ...]
    permutes: bool  # options may stand behind operands, as glibc's getopt has it
    variables: tuple[tuple[str, Callable[[Values, str], None]], ...]  # read before the options
    defaults: Values
    finish: Callable[[str, str, Values], Persona]  # called, command; what is no option leaves the values
    usage: Callable[[str], str]  # after a getopt error; empty for none
    missing: Callable[[str], str]  # when there is no command
    version: str = ""  # what --version alone says, where it is no option
    idle: str = ""  # the value by which no command is run


def parse(program: Program, called: str, argv: Sequence[str], environ: Mapping[str, str]) -> Config:
    """The configuration for ``CALLED ARGV…``. Raises Answer in the program's words."""
    if program.version and list(argv) == ["--version"]:
        raise Answer(program.version, 0, 1)
    given: Values = {"called": called}
    command: list[str] = []
    for name, read in program.variables:
        if name in environ:
            read(given, environ[name])
    permutes = program.permutes and "POSIXLY_CORRECT" not in environ
    try:
        for row, value in scan(program.rows, argv, command, permutes=permutes):
            row.put(given, value)
    except ValueError as error:
        raise Answer(f"{called}: {error}\n{program.usage(called)}".rstrip("\n"), 1) from None
    if given.pop(program.idle, False):
        command.clear()
    elif not command:
        raise Answer(program.missing(called), 1)
    persona = program.finish(given.pop("called"), command[0] if command else "", given)
    quiet = {"no_http": not environ.get("INITD_LISTEN"), "sweep_timeout": 0.0, "persona": persona}
    try:
        return cli.settle(command, environ, {**quiet, **program.defaults}, given)
    except Refusal as refusal:
        raise persona.refusal(str(refusal)) from None


# --- what a row may do ------------------------------------------------------------------------------


def put(key: str, value: object) -> Callable[[Values, str], None]:
    """A flag."""
    return lambda values, _: values.update({key: value})


def count(key: str) -> Callable[[Values, str], None]:
    """A flag that adds up."""
    return lambda values, _: values.update({key: values.get(key, 0) + 1})


def show(text: Callable[[str], str], fd: int) -> Callable[[Values, str], None]:
    """Say this, and leave with 0."""

    def leave(values: Values, _: str) -> None:
        raise Answer(text(values["called"]), 0, fd)

    return leave


def leading_number(text: str, *, whole: bool = False) -> int | None:
    """As strtol(3) reads it: space, a sign, digits. None without any, or if ``whole`` and more follows."""
    text = text.lstrip()
    end = 1 if text[:1] in ("+", "-") else 0
    while end < len(text) and text[end].isascii() and text[end].isdigit():
        end += 1
    digits = text[:end].lstrip("+-")
    if not digits or len(digits) > 9 or (whole and end < len(text)):
        return None
    return int(text[:end])


# --- getopt -----------------------------------------------------------------------------------------


def scan(
    rows: Sequence[Row], argv: Sequence[str], operands: list[str], *, permutes: bool
) -> Iterator[tuple[Row, str]]:
    """Options in their order, each acted on before the next is read; operands are added to the list.

    Raises ValueError in getopt's words.
    """
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            if not permutes:
                break
        elif word.startswith("--") and any(row.name for row in rows):
            yield _long(rows, word[2:], words)
        else:
            yield from _cluster(rows, word[1:], words)
    operands.extend(words)


def _cluster(rows: Sequence[Row], letters: str, words: list[str]) -> Iterator[tuple[Row, str]]:
    while letters:
        letter, letters = letters[0], letters[1:]
        row = next((row for row in rows if row.letter == letter), None)
        if row is None:
            raise ValueError(f"invalid option -- '{letter}'")
        if not row.takes:
            yield row, ""
            continue
        if not letters and not words:
            raise ValueError(f"option requires an argument -- '{letter}'")
        yield row, letters or words.pop(0)
        return


def _long(rows: Sequence[Row], word: str, words: list[str]) -> tuple[Row, str]:
    name, equals, value = word.partition("=")
    row = _by_name(rows, name)
    if equals and not row.takes:
        raise ValueError(f"option '--{row.name}' doesn't allow an argument")
    if row.takes and not equals:
        if not words:
            raise ValueError(f"option '--{row.name}' requires an argument")
        value = words.pop(0)
    return row, value


def _by_name(rows: Sequence[Row], name: str) -> Row:
    """The long option of this name, or the only one that begins so."""
    exact = [row for row in rows if row.name == name]
    found = exact or [row for row in rows if row.name and row.name.startswith(name)]
    if not found:
        raise ValueError(f"unrecognized option '--{name}'")
    if len(found) > 1:
        known = " ".join(f"'--{row.name}'" for row in found)
        raise ValueError(f"option '--{name}' is ambiguous; possibilities: {known}")
    return found[0]
