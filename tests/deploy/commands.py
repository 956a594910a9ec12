"""The commands, paths, options and event kinds that a text for people speaks of, and whether they exist.

Law of this file: what exists is asked of the tables that the programs are made of, never written down here.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator

from initd.model import EVENT_KINDS
from initd.options import TABLE as OPTIONS
from web.app import TABLE as ROUTES
from web.ctl.verbs import parse

QUOTED = re.compile(r"`([^`]+)`")
REQUEST = re.compile(r"(?:(GET|POST) )?(/[^\s?]+)(?:\?(\S+))?")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")
KINDS = re.compile(r"kind[ =](\S+)")


def unknown(text: str) -> list[str]:
    """What the text tells people to use and that is not there."""
    quoted = [found.replace("\n", " ") for found in QUOTED.findall(text)]
    return [*_words(quoted), *_requests(quoted), *_options(QUOTED.sub("", text)), *_kinds(quoted)]


def _words(quoted: list[str]) -> Iterator[str]:
    for command in quoted:
        if command.startswith("initctl ") and not _understood(shlex.split(command)[1:]):
            yield command


def _understood(words: list[str]) -> bool:
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            parse(words)
        except SystemExit as end:
            return end.code == 0
    return True


def _requests(quoted: list[str]) -> Iterator[str]:
    known = {(method, row.path) for row in ROUTES for method in row.methods}
    for text in quoted:
        found = REQUEST.fullmatch(text)
        if found and (found[1] or "GET", found[2]) not in known:
            yield text


def _options(text: str) -> Iterator[str]:
    yield from (f"--{name}" for name in OPTION.findall(text) if name not in {each.name for each in OPTIONS})


def _kinds(quoted: list[str]) -> Iterator[str]:
    for text in quoted:
        for kinds in KINDS.findall(text):
            yield from (kind for kind in kinds.split(",") if kind not in EVENT_KINDS)
