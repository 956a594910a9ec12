"""One connection: uvicorn's HTTP/1.1, with patience that ends.

Law of this file: what a connection may cost, in time and bytes; nothing of what is asked on it. uvicorn has
no limit on how long a request may take to arrive or an answer to be read, and reads what is there at once.
"""

from __future__ import annotations

import asyncio
import functools
import time
from email.utils import formatdate

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config as UvicornConfig
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from web import limits
from web.answer import NO_STORE, encode
from web.crowd import Crowd
from web.house import House
from web.intake import too_large
from web.peers import address_of, hung_up, peer_of
from web.problem import MEDIA_TYPE, Problem, document

REQUEST_PATIENCE = 10.0  # for a whole request to arrive; the largest has 64 KiB
WRITE_PATIENCE = 10.0  # for a client to read on, once 64 KiB of answer wait for it
LAST_ANSWER = 65.0  # for an answer after which the connection ends
KEEP_ALIVE = 65  # more than any scrape interval that is usual, and than proxies keep theirs
HANDOVER = 1.0  # for whom we have accepted, when another web follows: that one cannot answer
_CLOSE = (b"connection", b"close")
_SAFE = [(name.lower().encode(), value.encode()) for name, value in NO_STORE.items()]
_ARRIVING = memoryview(bytearray(limits.AT_A_TIME))  # one for all: it is emptied before it is filled again


@functools.lru_cache(maxsize=1)
def date_header(now: int) -> list[tuple[bytes, bytes]]:
    """The Date header (RFC 9110, 6.6.1), made once a second and only when somebody asks something."""
    return [(b"date", formatdate(now, usegmt=True).encode())]


class Connection(H11Protocol, asyncio.BufferedProtocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, config: UvicornConfig, state: ServerState, house: House, crowd: Crowd) -> None:
        super().__init__(config, state, {})
        self._house = house
        self._crowd = crowd
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._said_all = False
        self.address = ""  # until it has arrived

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        transport.set_write_buffer_limits(limits.UNREAD)
        try:
            peer = peer_of(transport)
        except OSError:  # gone already
            transport.abort()
            return
        self.app_state["peer"] = peer
        self.arrive(transport)
        self._expect_request()

    def arrive(self, transport: asyncio.Transport) -> None:
        """Counted from now on, even if ``connection_made`` has to wait for a handshake."""
        self.transport = transport
        self.address = address_of(transport)
        self.began = self.loop.time()
        self.connections.add(self)
        self._crowd.come(self)

    def depart(self) -> None:
        """Not counted any more, even if it has never been made."""
        self.connections.discard(self)
        self._crowd.go(self)

    def leave(self) -> None:
        self.connections.discard(self)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._late, self._unread, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()
        self._crowd.go(self)
        super().connection_lost(exc)

    @property
    def app(self) -> ASGIApp:
        """What uvicorn calls. As an attribute it would be a cycle, which only the garbage collector ends."""
        return self._hearing

    @app.setter
    def app(self, _: ASGIApp) -> None:
        """uvicorn sets what it has configured, which ``_hearing`` finds there too."""

    # --- what arrives waits for its turn ------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  more than this is not taken at a time
        return _ARRIVING

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_ARRIVING[:nbytes]))

    def handle_events(self) -> None:
        """Not at once, and meanwhile nothing more is read."""
        self.flow.pause_reading()
        self._crowd.wait(self)

    def take_turn(self) -> None:
        if self.transport.is_closing():
            return
        headers = date_header(int(time.time()))
        self.server_state.default_headers = [*headers, _CLOSE] if self._house.closing else headers
        self.flow.resume_reading()
        super().handle_events()
        self._expect_request()

    # --- a request must arrive in time ------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.began = self.loop.time()
        self._crowd.answered(self)
        self._expect_request()
        if self._said_all and self.idle and not self.conn.trailing_data[0]:
            self.transport.close()
        if self.transport.is_closing():
            self._end_unread()

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it
        """Who has said all he wants to (``nc -N``) may still read his answer.

        asyncio cannot write on over TLS, where the end is that of the session.
        """
        asked = not self.idle and self.conn.their_state is not h11.SEND_BODY
        self._said_all = asked and self.scheme == "http" and not hung_up(self.transport)
        if self._said_all:
            self.cycle.message_event.set()
        return self._said_all

    async def _hearing(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application. When it has all that was said, and listens on, the end of it is a departure:
        whoever waits for news cannot tell a client that has left from one that only has no more to say.
        Whose wait has an end of its own may be patient: for him only the end of the connection is one.
        """
        whole = False

        def left() -> bool:
            return whole and self._said_all and not scope["state"].get("patient")

        async def hear() -> Message:
            nonlocal whole
            message = {} if left() else await receive()
            if left():
                return {"type": "http.disconnect"}
            whole = not message.get("more_body", False)
            return message

        await self.config.loaded_app(scope, hear, send)

    @property
    def idle(self) -> bool:
        """Nobody waits for an answer on this connection."""
        return self.cycle is None or self.cycle.response_complete

    def _arriving(self) -> bool:
        if self.conn.their_state is h11.SEND_BODY:
            return True
        begun = self.cycle is None or bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.IDLE and begun

    def _expect_request(self) -> None:
        """The timer runs from the first byte (or the connection) to the last, however slowly they drip."""
        if not self._arriving():
            if self._late is not None:
                self._late.cancel()
                self._late = None
        elif self._late is None:
            self._late = self.loop.call_later(REQUEST_PATIENCE, self.transport.abort)

    def shutdown(self) -> None:
        """Whoever has just come, and not asked yet, is still answered, and told that it was the last time."""
        fresh = self.loop.time() - self.began < HANDOVER
        if not (fresh and self.idle and self._arriving()):
            super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  ours says more
        if len(self.conn.trailing_data[0]) > limits.HEADER_BYTES:
            self._refuse(too_large())
        else:
            self.refuse("cannot read this request: it is not valid HTTP/1.1")

    def refuse(self, detail: str) -> None:
        """What is not HTTP is told so; then the connection ends."""
        self._refuse(Problem("malformed", detail))

    def _refuse(self, problem: Problem) -> None:
        """Where an answer can still be sent; so never into one that is under way."""
        if self.idle and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = encode(document(problem))
            headers = [
                *date_header(int(time.time())),
                *_SAFE,
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", b"%d" % len(body)),
                _CLOSE,
            ]
            for event in (
                h11.Response(status_code=problem.status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    # --- an answer must be read in time -------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(WRITE_PATIENCE, self._cut_off)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_unread()

    def _end_unread(self) -> None:
        """Closed is only what has been read: the rest of a last answer does not wait for ever."""
        if self.transport.get_write_buffer_size():
            self.timeout_keep_alive_task = self.loop.call_later(LAST_ANSWER, self._cut_off)

    def _cut_off(self) -> None:
        self._house.slow_readers += 1
        self.transport.abort()
