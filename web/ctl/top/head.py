"""The three lines above the table: how main is, how much room is left, how old all this is.

Law of this file: values in, text with styles out. What comes from processes is cleaned, and is no markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.text import Text

from web.ctl.show import age, clean, duration, rate, restarts
from web.ctl.top.picture import Picture

BAR = 20  # cells
NARROW = 0.8  # of the limit: from here on the bar is yellow
FULL = 0.95  # and red
STALE = 3.0  # seconds: three rounds without an answer are worth a word

Part = tuple[str, str]


def lines(picture: Picture | None, old: float, trouble: str | None, modes: list[str]) -> Text:
    """All three. ``old`` is how many seconds ago the picture came, ``modes`` what the user asked for.

    That nobody answers is the first word of all: there no other text, no dialog and no width hides it.
    """
    silent = picture is not None and old > STALE and "paused" not in modes
    alarm = ("disconnected" if trouble else "no answer" if silent else "", "bold red")
    age_line = _age(picture, old, trouble, modes, "red" if alarm[0] else "dim")
    first, *others = [*([] if picture is None else picture.head), age_line]
    return Text("\n").join(map(_assembled, [[alarm, *first], *others]))


def _assembled(parts: Iterable[Part]) -> Text:
    return Text("  ").join(Text(clean(text), style) for text, style in parts if text)


def main(status: dict[str, Any], now: float) -> list[Part]:
    """initd and main; ``now`` is the time of day."""
    init, unit = status["init"], status["main"]
    doing = "observing" if init["role"] == "observer" else f"main {unit['state']}"
    lives = f"pid {unit['pid']}  up {age(unit.get('started_at'), now)}" if unit.get("pid") else ""
    return [
        (f"initd {init['version']} {init['role']}", "bold"),
        (doing, "" if unit["state"] == "running" else "yellow"),
        (lives, ""),
        (restarts(unit["restarts"]), "yellow" if unit["restarts"] else ""),
        ("ready", "green") if status["ready"] else ("not ready", "red"),
        ("draining" if status.get("draining") else "", "yellow"),
        (" ".join(unit.get("argv") or ()), "dim"),
    ]


def room(status: dict[str, Any], adoptions: float | None) -> list[Part]:
    """What fills the house; ``adoptions`` is their rate per minute."""
    pids, zombies = status.get("pids") or {}, status.get("zombies")
    left = pids.get("minutes_until_full")
    return [
        *_bar(pids.get("current"), pids.get("max")),
        (rate(pids.get("growth_per_minute")), "yellow"),
        ("" if left is None else f"full in {duration(left * 60)}", "bold red"),
        (f"zombies {'?' if zombies is None else zombies}", "red" if zombies else ""),
        (f"adopted {status['adopted']['alive']}", ""),
        ("" if adoptions is None else f"{adoptions:.0f} adoptions/min", ""),
    ]


def _bar(current: int | None, limit: int | None) -> list[Part]:
    if current is None or not limit:
        return [(f"pids {'?' if current is None else current}, no limit", "")]
    share = min(current / limit, 1.0)
    colour = "red" if share >= FULL else "yellow" if share >= NARROW else "green"
    filled = round(share * BAR)
    return [("pids", ""), ("█" * filled + "░" * (BAR - filled), colour), (f"{current} / {limit}", "")]


def _age(
    picture: Picture | None, old: float, trouble: str | None, modes: list[str], style: str
) -> list[Part]:
    shown = "no picture yet" if picture is None else f"picture {old:.0f} s old"
    return [
        (shown, style),
        *((mode, "bold yellow") for mode in modes),
        (trouble or "", "red"),
    ]
