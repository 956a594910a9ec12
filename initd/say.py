"""Lines for people, to stderr, never at the price of waiting: what finds no room is dropped.

Law of this file: level and form of a log line. ``cannot …`` refusals stand bare; others begin
with ``initd: ``, so that they can be told from main's own words in the same stream.
"""

from __future__ import annotations

from initd import descriptors
from initd.cli import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.cli import Config
    from initd.personas import Persona

LEVELS = ("error", "warning", "info", "debug", "trace")


class Speaker:
    """Writes what is worth saying at this verbosity."""

    def __init__(self, *, level: str = "info", json: bool = False, persona: Persona | None = None) -> None:
        self._heard = LEVELS[: LEVELS.index(level) + 1]
        self._json, self._persona = json, persona

    @classmethod
    def for_config(cls, config: Config) -> Speaker:
        """-q: errors and warnings; default: info; -v: debug; -vv: trace."""
        level = "warning" if config.quiet else LEVELS[min(2 + config.verbose, 4)]
        if config.persona is not None:
            level = config.persona.level
        return cls(level=level, json=config.log_format == "json", persona=config.persona)

    def say(self, level: str, text: str) -> None:
        """One line, whatever is in the text."""
        if level not in self._heard:
            return
        fd = 2
        if self._json:
            line = self._as_json(level, text)
        elif self._persona is not None:
            fd, line = self._persona.line(level, text)
            line += "\n"
        else:
            line = self._as_text(level, text)
        descriptors.write_line(fd, line.encode("utf-8", "backslashreplace"))

    def _as_text(self, level: str, text: str) -> str:
        flat = one_line(text)
        mark = "" if flat.startswith("cannot ") or level in ("info", "debug", "trace") else f"{level}: "
        head = "" if level == "error" and not mark else "initd: "
        return f"{head}{mark}{flat}\n"

    def _as_json(self, level: str, text: str) -> str:
        from initd.compact_json import encode
        from initd.syscalls import wall_clock
        from initd.wire import rfc3339

        return encode({"at": rfc3339(wall_clock()), "level": level, "message": text}) + "\n"
