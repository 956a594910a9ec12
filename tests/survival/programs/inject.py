"""initd with a fault in it: ``inject.py KIND WHEN TIMES -- initd's arguments`` becomes that init.

KIND is an input (initd/inputs.py) or an effect (initd/effects.py). What handles or performs it raises so many
times: ``early``, before it does anything, or ``late``, when all is done but said. What it raises is no
OSError, which may be expected.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from initd import boot, desk, hands

KIND, WHEN, LEFT = sys.argv[1], sys.argv[2], [int(sys.argv[3])]
handle, perform = desk.Desk.handle, hands.Hands.perform


class Fault(Exception):
    """What nobody has foreseen."""


def due(what: object, when: str) -> bool:
    """Is it now? Then there is one time less."""
    if type(what).__name__ != KIND or when != WHEN or not LEFT[0]:
        return False
    LEFT[0] -= 1
    return True


def faulty_handle(self: desk.Desk, happened: object, now: float, wall: float) -> list[Any]:
    if due(happened, "early"):
        raise Fault("injected")
    effects = handle(self, happened, now, wall)
    if due(happened, "late"):
        for effect in effects:
            self.books.emit(effect)
        raise Fault("injected")
    return effects


def faulty_perform(self: hands.Hands, effect: object) -> object | None:
    if due(effect, "early"):
        raise Fault("injected")
    result = perform(self, effect)
    if due(effect, "late"):
        raise Fault("injected")
    return result


desk.Desk.handle = faulty_handle  # type: ignore[method-assign]
hands.Hands.perform = faulty_perform  # type: ignore[method-assign]
boot.main(sys.argv[5:])
