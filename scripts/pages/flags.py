"""The option tables of initd and initctl, as a man page and a shell see them."""

from __future__ import annotations

from typing import NamedTuple

from initd.options import OPTIONS, ROLES, Option
from web.ctl.verbs import COMMON, Word

CHOICES = {
    "--restart": ("no", "on-failure", "always"),
    "--anonymous": ROLES,
    "--log-format": ("text", "json"),
    "--listen": ("none", "127.0.0.1:9911"),
}
FILES = ("--socket", "--tokens")
DIRECTORIES = ("--workdir",)
SIGNALS = ("--stop-signal", "--parent-death-signal")
SIGNAL_NAMES = "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH"


class Flag(NamedTuple):
    """An option as a shell sees it: ``value`` is None, or what it is called; ``words`` may complete it."""

    name: str
    short: str
    value: str | None
    help: str

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(SIGNAL_NAMES.split()) if self.name in SIGNALS else CHOICES.get(self.name, ())


def _flag(row: Option) -> Flag:
    """An optional value is none to a shell: the next word is not it."""
    value = None if row.implied is not None else row.metavar
    return Flag(f"--{row.name}", row.short and f"-{row.short}", value, row.help)


def initd_flags() -> list[Flag]:
    """The option table, and the two that every program has."""
    rows = [row for row in OPTIONS if isinstance(row, Option)]
    flags = [_flag(row) for row in rows]
    return [
        *flags,
        Flag("--help", "-h", None, "show help"),
        Flag("--version", "-V", None, "show the version"),
    ]


def ctl_flags(words: tuple[Word, ...]) -> list[Flag]:
    """The options among a verb's words; operands and hidden ones are not completed."""
    shown = (word for word in words if word.name.startswith("--") and not word.hidden)
    return [Flag(word.name, word.short or "", word.metavar, word.help) for word in shown]


def operands(words: tuple[Word, ...]) -> list[str]:
    """Words that complete a verb's operand."""
    found: list[str] = []
    for word in words:
        if not word.name.startswith("-"):
            found += word.choices or (SIGNAL_NAMES.split() if word.name == "signal" else ())
    return found


COMMON_FLAGS = ctl_flags(COMMON)
