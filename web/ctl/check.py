"""The check verb: a probe as an exit code.

Law of this file: light. A HEALTHCHECK runs it every few seconds, so it comes without json and without the
other verbs.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from web.ctl import show
from web.ctl.client import Client
from web.ctl.errors import FAILED, OK, Unreachable
from web.ctl.targets import check_targets

PATHS = {"live": "/livez", "ready": "/readyz", "startup": "/startupz"}


def check(words: Namespace) -> int:
    """The probe of that name, at the first place where anyone answers."""
    *firsts, last = [Client(place, timeout=words.timeout) for place in check_targets(words)]
    for client in firsts:
        try:
            return _probe(words, client)
        except Unreachable:
            continue
    return _probe(words, last)


def _probe(words: Namespace, client: Client) -> int:
    path = PATHS[words.what] + ("?verbose" if words.verbose else "")
    answer = client.ask("GET", path, accept="text/plain")
    _print(show.clean_lines(answer.body.decode("utf-8", "replace")))
    return OK if answer.status == 200 else FAILED


def _print(lines: Iterable[str]) -> None:
    """A disk that is full, where a log is, makes nobody unwell: the verdict is the exit code."""
    try:
        print(*lines, sep="\n", flush=True)
    except OSError as error:
        from web.ctl.output import give_up

        give_up(error)
