"""Is web alive, and does it hear us: its greeting, its heartbeat, its end of the letterbox. Pure.

Law of this file: what is asked of a running web. That it is started again when it ends is supervisor.py's.
"""

from __future__ import annotations

from initd import __version__, wire
from initd.books import CLOSING, Books
from initd.model import Dropped, LetterboxClosed, Send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BEAT_EVERY, _BEAT_PATIENCE = 5.0, 10.0  # a hung web is replaced well inside kubelet's 3 x 10 s
_WEB_GRACE = 30.0  # to import and attach, on a machine that is busy
_WEB_FAREWELL = 1.0  # after its letterbox closed: it exits by itself, or it is made to
_WEB_GIVE_UP = 1.5  # after KILL at the end: in disk sleep, and the kernel's
_LAG = 0.2  # web has this long to make room before it is told that it missed something


class WebWatch:
    """``kill`` ends web; its restart follows from its end."""

    def __init__(self, books: Books, kill: Callable[[], None]) -> None:
        self.books, self._kill = books, kill
        self._heard = self._beat_at = 0.0

    def up(self) -> None:
        """A new web: it is greeted, and has time to get ready."""
        books = self.books
        books.attached = False
        self._heard = books.now + _WEB_GRACE - _BEAT_PATIENCE
        self._beat_at = books.now
        books.after("web.beat", _BEAT_EVERY)
        books.emit(Send(wire.encode(self.hello())))

    def heard(self) -> None:
        """It said something: it is alive, and the grace of its start is over."""
        self._heard = self.books.now

    def beat(self) -> None:
        """web is asked for a sign of life, or replaced when it gave none."""
        books = self.books
        if books.now - self._beat_at > 2 * _BEAT_EVERY:
            self._heard = books.now  # it was we who were away: stopped or frozen, and web with us
        self._beat_at = books.now
        if books.now - self._heard > _BEAT_PATIENCE:
            books.log("warning", "web is silent and is replaced")
            self.overdue()
            return
        books.after("web.beat", _BEAT_EVERY)
        books.emit(Send(wire.encode({"t": "beat"})))

    def overdue(self) -> None:
        books = self.books
        if books.web.process is not None:
            self._kill()
        if books.phase == CLOSING:  # counted from the KILL, however late that was
            books.timers.setdefault("close.give_up", books.now + _WEB_GIVE_UP)

    def closed(self, _: LetterboxClosed) -> None:
        self.books.attached = False
        if self.books.web.process is not None:
            self.books.after("web.overdue", _WEB_FAREWELL)

    def dropped(self, dropped: Dropped) -> None:
        """No room in the letterbox: counted, and web is told as soon as there is room."""
        self.books.ledger.events_dropped += dropped.events
        if self.books.attached:
            self.books.timers.setdefault("lag", self.books.now + _LAG)

    def lag(self) -> None:
        self.books.emit(Send(wire.encode({"t": "lag", "seq": self.books.history.last})))

    def hello(self) -> dict[str, Any]:
        config, init = self.books.config, self.books.init
        return {
            "t": "hello",
            "v": wire.VERSION,
            "version": __version__,
            "config": {
                "history": config.history,
                "anonymous": config.anonymous,
                "tokens": config.tokens,
                "allow_hosts": config.allow_host,
                "http_user": None if config.http_user == "root" else config.http_user,
            },
            "listen": init.listeners,
            "init": {"pid": init.pid, "uid": init.uid, "role": init.role},
        }
