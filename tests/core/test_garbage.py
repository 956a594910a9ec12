"""desk.py against anything that web may send: one reply to each question, and never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from initd.inputs import Asked, Garbled

from .driver import QUICK, begin, prepare, running

QUESTIONS = (
    "ping", "state", "history", "signal", "main.signal", "main.restart", "main.start", "main.stop",
    "shutdown", "drain", "operation",
)  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=3,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "pid": JSON | st.integers(1, 9),
        "starttime": JSON,
        "signal": JSON | st.sampled_from(["TERM", "9"]),
        "after": JSON | st.integers(0, 9),
        "id": JSON | st.integers(0, 3),
        "by": JSON | st.dictionaries(st.sampled_from(["role", "peer"]), JSON),
    },
)


@QUICK
@example(what="history", fields={"after": 0}, number=True)
@given(
    what=st.sampled_from(QUESTIONS) | JSON,
    fields=FIELDS,
    number=st.integers(-(2**70), 2**70) | st.booleans(),
)
def test_any_question_with_a_number_gets_exactly_one_reply_and_nothing_else(
    what: object, fields: dict[str, Any], number: int
) -> None:
    world = running()
    before = len(world.sent)
    world.say({"t": "ask", "n": number, "what": what, **fields})
    replies = [message for message in world.sent[before:] if message["t"] == "reply"]
    if not isinstance(number, bool):  # true is no number: an answer or none, but never a broken datagram
        assert [reply["n"] for reply in replies] == [number]
        assert replies[0]["ok"] or replies[0]["error"]["detail"]


@QUICK
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.text(max_size=9) | st.just("ask"))
def test_any_object_at_all_changes_nothing_of_main(message: dict[str, Any], kind: str) -> None:
    world = running()
    world.say({**message, "t": kind})
    assert (world.signals, world.state, world.exits) == ([], "running", [])


def test_garbage_is_said_once() -> None:
    world = running()
    for _ in range(3):
        world.feed(Garbled("cannot read a datagram"))
        world.say({"t": "dance"})
        world.say({"t": "ask", "what": "ping"})
    warnings = [text for level, text in world.logs if level == "warning"]
    assert len(warnings) == 1
    assert "cannot read a datagram" in warnings[0]
    assert world.said("reply") == []


def test_garbage_is_no_sign_of_life() -> None:
    world = begin(prepare())
    for _ in range(40):
        world.advance(1)
        world.feed(Garbled("noise"))
    assert world.signals


def test_replies_are_written_as_json_of_ascii() -> None:
    world = running(argv=("/bin/sérver", "\udcff\n"))
    effects = world.desk.handle(Asked({"t": "ask", "n": 1, "what": "signal", "pid": "ü"}), 1.0, 1.0)
    assert json.loads(effects[-1].datagram.decode("ascii"))["ok"] is False
    assert world.ask("state")["status"]["main"]["argv"] == ["/bin/sérver", "\\xff\n"]
