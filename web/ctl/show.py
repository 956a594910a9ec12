"""Answers as text for people.

Law of this file: values in, lines out. What comes from processes may hold anything, so every line passes
``clean``: a process called ``\\x1b]0;…`` must not steer the terminal of whoever looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Json = dict[str, Any]

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def clean(text: str) -> str:
    """Text that a terminal only shows: control, format and unassigned characters become ``\\xNN``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def clean_lines(text: str) -> list[str]:
    """Lines of a plain text answer, each cleaned."""
    return [clean(line) for line in text.rstrip("\n").split("\n")]


def age(since: str | None, now: float) -> str:
    """How long ago an RFC 3339 time was, in its two largest units: ``3h12m``; ``-`` when unknown."""
    if since is None:
        return "-"
    from datetime import datetime

    return duration(now - datetime.fromisoformat(since).timestamp())


def duration(seconds: float) -> str:
    """Seconds in their two largest units: ``3h12m``."""
    rest = max(0, int(seconds))
    parts: list[str] = []
    for size, unit in _UNITS:
        if rest >= size or (unit == "s" and not parts):
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return "".join(parts[:2])


def size(amount: int | None) -> str:
    """Bytes for people: ``512K``, ``3.4M``."""
    if amount is None:
        return "-"
    value = amount / 1024
    for unit in "KMGT":
        if value < 1024 or unit == "T":
            break
        value /= 1024
    return f"{value:.0f}{unit}" if value >= 10 or unit == "K" else f"{value:.1f}{unit}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> Iterator[str]:
    """Aligned columns; those whose header is in ``right`` (separated by spaces) to the right."""
    cells = [list(header), *([clean("-" if v is None else str(v)) for v in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    pads = [str.rjust if name in right.split() else str.ljust for name in header]
    for row in cells:
        padded = (pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def who(process: Json | None) -> str:
    """A process in a word: ``git(42)``."""
    return "nobody" if process is None else f"{process.get('name') or '?'}({process.get('pid')})"


def rate(per_minute: float | None) -> str:
    """``+3.5/min``, or nothing while it does not grow."""
    return f"+{per_minute:.1f}/min" if per_minute and per_minute > 0 else ""


def _exit(last: Json) -> str:
    how = f"code {last['code']}" if last.get("code") is not None else f"signal {last.get('signal')}"
    return f"{how} (killed for memory)" if last.get("oom") else how


def status(answer: Json, now: float) -> Iterator[str]:
    """``/api/v1/status``."""
    init, main, web = answer["init"], answer["main"], answer["web"]
    argv = " ".join(main.get("argv") or ())
    rows = [
        (
            "init",
            f"pid {init['pid']}, {init['role']}, {init['version']}, up {age(init['started_at'], now)}",
        ),
        ("main", _main(main, now) if init["role"] != "observer" else "none: initd only observes"),
        *([("command", argv)] if argv else []),
        *([("says", main["status_text"])] if main.get("status_text") else []),
        *(("check", _check(check)) for check in main.get("checks") or ()),
        ("web", f"pid {web['pid']}, {restarts(web['restarts'])}"),
        ("ready", "yes" if answer["ready"] else "no"),
        ("processes", f"{_known(answer['processes'])}, of them zombies: {_known(answer['zombies'])}"),
        ("pids", _pids(answer.get("pids") or {})),
        ("adopted", f"{answer['adopted']['total']} in all, {answer['adopted']['alive']} alive"),
        ("reaped", f"{answer['reaped']['total']} in all"),
    ]
    for name, text in rows:
        yield clean(f"{name:<10} {text}")


def restarts(number: int) -> str:
    return "1 restart" if number == 1 else f"{number} restarts"


def _known(value: object) -> object:
    return "unknown" if value is None else value


def _pids(limits: Json) -> str:
    text = f"{_known(limits.get('current'))} of {limits.get('max') or 'any number'}"
    if growth := rate(limits.get("growth_per_minute")):
        text += f", {growth}"
    if limits.get("minutes_until_full") is not None:
        text += f", full in {duration(limits['minutes_until_full'] * 60)} at this rate"
    return text


def _check(check: Json) -> str:
    said = {True: "passing", False: f"failing, {check.get('failures') or 0} times", None: "not known yet"}
    why = f": {check['why']}" if check.get("why") else ""
    return f"{check['name']} {said[check.get('passing')]}{why}"


def _main(main: Json, now: float) -> str:
    parts = [str(main["state"])]
    if main.get("hook"):
        parts.append(f"its {main['hook']} runs")
    if main.get("reloading"):
        parts.append("reloading")
    if main.get("pid"):
        parts += [f"pid {main['pid']}", f"up {age(main.get('started_at'), now)}"]
    parts.append(restarts(main["restarts"]))
    if last := main.get("last_exit"):
        parts.append(f"last exit: {_exit(last)}, {age(last.get('at'), now)} ago")
    return ", ".join(parts)


def processes(answer: Json, now: float) -> Iterator[str]:
    """``/api/v1/processes``."""
    header = ("PID", "PPID", "STATE", "AGE", "THR", "CPU", "RSS", "ADOPTED", "NAME")
    rows = [
        (
            p["pid"],
            p["ppid"],
            p["state"],
            age(p.get("started_at"), now),
            p.get("threads"),
            "-" if p.get("cpu_seconds") is None else f"{p['cpu_seconds']:.1f}s",
            size(p.get("resident_bytes")),
            "yes" if p.get("adopted") else "",
            p["name"],
        )
        for p in answer["processes"]
    ]
    return table(header, rows, "PID PPID AGE THR CPU RSS")


def event(one: Json) -> str:
    """One event in one line: number, time, kind, whose, and whatever else it says."""
    rest = {key: value for key, value in one.items() if key not in ("seq", "at", "kind", "process")}
    words = [f"{one['seq']:>6}", f"{one.get('at') or '-':<24}", f"{one['kind']:<16}"]
    if one.get("process"):
        words.append(who(one["process"]))
    words += [f"{key}={_value(value)}" for key, value in rest.items() if value is not None]
    return clean(" ".join(words).rstrip())


def _value(value: object) -> str:
    if isinstance(value, dict) and value.get("pid"):
        return who(value)
    if isinstance(value, dict) and value.get("detail"):
        return str(value["detail"])
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    import json

    return json.dumps(value, separators=(",", ":"))


def facts(one: Json) -> Iterator[str]:
    """A process in detail, a line for each thing that is known of it."""
    for key, value in one.items():
        if value is not None:
            yield clean(f"{key:<16} {_value(value)}")


def operation(one: Json) -> str:
    """How a restart, stop or start went."""
    detail = f": {one['detail']}" if one.get("detail") else ""
    return clean(f"{one['action']} {one['state']}{detail} (operation {one['id']})")


def sent(answer: Json) -> str:
    """What a signal's answer says was done."""
    process = answer["process"]
    return clean(f"sent {answer['signal']} to {process['id']} {process.get('name') or ''}".rstrip())
