"""Tokens and certificates that were changed while we run: web is replaced, and nobody notices. Pure.

Law of this file: what is new must be good before the old is given up. web has no privileges left to read a
secret with, so a new one is started, which reads them first; connections wait in the backlog meanwhile.
"""

from __future__ import annotations

from initd.books import Books
from initd.effects import Inspect
from initd.helpers import Helpers, Outcome
from initd.inputs import FilesChanged
from initd.model import TLS_CHECK
from initd.webkeeper import WebKeeper

_EVERY = 2.0
_PATIENCE = 10.0  # for an interpreter to load a certificate, on a machine that is busy


class Reloading:
    """Looks at the files that were named, if any."""

    def __init__(self, books: Books, helpers: Helpers, web: WebKeeper) -> None:
        self.books, self.helpers, self.web = books, helpers, web
        self._owed = False  # new certificates wait to be looked at

    def begin(self) -> None:
        config = self.books.config
        if config.tokens is not None or config.tls_cert is not None:
            self.books.after("files", _EVERY)

    def look(self) -> None:
        self.books.after("files", _EVERY)
        if self._owed:
            self._check()
        self.books.emit(Inspect())

    def changed(self, files: FilesChanged) -> None:
        """A file is another one now. What cannot be used is said, and the old stays."""
        credentials = files.credentials or self.books.credentials
        if files.credentials is None:
            self.books.log("error", f"{files.why}; the old tokens stay")
        news = credentials != self.books.credentials
        self.books.credentials = credentials
        if self.books.config.tls_cert is not None:
            self._check()
        elif news:
            self._replace()

    def _check(self) -> None:
        self.helpers.run(TLS_CHECK, _PATIENCE, self._checked)

    def _checked(self, outcome: Outcome) -> None:
        """Good, or not; or nobody could say so yet, and it is tried again at the next look."""
        waited, self._owed = self._owed, outcome.status is None or outcome.status.code is None
        if outcome.why is None:
            self._replace()
        elif not self._owed:
            self.books.log("error", f"{outcome.output or outcome.why}; the old certificates and tokens stay")
        elif not waited:
            self.books.log("warning", f"cannot check the new certificates yet: {outcome.why}")

    def _replace(self) -> None:
        self.books.log("info", "tokens or certificates were changed: web is replaced")
        self.web.replace()
