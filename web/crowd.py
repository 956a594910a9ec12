"""Many clients and one thread: who makes room when there are too many, and whose turn is next.

Law of this file: fairness between addresses, nothing of HTTP and no patience. Whoever opens a thousand
connections, or sends what takes long to read, pays for it: with connections of his own, and by waiting behind
everyone who has cost less. kubelet comes with one short request at a time, so it is always among the first.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from web import limits

TURN = 0.00025  # seconds of reading in one turn of the event loop, which then looks for whoever is new
CREDIT = 2 * TURN  # how far ahead of those who are always here someone is who comes seldom


class Guest(Protocol):
    """One connection. ``idle``: nobody waits for an answer on it."""

    address: str

    @property
    def idle(self) -> bool: ...

    def take_turn(self) -> None:
        """Read what has arrived: at most limits.AT_A_TIME bytes."""

    def leave(self) -> None:
        """End, at once."""


class Crowd:
    """All connections by address. For the event loop's thread alone."""

    def __init__(self) -> None:
        self._count = 0
        # In both, the one that was answered longest ago comes first.
        self._here: dict[str, dict[Guest, None]] = {}
        self._waiting: dict[str, dict[Guest, None]] = {}
        # Start-time fair queueing (Goyal, Vin, Cheng, 1996): an address stands where its turns have brought
        # it, in seconds of reading; the time is where the one stands whose turn it is, and who is new begins.
        self._stand: dict[str, float] = {}
        self._time = 0.0

    # --- who is here --------------------------------------------------------------------------------

    def come(self, guest: Guest) -> None:
        """One more, unless it is known; if that is one too many, one leaves, perhaps the same."""
        there = self._here.setdefault(guest.address, {})
        if guest in there:
            return
        there[guest] = None
        self._count += 1
        if self._count > limits.CONNECTIONS:
            chosen = self._who_makes_room()
            self.go(chosen)
            chosen.leave()

    def go(self, guest: Guest) -> None:
        """One less, unless it had gone before."""
        there = self._here.get(guest.address, {})
        if guest in there:
            del there[guest]
            self._count -= 1
            if not there:
                del self._here[guest.address]

    def answered(self, guest: Guest) -> None:
        """It is useful: it, and its address, are the last to make room among their like."""
        there = self._here.pop(guest.address, {})
        if guest in there:
            del there[guest]
            there[guest] = None
        if there:
            self._here[guest.address] = there

    def _who_makes_room(self) -> Guest:
        """Of the address that has most: the one that has been idle longest, or else the newest."""
        most = max(map(len, self._here.values()))
        largest = [guests for guests in self._here.values() if len(guests) == most]
        idle = (guest for guests in largest for guest in guests if guest.idle)
        return next(idle, None) or next(reversed(largest[-1]))

    # --- whose turn it is ---------------------------------------------------------------------------

    def wait(self, guest: Guest) -> None:
        """It has something to be read, and gets its turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._serve)
        if guest.address not in self._waiting:
            self._waiting[guest.address] = {}
            known = self._stand.get(guest.address, self._time)
            self._stand[guest.address] = max(known, self._time - CREDIT)
        self._waiting[guest.address][guest] = None

    def _serve(self) -> None:
        """Whoever has cost least is next, as long as a turn of the event loop may take."""
        begin = now = time.perf_counter()
        try:
            while self._waiting and now < begin + TURN:
                address = min(self._waiting, key=self._stand.__getitem__)
                self._time = max(self._time, self._stand[address])
                self._next_of(address).take_turn()
                then, now = now, time.perf_counter()
                # What takes longer is not theirs: another process had the processor, or memory was tidied up.
                self._stand[address] += min(now - then, TURN)
        finally:
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._serve)
            else:
                self._time = max(self._stand.values())
            if len(self._stand) > 2 * limits.CONNECTIONS:
                self._stand = {address: self._stand[address] for address in self._waiting}

    def _next_of(self, address: str) -> Guest:
        line = self._waiting[address]
        guest = next(iter(line))
        del line[guest]
        if not line:
            del self._waiting[address]
        return guest
