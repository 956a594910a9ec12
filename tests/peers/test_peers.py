"""One table, played side by side: the same child, the same signal, under each init and initd as each."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import rows_ends, rows_orphans, rows_signals, rows_world
from .parties import PARTIES, Party, Stage
from .rows import Row

ROWS: tuple[Row, ...] = (*rows_ends.ROWS, *rows_signals.ROWS, *rows_world.ROWS, *rows_orphans.ROWS)
GAMES = [
    pytest.param(row, party, id=f"{row.name}-{party}")
    for row in ROWS
    for party in PARTIES
    if row.concerns(party)
]


@pytest.mark.parametrize(("row", "party"), GAMES)
def test_the_same_child_and_the_same_signal_give_the_same_outcome(
    row: Row, party: Party, links: Path
) -> None:
    assert row.tell(Stage(party, links)) == row.expected(party)
