"""web: started, greeted, watched by its heartbeat, told to end, and started again. Pure.

Law of this file: nothing here may hold up main: web may crash, hang or lie, and is replaced.
"""

from __future__ import annotations

from initd import __version__, signals, unit, wire
from initd.books import CLOSING, KILL_AGAIN, Books, describe
from initd.effects import Send, Signal, Spawn
from initd.endings import as_fields, in_words
from initd.inputs import ChildEnded, Dropped, LetterboxClosed, Spawned, SpawnFailed
from initd.keeper import Keeper
from initd.model import RESTARTING, WEB, ExitStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KILL, TERM = signals.NUMBERS["KILL"], signals.NUMBERS["TERM"]
_STOP = 0.5  # to end its streams; not the engine's ten seconds
_REPLACE = 2.0  # the same, with the answers that it owes
_BEAT_EVERY = 5.5  # a little more than the slow tick at rest, which takes it along
_BEAT_PATIENCE = 10.0  # a hung web is replaced well inside kubelet's 3 x 10 s
_NEVER = float("inf")
_WEB_GRACE = 30.0  # to import and attach, on a machine that is busy
_WEB_FAREWELL = 1.0  # after its letterbox closed: it exits by itself, or it is made to
_WEB_GIVE_UP = 1.5  # after KILL at the end: in disk sleep, and the kernel's


class WebKeeper(Keeper):
    """``gone`` is called when web has nothing more to say, or has settled, which it only does at the end."""

    def __init__(self, books: Books, gone: Callable[[], None]) -> None:
        super().__init__(books, books.web)
        self._gone = gone
        self._heard = self._beat_at = 0.0
        self._starved = False  # the last start failed because no process could be made

    # --- what the table asks for -------------------------------------------------------------------

    def spawn(self) -> None:
        self.books.cancel("web.due")
        self.books.emit(Spawn(WEB))

    def replace(self) -> None:
        """By another one that knows what has changed. It is no crash, and is not waited with."""
        if self.books.serving:
            self.move(unit.RESTART)

    def ask(self) -> None:
        """To end its streams, and itself; where another one follows, after what it has accepted already."""
        assert self.unit.process is not None
        books = self.books
        books.flush()
        leaving = self.unit.state != RESTARTING
        if leaving:
            books.emit(Send(wire.encode({"t": "bye"})))
        books.emit(Signal(self.unit.process.pid, TERM))
        books.after("web.overdue", _STOP if leaving else _REPLACE)

    def kill(self) -> None:
        assert self.unit.process is not None
        self.books.emit(Signal(self.unit.process.pid, KILL, group=True))
        self.books.after("web.overdue", KILL_AGAIN)

    def settle(self) -> None:
        super().settle()
        self._gone()

    # --- births and deaths -------------------------------------------------------------------------

    def spawned(self, up: Spawned) -> None:
        """A new web: it is greeted, and has time to get ready."""
        books = self.books
        self._starved = False
        self.do(self.unit.up(up.process, books.now))
        books.record("web.started", process=describe(up.process, "initd-web"))
        books.attached = False
        self._heard = books.now + _WEB_GRACE - _BEAT_PATIENCE
        self._beat_at = books.now
        books.after("web.beat", _BEAT_EVERY)
        books.emit(Send(wire.encode(self.hello())))

    def spawn_failed(self, failure: SpawnFailed) -> None:
        """For want of a process it is tried again and again; that is said once."""
        again, self._starved = self._starved and failure.forking, failure.forking
        self._down(ExitStatus(126, None) if again else self.missed("start web:", failure))

    def hurry(self) -> None:
        """Something was reaped: where a process was all that lacked, now is the moment."""
        if self._starved and "web.due" in self.books.timers:
            self.books.after("web.due", 0.0)

    def ended(self, end: ChildEnded) -> None:
        books, words = self.books, in_words(end.status)
        books.attached = False
        books.cancel("web.beat", "web.overdue", "lag")
        books.record("web.exited", process=describe(end.process, end.name), **as_fields(end.status))
        if books.serving:
            books.ledger.web_restarts += 1
            if self.unit.state != RESTARTING:
                books.log("warning", f"web (pid {end.process.pid}) ended: {words}; it is started again")
        self._down(end.status)

    def _down(self, status: ExitStatus) -> None:
        back = None if self.books.serving else False
        self.do(self.unit.down(status, self.books.now, failed=True, back=back))

    # --- is it alive, and does it hear us ----------------------------------------------------------

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

    def tick(self, seconds: float) -> None:
        """The slow tick takes a beat along that would be due before its next turn: one wake-up for both."""
        if self.books.timers.get("web.beat", _NEVER) - self.books.now < seconds:
            self.books.cancel("web.beat")
            self.beat()

    def overdue(self) -> None:
        books = self.books
        if self.unit.process is not None:
            self.kill()
        if books.phase == CLOSING:  # counted from the KILL, however late that was
            books.timers.setdefault("close.give_up", books.now + _WEB_GIVE_UP)

    def closed(self, _: LetterboxClosed) -> None:
        """It has said its last word. At the end that is all we wait for: PID 1's exit takes the rest along,
        and the kernel has 30 MB of web to give back meanwhile.
        """
        self.books.attached = False
        if self.books.phase == CLOSING and self.books.init.role == "pid1":
            self._gone()
        elif self.unit.process is not None:
            self.books.after("web.overdue", _WEB_FAREWELL)

    def dropped(self, dropped: Dropped) -> None:
        """No room in the letterbox."""
        self.books.dropped(dropped.events)

    def lag(self) -> None:
        self.books.emit(Send(wire.encode({"t": "lag", "seq": self.books.history.last})))

    def hello(self) -> dict[str, Any]:
        books, config, init = self.books, self.books.config, self.books.init
        return {
            "t": "hello",
            "v": wire.VERSION,
            "version": __version__,
            "config": {
                "history": config.history,
                "anonymous": config.anonymous,
                "tokens": books.credentials[0],
                "certificates": books.credentials[1],
                "tls": self._tls(),
                "redact": not config.no_redact,
                "connects": any((config.ready_tcp, config.ready_http, config.health_tcp, config.health_http)),
                "allow_hosts": config.allow_host,
                "http_user": None if config.http_user == "root" else config.http_user,
            },
            "listen": init.listeners,
            "init": {"pid": init.pid, "uid": init.uid, "role": init.role},
        }

    def _tls(self) -> dict[str, Any] | None:
        config = self.books.config
        if config.tls_cert is None:
            return None
        return {"cert": config.tls_cert, "key": config.tls_key, "client_ca": config.tls_client_ca}
