"""An experiment: who takes part, what each does once in a round, and the rows that come of it.

Law of this file: the form of an experiment, and the order of a run: all parties in each round, in an order
that is drawn anew from a seed, so that whatever drifts on the machine hits all of them alike.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .figures import Row, Samples
from .house import House

Act = Callable[[], Mapping[str, Sequence[float]]]  # once: samples by figure
Open = Callable[[House, int], AbstractContextManager[Mapping[str, Act]]]  # with a size: what each party does


@dataclass(frozen=True)
class Experiment:
    """``sizes`` are its scenes, each opened once; the quick ones are for whoever works on the bench."""

    name: str
    title: str
    how: str
    open: Open
    rows: tuple[Row, ...]
    rounds: int
    quick: int = 1
    sizes: tuple[int, ...] = (0,)
    quick_sizes: tuple[int, ...] = (0,)
    growth: bool = False  # the page shows its figures by size, with their slopes


def run(experiment: Experiment, house: House, seed: int, *, quick: bool) -> Samples:
    """All rounds at all sizes; the samples by figure, size and party."""
    dice = random.Random(seed)  # noqa: S311  an order, not a secret
    samples: Samples = {}
    for size in experiment.quick_sizes if quick else experiment.sizes:
        with experiment.open(house, size) as acts:
            for number in range(experiment.quick if quick else experiment.rounds):
                print(f"{experiment.name} {size or ''} round {number + 1}", file=sys.stderr)
                for party in dice.sample(sorted(acts), len(acts)):
                    for figure, values in acts[party]().items():
                        by_party = samples.setdefault(figure, {}).setdefault(size, {})
                        by_party.setdefault(party, []).extend(values)
    return samples
