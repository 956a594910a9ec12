"""The table's shape: a row is one story, told by each party, with one outcome for all or one for each family.

Law of this file: no story is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .parties import FAMILIES, WISHES, Party, Stage


@dataclass(frozen=True)
class Row:
    """``differs``: who disagrees with ``outcome``. ``better``: where we mean not to be like them, and why."""

    name: str
    tell: Callable[[Stage], object]
    outcome: object
    differs: Mapping[str, object] = field(default_factory=dict)
    better: Mapping[str, tuple[object, str]] = field(default_factory=dict)
    only: tuple[str, ...] = FAMILIES

    def concerns(self, party: Party) -> bool:
        return party.family in self.only

    def expected(self, party: Party) -> object:
        if party.ours and party.family in self.better:
            return self.better[party.family][0]
        return self.differs.get(party.family, self.outcome)


def who_can(wish: str) -> tuple[str, ...]:
    """The families that know this wish."""
    return tuple(WISHES[wish])
