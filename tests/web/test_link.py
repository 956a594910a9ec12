"""web.link: questions are answered, garbage is counted, and silence has a limit."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initd import wire
from tests.web.fake_core import FakeCore, fake_core
from tests.web.inside import eventually
from web.link import Link, Silent, read_hello
from web.mirror import Mirror
from web.problem import Problem

PATIENCE = 5.0


class Ends:
    """Counts what the link says of the core's end."""

    def __init__(self) -> None:
        self.byes = 0
        self.gone = 0

    def bye(self) -> None:
        self.byes += 1

    def lost(self) -> None:
        self.gone += 1


def linked(
    test: Callable[[FakeCore, Link, Mirror, Ends], Awaitable[None]],
    prepare: Callable[[FakeCore], object] = id,
) -> None:
    """Run ``test`` with a link that is attached to a fake core, after ``prepare``."""

    async def run(core: FakeCore) -> None:
        mirror, ends = Mirror(1_000), Ends()
        link = Link(core.web_side, mirror, ends.bye, ends.lost)
        link.attach()
        try:
            await test(core, link, mirror, ends)
        finally:
            link.close()

    with fake_core() as core:
        read_hello(core.web_side)
        prepare(core)
        asyncio.run(run(core))


def test_an_answer_finds_its_question() -> None:
    async def test(core: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        answers = await asyncio.gather(*(link.ask(what) for what in ("ping", "state", "drain")))
        assert "checks" in answers[0]
        assert "status" in answers[1]
        assert answers[2]["draining"] is True
        assert len({question["n"] for question in core.asked}) == len(core.asked)

    linked(test)


def test_a_refusal_of_the_core_is_a_problem() -> None:
    async def test(core: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        core.refuse = {"ping": ("wrong_state", "cannot now"), "state": ("invented", "cannot")}
        for what, code in (("ping", "wrong_state"), ("state", "internal")):
            with pytest.raises(Problem) as caught:
                await link.ask(what)
            assert caught.value.code == code

    linked(test)


def test_a_silent_core_is_a_problem_after_the_time_given_and_may_still_act() -> None:
    async def test(core: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        core.silent = True
        begin = time.monotonic()
        with pytest.raises(Silent) as caught:
            await link.ask("ping", timeout=0.1)
        assert 0.1 <= time.monotonic() - begin < 1
        assert caught.value.code == "core_silent"
        assert caught.value.sent

    linked(test)


def test_what_finds_no_room_is_sent_later_and_never_once_nobody_waits() -> None:
    async def test(core: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        await eventually(lambda: core.asked)
        core.deaf.set()
        core.asked.clear()
        filler = [asyncio.create_task(link.ask("ping", timeout=PATIENCE)) for _ in range(2_000)]
        await asyncio.sleep(0)
        with pytest.raises(Silent) as caught:
            await link.ask("drain", timeout=0.05)
        assert not caught.value.sent
        core.deaf.clear()
        assert len(await asyncio.gather(*filler)) == 2_000
        await link.ask("state", timeout=PATIENCE)
        assert {question["what"] for question in core.asked} == {"ping", "state"}

    linked(test)


def test_those_who_ask_the_same_at_once_share_one_answer_and_the_next_one_gets_a_new() -> None:
    async def test(_c: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        answers = await asyncio.gather(*(link.state() for _ in range(20)))
        assert len({answer["n"] for answer in answers}) == 1
        assert (await link.state())["n"] != answers[0]["n"]

    linked(test)


def test_one_who_leaves_takes_the_shared_answer_from_nobody() -> None:
    async def test(_c: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        first, second = asyncio.create_task(link.state()), asyncio.create_task(link.state())
        await asyncio.sleep(0)
        first.cancel()
        assert (await second)["ok"]

    linked(test)


def test_the_history_from_before_us_is_fetched_in_as_many_parts_as_it_takes() -> None:
    def prepare(core: FakeCore) -> None:
        for _ in range(105):
            core.happen()

    async def test(core: FakeCore, _l: Link, mirror: Mirror, _e: Ends) -> None:
        await eventually(lambda: mirror.last == 105)
        core.happen()
        await eventually(lambda: mirror.last == 106)
        assert [json.loads(e.data) for e in mirror.after(0)[0]] == core.events

    linked(test, prepare)


def test_dropped_events_are_fetched_once_the_core_says_so() -> None:
    async def test(core: FakeCore, _l: Link, mirror: Mirror, _e: Ends) -> None:
        core.happen()
        for _ in range(50):
            core.happen(lose=True)
        core.send({"t": "lag", "seq": 51})
        await eventually(lambda: mirror.last == 51)
        assert [json.loads(e.data) for e in mirror.after(0)[0]] == core.events

    linked(test)


def test_a_silent_core_is_asked_for_its_history_until_it_answers() -> None:
    def prepare(core: FakeCore) -> None:
        core.refuse["history"] = ("malformed", "not now")
        core.happen()

    async def test(core: FakeCore, _l: Link, mirror: Mirror, _e: Ends) -> None:
        await eventually(lambda: core.asked)
        core.refuse.clear()
        await eventually(lambda: mirror.last == 1)

    linked(test, prepare)


def test_a_number_that_no_history_bears_out_is_asked_about_at_leisure() -> None:
    async def test(core: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        core.send({"t": "lag", "seq": 10**9})
        await eventually(lambda: len(core.asked) > 1)
        await link.ask("ping")
        assert len(core.asked) < 5

    linked(test)


def test_who_waits_for_an_event_gets_it_even_when_it_was_dropped() -> None:
    async def test(core: FakeCore, link: Link, mirror: Mirror, _e: Ends) -> None:
        await link.caught_up(0)
        core.happen(lose=True)
        reply = await link.ask("ping")
        await link.caught_up(reply["seq"])
        assert mirror.last == 1

    linked(test)


def test_who_waits_for_an_event_that_never_comes_goes_on() -> None:
    async def test(_core: FakeCore, link: Link, mirror: Mirror, _e: Ends) -> None:
        begin = time.monotonic()
        await link.caught_up(7)
        assert time.monotonic() - begin < PATIENCE
        assert mirror.last == 0

    linked(test)


def test_a_beat_is_answered() -> None:
    async def test(core: FakeCore, _l: Link, _m: Mirror, _e: Ends) -> None:
        core.send({"t": "beat"})
        await eventually(lambda: core.beats == 1)

    linked(test)


def test_the_end_is_told_apart_from_goodbye() -> None:
    async def test(core: FakeCore, _l: Link, _m: Mirror, ends: Ends) -> None:
        core.send({"t": "bye"})
        await eventually(lambda: ends.byes == 1)
        assert ends.gone == 0
        core.sock.shutdown(socket.SHUT_RDWR)
        await eventually(lambda: ends.gone == 1)

    linked(test)


ODD = [
    b"",
    b"{}",
    b"[]",
    b'{"t":1}',
    b'{"t":"nonsense"}',
    b'{"t":"events"}',
    b'{"t":"events","events":7}',
    b'{"t":"events","events":[7]}',
    b'{"t":"events","events":[{"seq":"1","kind":"adopted"}]}',
    b'{"t":"operation"}',
    b'{"t":"operation","operation":[]}',
    b'{"t":"operation","operation":{"id":"x"}}',
    b'{"t":"operation","operation":7}',
    b'{"t":"reply"}',
    b'{"t":"reply","n":{},"seq":0}',
    b'{"t":"reply","n":[],"seq":0}',
    b'{"t":"reply","n":99999,"seq":null}',
    b'{"t":"lag"}',
    b'{"t":"lag","seq":1e999}',
    b"\xff\xfe",
    b"[" * 50_000,
    b"x" * wire.LIMIT,
]


def test_garbage_is_counted_and_the_next_question_is_answered(capfd: pytest.CaptureFixture[str]) -> None:
    async def test(core: FakeCore, link: Link, mirror: Mirror, ends: Ends) -> None:
        for data in ODD[1:]:
            core.sock.send(data)
            await asyncio.sleep(0)  # the link reads in this thread too: without, a full socket is for ever
        assert (await link.ask("ping", timeout=PATIENCE))["ok"]
        assert link.garbage == len(ODD) - 1
        assert (mirror.last, mirror.newest, ends.byes, ends.gone) == (0, 0, 0, 0)

    linked(test)
    assert capfd.readouterr().err.count("\n") == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=200) | st.sampled_from(ODD[1:]), max_size=10))
def test_no_datagram_whatever_is_in_it_ends_the_link(data: list[bytes]) -> None:
    async def test(core: FakeCore, link: Link, _m: Mirror, _e: Ends) -> None:
        for one in data:
            core.sock.send(one)
            await asyncio.sleep(0)  # as above
        assert (await link.ask("ping", timeout=PATIENCE))["ok"]

    linked(test)


def test_a_greeting_must_be_one_and_of_our_version() -> None:
    for data, error in (
        (b'{"t":"events","events":[]}', wire.Malformed),
        (b'{"t":"hello","v":99}', wire.Malformed),
        (b"what", wire.Malformed),
        (b"", EOFError),
    ):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            theirs.send(data)
            with pytest.raises(error):
                read_hello(ours)
