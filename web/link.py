"""The letterbox from web's side: ask and be answered, hear events, keep the mirror whole.

Law of this file: the only one that touches the letterbox's socket. Nothing received may raise: garbage is
counted. Nothing is waited for without a limit: a silent core is a Problem after half a second.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from initd.wire import LIMIT, VERSION, Malformed, decode, encode
from web.mirror import Mirror
from web.probes import Checks
from web.problem import CODES, Problem
from web.say import say

AT_ONCE = 64  # datagrams read before requests get their turn again
CATCH_UP = 0.5  # for events that were sent before the answer, unless they were dropped
RESYNC_TIMEOUT = 2.0  # a history answer is the longest of all
RESYNC_PAUSE = 0.5  # between tries, where an answer brought nothing
_ODD = (ValueError, KeyError, TypeError, AttributeError, OverflowError)  # all that odd JSON can lead to


class Silent(Problem):
    """No answer in time. ``sent`` says whether the core may still act on what was asked."""

    def __init__(self, detail: str, sent: bool) -> None:
        super().__init__("core_silent", detail)
        self.sent = sent


def read_hello(sock: socket.socket) -> dict[str, Any]:
    """The first datagram; the core sends it at once, and its death ends the wait with EOFError."""
    data = sock.recv(LIMIT + 1)
    if not data:
        raise EOFError("the core is gone")
    message = decode(data)
    if message["t"] != "hello" or message.get("v") != VERSION:
        raise Malformed(f"cannot talk to this core: expected hello of version {VERSION}")
    return message


class Link:
    """One end of the socketpair. ``on_bye`` and ``on_gone`` are called at most once each."""

    def __init__(
        self, sock: socket.socket, mirror: Mirror, on_bye: Callable[[], None], on_gone: Callable[[], None]
    ) -> None:
        self._sock = sock
        self._mirror = mirror
        self._on_bye = on_bye
        self._on_gone = on_gone
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._outbox: deque[tuple[int, bytes]] = deque()
        self._full = False
        self._shared: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._resyncing: asyncio.Task[None] | None = None
        self._checks = Checks(self.tell)
        self._whole = asyncio.Event()  # the history from before our start has been fetched
        self.garbage = 0

    def attach(self) -> None:
        """Begin: from now on the core sends events, and we fetch what happened before."""
        self._loop = asyncio.get_running_loop()
        self._sock.setblocking(False)
        self._loop.add_reader(self._sock, self._readable)
        self._send(0, {"t": "attach", "v": VERSION})
        self._resyncing = self._loop.create_task(self._resync())

    @property
    def busy(self) -> bool:
        """Whether something still waits for room; who tells the core of what is seen waits with the next.

        The thread that looks asks as well: an outbox that is just being emptied is not meant.
        """
        return self._full

    def tell(self, message: dict[str, Any]) -> None:
        """Something that needs no answer."""
        self._send(0, message)

    def close(self) -> None:
        """Listen no more. What is still asked runs into its time limit."""
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._checks.close()
        if self._resyncing is not None:
            self._resyncing.cancel()

    # --- asking ----------------------------------------------------------------------------------

    async def ask(
        self,
        what: str,
        *,
        timeout: float = 0.5,  # noqa: ASYNC109  so that a silent core is Silent, never a TimeoutError
        **fields: Any,
    ) -> dict[str, Any]:
        """One round trip. Raises the core's Problem, or Silent after ``timeout`` seconds."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._waiting[number] = answer
        try:
            self._send(number, {"t": "ask", "n": number, "what": what, **fields})
            async with asyncio.timeout(timeout):
                reply = await answer
        except TimeoutError:
            sent = all(number != waiting for waiting, _ in self._outbox)
            raise Silent(f"cannot reach the init: no answer within {timeout:g} s", sent) from None
        finally:
            del self._waiting[number]
        if reply.get("ok") is True:
            return reply
        raise _refusal(reply)

    async def shared(self, what: str) -> dict[str, Any]:
        """As ``ask``, but whoever asks while the same question is under way gets the same answer.

        It is never stale: the core answers in order, so whatever a client was told before this, the
        answer to a question still open is younger.
        """
        task = self._shared.get(what)
        if task is None:
            task = self._shared[what] = self._loop.create_task(self.ask(what))
            task.add_done_callback(lambda done: self._finished(what, done))
        return await asyncio.shield(task)

    def _finished(self, what: str, task: asyncio.Task[dict[str, Any]]) -> None:
        del self._shared[what]
        if not task.cancelled():
            task.exception()  # looked at, or asyncio complains where every client left

    async def state(self) -> dict[str, Any]:
        """The core's ``status`` and ``counters``."""
        return await self.shared("state")

    async def whole(self) -> None:
        """Wait for the history from before our start. Raises Silent: half a history would be a wrong one."""
        try:
            async with asyncio.timeout(RESYNC_TIMEOUT):
                await self._whole.wait()
        except TimeoutError:
            raise Silent("cannot fetch the history from the init yet; try again", sent=False) from None

    async def caught_up(self, seq: int) -> None:
        """Wait until the mirror knows event ``seq``: who reads our answer shall find it in the history."""
        changed = asyncio.Event()
        try:
            with self._mirror.watched(changed.set):
                async with asyncio.timeout(CATCH_UP):
                    while self._mirror.last < seq:
                        changed.clear()
                        await changed.wait()
        except TimeoutError:
            pass  # the answer is true all the same; the history will follow

    # --- sending ---------------------------------------------------------------------------------

    def _send(self, number: int, message: dict[str, Any]) -> None:
        self._outbox.append((number, encode(message)))
        if len(self._outbox) == 1:
            self._flush()

    def _flush(self) -> None:
        """Send what waits, as far as there is room; an ask that nobody waits for any more is left out."""
        while self._outbox:
            number, data = self._outbox[0]
            if number and number not in self._waiting:
                self._outbox.popleft()
                continue
            try:
                self._sock.send(data)
            except BlockingIOError:
                self._full = True
                self._loop.add_writer(self._sock, self._flush)
                return
            except OSError:
                self._gone()
                return
            self._outbox.popleft()
        self._full = False
        self._loop.remove_writer(self._sock)

    # --- receiving -------------------------------------------------------------------------------

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data = self._sock.recv(LIMIT + 1)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._gone()
                return
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        try:
            self._handle(decode(data))
        except _ODD as error:
            if not self.garbage:
                say(f"cannot use a datagram of the core, this and further ones are counted only: {error!r}")
            self.garbage += 1
        if self._mirror.behind and self._resyncing is None:
            self._resyncing = self._loop.create_task(self._resync())

    def _handle(self, message: dict[str, Any]) -> None:
        match message["t"]:
            case "events":
                self._mirror.take(message["events"])
            case "reply":
                self._mirror.heard(int(message["seq"]))
                answer = self._waiting.get(message["n"])
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case "operation":
                self._mirror.operation(message["operation"])
            case "beat":
                self.tell({"t": "beat"})
            case "check":
                self._checks.take(message)
            case "lag":
                self._mirror.heard(int(message["seq"]))
            case "bye":
                self._on_bye()
            case other:
                raise Malformed(f"no message is called {other!r}")

    async def _resync(self) -> None:
        """Fetch the history until nothing is missing."""
        while True:
            after = self._mirror.last
            try:
                reply = await self.ask("history", timeout=RESYNC_TIMEOUT, after=after)
                self._mirror.fill(after, reply["events"], int(reply["last"]))
                if not self._mirror.behind:
                    break
            except (Problem, *_ODD):
                pass  # as no answer
            if self._mirror.last == after:
                await asyncio.sleep(RESYNC_PAUSE)
        self._resyncing = None
        self._whole.set()

    def _gone(self) -> None:
        self.close()
        self._on_gone()


def _refusal(reply: dict[str, Any]) -> Problem:
    error = reply.get("error")
    code, detail = (error.get("code"), error.get("detail")) if isinstance(error, dict) else (None, None)
    if code not in CODES:
        return Problem("internal", "cannot understand the init's answer")
    return Problem(code, str(detail))
