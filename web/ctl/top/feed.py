"""Asking: one thread for the picture, one for the stream of events, and one for each order.

Law of this file: nothing here touches the screen, and the screen never waits for anything here. The threads
are daemons: who leaves does not wait for a server that is silent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from threading import Event, Thread
from typing import Any

from web.ctl import show
from web.ctl.ask import get, parsed, problem, shaped
from web.ctl.client import Answer, Client, NotAStream
from web.ctl.errors import CtlError
from web.ctl.top import head
from web.ctl.top.picture import Meter, Picture, processes
from web.ctl.watch import page, stream

PERIOD = 1.0  # seconds between two rounds; a round is three small questions
SHOWN_AT_FIRST = 50  # events


class Feed:
    """Calls ``on_picture``, ``on_trouble`` and ``on_event`` from its own threads until it is stopped."""

    def __init__(
        self,
        client: Client,
        on_picture: Callable[[Picture], object],
        on_trouble: Callable[[str], object],
        on_event: Callable[[str], object],
    ) -> None:
        self._client = client
        self._on_picture, self._on_trouble, self._on_event = on_picture, on_trouble, on_event
        self._stopped = Event()
        self._adoptions = Meter()

    def start(self) -> None:
        for work in (self._look, self._listen):
            Thread(target=work, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _look(self) -> None:
        while not self._stopped.is_set():
            try:
                self._on_picture(self._picture())
            except CtlError as error:
                self._on_trouble(show.clean(str(error)))
            self._stopped.wait(PERIOD)

    def _picture(self) -> Picture:
        status, zombies = (parsed(get(self._client, f"/api/v1/{what}")) for what in ("status", "zombies"))
        answer = self._client.ask("GET", "/api/v1/processes")
        if answer.status != 200:
            raise problem(answer)
        listed = parsed(answer.body)
        return shaped(lambda: self._put_together(status, listed, zombies, taken_at(listed, answer)))

    def _put_together(self, status: Any, listed: Any, zombies: Any, now: float) -> Picture:
        adoptions = self._adoptions.read(time.monotonic(), status["adopted"]["total"])
        return Picture(
            [head.main(status, now), head.room(status, adoptions)],
            processes(listed["processes"], zombies["culprits"]),
            now,
        )

    def _listen(self) -> None:
        """The last events, then those to come; taken up again where it broke off, as often as it does."""
        after: int | None = None
        while not self._stopped.is_set():
            try:
                if after is None:
                    found, after = page(self._client, limit=SHOWN_AT_FIRST)
                    for one in found:
                        self._tell(one)
                for one, following in stream(self._client, after):
                    if one is not None:
                        self._tell(one)
                    after = following
            except (CtlError, NotAStream):
                pass  # the other thread meets the same, and says it
            self._stopped.wait(PERIOD)

    def _tell(self, one: Any) -> None:
        self._on_event(shaped(lambda: show.event(one)))

    # --- orders: each on a thread of its own, as it may take seconds

    def ask_aside(self, question: Callable[[], str], then: Callable[[str, bool], object]) -> None:
        """``then`` is called with the answer, or with what is wrong and True."""

        def work() -> None:
            try:
                then(question(), False)
            except CtlError as error:
                then(show.clean(str(error)), True)

        Thread(target=work, daemon=True).start()

    def signal(self, process_id: str, name: str) -> str:
        """What was sent. Raises CtlError."""
        answer = self._post(f"/api/v1/processes/{process_id}/signal", {"signal": name})
        return shaped(lambda: show.sent(answer))

    def restart(self) -> str:
        """That it has begun; how it ends the events tell. Raises CtlError."""
        answer = self._post("/api/v1/main/restart", None)
        return shaped(lambda: show.operation(answer))

    def detail(self, process_id: str) -> str:
        """One process, a line for each fact. Raises CtlError."""
        answer = parsed(get(self._client, f"/api/v1/processes/{process_id}"))
        return shaped(lambda: "\n".join(show.facts(answer)))

    def _post(self, path: str, body: dict[str, str] | None) -> Any:
        answer = self._client.ask("POST", path, body=None if body is None else json.dumps(body).encode())
        if answer.status in (401, 403):
            raise CtlError(f"{problem(answer)}; be root on the unix socket, or set INITD_TOKEN for initctl")
        if answer.status not in (200, 202):
            raise problem(answer)
        return parsed(answer.body)


def taken_at(listed: Any, answer: Answer) -> float:
    """What time it was over there: the clock here may be hours off, and every age with it."""
    if said := listed.get("taken_at"):
        return datetime.fromisoformat(said).timestamp()
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()
