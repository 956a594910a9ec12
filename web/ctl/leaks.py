"""Zombies, orphans and their culprits as text.

Law of this file: as in show, values in, lines out, and every line is clean.
"""

from __future__ import annotations

from collections.abc import Iterator

from web.ctl.show import age, clean, duration, rate, table, who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from web.ctl.show import Json


def zombies(answer: Json, now: float) -> Iterator[str]:
    """``/api/v1/zombies``: the parents that do not wait, and why each does not."""
    if not answer["total"]:
        yield "no zombies"
        return
    header = ("ZOMBIES", "OLDEST", "GROWTH", "PARENT", "PID", "NAMES")
    yield from table(header, (_culprit(one, now) for one in answer["culprits"]), "ZOMBIES OLDEST GROWTH PID")
    yield from (clean(one["why"]["detail"]) for one in answer["culprits"] if one.get("why"))


def _culprit(one: Json, now: float) -> tuple[object, ...]:
    parent = one.get("process") or {}
    return (
        one["count"],
        age(one.get("oldest_at"), now),
        rate(one.get("growth_per_minute")) or "-",
        parent.get("name"),
        parent.get("pid"),
        ", ".join(one.get("names") or ()),
    )


def nudged(answer: Json) -> str:
    """Whether a nudge helped."""
    counts = f"{answer['before']} zombies before, {answer['after']} after"
    verdict = "it helped" if answer["helped"] else "it did not help"
    return clean(f"sent {answer['signal']} to {who(answer['process'])}: {verdict}, {counts}")


def lineage(answer: Json, _now: float) -> Iterator[str]:
    """``/api/v1/lineage``: who leaves orphans behind, most first, and those of whom that is not known."""
    rows = [_former_parent(one) for one in answer["former_parents"]]
    unknown = answer["unknown"]
    if unknown["orphans"]:
        rows.append((unknown["orphans"], *_fates(unknown), "-", "-", "(not known)", ""))
    if not rows:
        yield "no orphans"
    else:
        header = ("ORPHANS", "ALIVE", "DEAD", "LIFETIME", "SEEN", "PARENTS", "FORMER PARENT", "COMMAND")
        yield from table(header, rows, " ".join(header[:4]) + " SEEN PARENTS")
    if answer.get("subreapers"):
        yield clean(f"subreapers nearer than initd: {', '.join(map(who, answer['subreapers']))}")


def _former_parent(one: Json) -> tuple[object, ...]:
    how = one.get("how") or {}
    return (
        one["orphans"],
        *_fates(one),
        how.get("seen"),
        one.get("parents"),
        who({**(one.get("last") or {}), "name": one["name"]}),
        one.get("cmdline") or "",
    )


def _fates(one: Json) -> tuple[object, ...]:
    median = one.get("median_lifetime_seconds")
    return one["alive"], one["dead"], None if median is None else duration(median)
