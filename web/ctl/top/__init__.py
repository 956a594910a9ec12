"""The top verb: what status, tree, zombies and events tell, live in a terminal.

Law of this package: it asks the HTTP API, like every other verb, and nothing else. It alone may import
textual. picture and head are values and text, feed asks, and table, dialogs and app are on the screen.
"""

from __future__ import annotations

import signal
import sys
from argparse import Namespace

from web.ctl.ask import get
from web.ctl.client import Client
from web.ctl.errors import OK, CtlError


def perform(words: Namespace, client: Client) -> int:
    """Show it until the user leaves. What is wrong from the start is said before the screen is taken."""
    del words
    try:
        from web.ctl.top.app import Top
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("textual", "rich"):
            raise
        raise CtlError(
            "cannot show top: textual is missing; pip install 'initd[top]', or see initctl status"
        ) from None
    if not all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout)):  # None: it is closed
        raise CtlError("cannot show top: this is no terminal; run it in one, or see initctl status")
    get(client, "/api/v1/status")
    top = Top(client)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, top.leave_by)
    top.run()
    return top.return_code or OK
