"""The lab verb: make one thing that a PID 1 has to live with, say what to watch, and clear it away.

Law of this file: how a lab runs and what it prints. What it makes is in the module of its name, on the bench.
"""

from __future__ import annotations

import shlex
import signal
import textwrap
from argparse import Namespace
from collections.abc import Iterator

from web.ctl.ask import get, parsed
from web.ctl.client import Client
from web.ctl.errors import OK
from web.ctl.lab import daemon, orphan, storm, subreaper, thread, zombie
from web.ctl.lab.bench import Bench, no_room
from web.ctl.lab.story import Lab, Order
from web.ctl.verbs import LABS

MODULES = {
    "orphan": orphan.LAB,
    "zombie": zombie.LAB,
    "daemon": daemon.LAB,
    "subreaper": subreaper.LAB,
    "thread": thread.LAB,
    "storm": storm.LAB,
}


def perform(words: Namespace, client: Client) -> int:
    """Run the lab until its time is over, it has been ended by somebody else, or we are told to stop."""
    lab = MODULES[words.what]
    seconds = vars(words)["for"]
    order = Order(words.count or lab.count, seconds, lambda: parsed(get(client, "/api/v1/status")))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    bench = Bench()
    try:
        _say(f"lab {words.what}: {LABS[words.what]}", "")
        for line in _made(lab, bench, order):
            _say(f"  {line}")
        _say(*_what_now(lab, bench, client))
        if bench.held:
            _say("", f"It stays for {seconds} s; Ctrl-C ends it now.")
            if not bench.wait(seconds):
                _say("All of it has ended, and not by us.")
    except KeyboardInterrupt:
        _say("")
    finally:
        gone = bench.clear()
    _say("Cleared away: nothing of it is left." if gone else "Some of it does not end, even by KILL: see ps.")
    return OK


def _made(lab: Lab, bench: Bench, order: Order) -> Iterator[str]:
    """Make it. Raises CtlError where there is no room to; what cannot be printed is no lack of that."""
    try:
        yield from lab.make(bench, order)
    except OSError as error:
        raise no_room(str(error)) from None


def _what_now(lab: Lab, bench: Bench, client: Client) -> Iterator[str]:
    pids = [held.pid for held in bench.held]
    yield from ("", "What should happen:")
    yield textwrap.fill(lab.expect.format(*pids), 100, initial_indent="  ", subsequent_indent="  ")
    yield from ("", "Watch it, from another terminal:")
    for words, path in lab.watch:
        yield f"  {_initctl(client)} {words.format(*pids)}"
        yield f"  {_curl(client, path.format(*pids))}"


def _initctl(client: Client) -> str:
    option = "--url" if client.target.path is None else "--socket"
    return shlex.join(["initctl", option, str(client.target)])


def _curl(client: Client, path: str) -> str:
    path, space, rest = path.partition(" ")
    if client.target.path is None:
        bearer = '-H "Authorization: Bearer $INITD_TOKEN" ' if client.token else ""
        return f"curl {bearer}{shlex.quote(f'{client.target}/api/v1/{path}')}{space}{rest}"
    where = f"--unix-socket {shlex.quote(client.target.path)}"
    return f"curl {where} {shlex.quote(f'http://localhost/api/v1/{path}')}{space}{rest}"


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)
