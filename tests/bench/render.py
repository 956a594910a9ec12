"""A run as text: the table on the terminal, and the page docs/performance.md. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .experiment import Experiment
from .figures import (
    LARGE,
    Row,
    Samples,
    Verdict,
    by_size,
    quantile,
    slope,
    slope_of_large,
    spread,
    value_of,
    verdicts,
)
from .parties import INITD, NO_HTTP

_HEAD = """# How fast initd is, beside its peers

Made by `make bench`, which measures every party in one run: in each round all of them, in an order drawn
anew, so that what drifts on the machine hits all alike. Compare within this page only; another machine has
other figures, and nearly the same ratios.

A figure is the median of its samples, or p99 where it says so; in parentheses what the middle 80 % of them
lie between, and how many they are. {times} is the ratio to the peer that the table names.

- Run: {date}, {cores} cores, {cpu}, Linux {kernel}, Python {python}, seed {seed}
- Parties: {parties}

"""
TIMES = "\N{MULTIPLICATION SIGN}"
_NONE = "–"  # noqa: RUF001  a dash is meant
LINEAR = 1.1  # an exponent of 1, as well as it can be measured


@dataclass(frozen=True)
class Run:
    """Where and when, and who took part in which version."""

    date: str
    cores: int
    cpu: str
    kernel: str
    python: str
    seed: int
    versions: dict[str, str]


def number(value: float | None) -> str:
    """Three digits that mean something."""
    if value is None:
        return _NONE
    return f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


def page(run: Run, experiments: Sequence[Experiment], samples: Samples, tried: str) -> str:
    """docs/performance.md."""
    parties = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    head = _HEAD.format(
        times=TIMES, parties=parties, **{k: v for k, v in vars(run).items() if k != "versions"}
    )
    chapters = [goals(experiments, samples), *(chapter(each, samples) for each in experiments), tried]
    return head + "\n\n".join(chapter.strip() for chapter in chapters) + "\n"


def goals(experiments: Sequence[Experiment], samples: Samples) -> str:
    lines = ["## Goals", "", "| what | who | budget | goal | measured | |", "| --- " * 6 + "|"]
    for row in (row for each in experiments for row in each.rows):
        lines += [_goal(verdict) for verdict in verdicts(row, samples)]
    for row in (row for each in experiments if each.growth for row in each.rows):
        lines.append(_linear(row, samples))
    return "\n".join(lines) + "\n"


def _goal(verdict: Verdict) -> str:
    row, limit = verdict.row, verdict.limit
    what = f"{row.title} at {verdict.size:,}" if verdict.size else row.title
    unit = f" {TIMES} {limit.against}" if limit.against else f" {row.unit}".rstrip()
    most, goal = number(limit.budget) + unit, number(limit.goal) + unit
    measured = _NONE if verdict.measured is None else number(verdict.measured) + unit
    word = verdict.word if verdict.word == "kept" else f"**{verdict.word}**"
    return f"| {what} | {limit.party} | {most} | {goal} | {measured} | {word} |"


def _linear(row: Row, samples: Samples) -> str:
    """Nothing of ours grows worse than linearly."""
    exponent = slope_of_large(by_size(row, samples, INITD))
    word = "**not measured**" if exponent is None else "kept" if exponent <= LINEAR else "**missed**"
    return (
        f"| {row.title}, exponent of growth | {INITD} | {LINEAR} | {LINEAR} | {number(exponent)} | {word} |"
    )


def chapter(experiment: Experiment, samples: Samples) -> str:
    parts = [f"## {experiment.title}", experiment.how]
    parts += [_table(row, samples) for row in experiment.rows]
    if experiment.growth:
        parts.append(_growth(experiment, samples))
    return "\n\n".join(parts) + "\n"


def _table(row: Row, samples: Samples) -> str:
    """Parties down, sizes across."""
    found = samples.get(row.source, {})
    sizes = sorted(found)
    parties = list(dict.fromkeys(party for size in sizes for party in found[size]))
    parties.sort(key=lambda party: value_of(row, samples, sizes[-1], party) or 0.0)
    named = f" at {{:,}} ({row.unit})" if row.unit else " at {:,}"
    title = f"{row.title}, {row.unit}" if row.unit else row.title
    heads = [named.format(size).strip() if size else title for size in sizes]
    ratio = [f"{TIMES} {row.peer}"] if row.peer else []
    columns = [column for head in heads for column in (head, *ratio)]
    lines = [f"**{title}**", "", "| |" + "".join(f" {column} |" for column in columns)]
    lines.append("| --- |" + " --- |" * len(columns))
    for party in parties:
        cells = [cell for size in sizes for cell in _cells(row, samples, size, party)]
        lines.append(f"| {party} |" + "".join(f" {cell} |" for cell in cells))
    return "\n".join(lines)


def _cells(row: Row, samples: Samples, size: int, party: str) -> list[str]:
    values = samples[row.source][size].get(party, [])
    if not values:
        return [_NONE] * (2 if row.peer else 1)
    figure = quantile(values, row.share)
    between = _NONE.join(map(number, spread(values))) + ", " if row.share == 0.5 else ""
    cells = [f"{number(figure)} ({between}{len(values)})"]
    if row.peer:
        other = value_of(row, samples, size, row.peer)
        cells.append(number(figure / other) if other else _NONE)
    return cells


def _growth(experiment: Experiment, samples: Samples) -> str:
    """What figures grow with, ours and those of the peer that they are compared with."""
    lines = ["**Growth**: the exponent that a figure grows with by size; 1 is linear", ""]
    lines += [f"| what | who | over all sizes | from {LARGE:,} on |", "| --- | --- | --- | --- |"]
    for row in experiment.rows:
        for party in (INITD, NO_HTTP, row.peer):
            points = by_size(row, samples, party or "")
            if len(points) > 1:
                cells = f"{number(slope(points))} | {number(slope_of_large(points))}"
                lines.append(f"| {row.title} | {party} | {cells} |")
    return "\n".join(lines)
