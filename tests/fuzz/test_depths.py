"""What is nested as deep as can be read at all: then a frame more is one too many, wherever it is shown."""

from __future__ import annotations

import pytest

from tests.fuzz.letterbox import desk
from tests.fuzz.terminal import follow, shown

DEPTHS = range(880, 1_010)  # around the interpreter's limit, less what stands on the stack of a test
QUESTIONS = (
    b'{"t":"ask","n":1,"what":%s}',
    b'{"t":"ask","n":1,"what":"signal","pid":%s}',
    b'{"t":"ask","n":1,"what":"main.signal","signal":%s}',
    b'{"t":"ask","n":1,"what":"drain","by":{"role":%s}}',
    b'{"t":"ask","n":1,"what":"main.restart","by":{"peer":%s}}',
    b'{"t":"observed","kind":%s}',
    b'{"t":"census","zombies":%s}',
    b'{"t":"seen","families":[{"parent":{"id":%s,"pid":4},"children":[]}],"gone":[]}',
    b'{"t":"seen","families":[],"gone":[%s]}',
    b'{"t":"checked","n":1,"ok":false,"why":%s}',
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_core_survives_any_depth(question: bytes) -> None:
    for depth in DEPTHS:
        desk(question % nested(depth))


def test_initctl_survives_any_depth() -> None:
    for depth in DEPTHS:
        shown(b'{"id":1,"action":%s,"state":1}' % nested(depth))
        shown(b'{"kind":"x","seq":1,"why":{"a":%s}}' % nested(depth))
        follow(b'data: {"kind":"x","seq":1,"why":{"a":%s}}\n' % nested(depth))
