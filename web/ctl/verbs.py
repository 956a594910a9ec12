"""Everything initctl understands, as one table; the parser (later man page and completions) is made of it.

Law of this file: rows, and what turns rows into a parser. No action and no text of an answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Container, Sequence

from initd.model import record
from web.ctl.errors import USAGE, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

LONGEST_WAIT = 300  # seconds; the API waits no longer
WAIT = 30


@record
class Word:
    """One option (its name begins with a dash) or operand. ``metavar`` None is a flag."""

    name: str
    help: str
    metavar: str | None = None
    short: str | None = None
    convert: Callable[[str], Any] = str
    default: Any = None
    choices: tuple[str, ...] | None = None
    needed: bool = True
    hidden: bool = False


@record
class Verb:
    """One row: what is typed, what it does in one line, the words it takes, and notes that explain choices.

    ``json``: whether it has any for ``--json``.
    """

    name: str
    help: str
    words: tuple[Word, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    json: bool = True


def count(text: str) -> int:
    """A whole number from 0, of at most 15 digits."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError("say a whole number")
    return int(text)


def between(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number from ``lowest`` to ``highest``."""

    def convert(text: str) -> int:
        if not lowest <= count(text) <= highest:
            raise argparse.ArgumentTypeError(f"say a whole number from {lowest} to {highest}")
        return int(text)

    return convert


def wait(text: str) -> int:
    """Whole seconds that the API agrees to wait."""
    if count(text) > LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"say seconds from 0 to {LONGEST_WAIT}")
    return int(text)


def patience(text: str) -> float:
    """Seconds for one answer: anything above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"say seconds above 0, up to {LONGEST_WAIT}")
    return value


def process_id(text: str) -> str:
    """``PID`` or ``PID-STARTTIME``."""
    parts = text.split("-")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts) or int(parts[0]) == 0:
        raise argparse.ArgumentTypeError("say PID or PID-STARTTIME, such as 42 or 42-18372")
    return text


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        from web.ctl.output import complain

        complain(f"cannot understand the words: {message}; see {self.prog} --help")
        self.exit(USAGE)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        sys.stdout.flush()  # the help: where that is not possible it is said
        super().exit(status, message)


COMMON = (
    Word("--socket", "unix socket (default $INITD_SOCKET, or /run/initd.sock)", "PATH"),
    Word("--url", "ask over TCP instead; the token is taken from $INITD_TOKEN", "URL"),
    Word("--cacert", "over https: trust this CA (default: those of the system)", "FILE"),
    Word("--cert", "over https: show this certificate", "FILE"),
    Word("--key", "its private key, where that is in another file", "FILE"),
    # Hidden: an argument can be read by everyone on the machine. It is for tests and for those who know.
    Word("--token", "prefer $INITD_TOKEN", "TOKEN", hidden=True),
    Word("--json", "print the API's own JSON; events: one object a line"),
)
_WAITING = (
    Word("--timeout", f"seconds to wait for the outcome (default {WAIT})", "SECONDS", None, wait, WAIT),
    Word("--no-wait", "do not wait for the outcome"),
)
LABS = {
    "orphan": "a child whose parent ends: initd adopts it",
    "zombie": "children that have ended, and a parent that does not wait for them",
    "daemon": "the classic double fork: an orphan in a session of its own",
    "subreaper": "an orphan that a nearer process takes, before initd can",
    "thread": "a process whose first thread has ended: it looks dead, lives, and keeps its children",
    "storm": "orphans as fast as they can be made, and what initd made of them",
}
VERBS = (
    Verb("status", "what init, main and web are doing"),
    Verb(
        "tree",
        "all processes, and who hangs under whom",
        (
            Word("id", "only this process and what is below it", "PID", None, process_id, needed=False),
            Word("--depth", "only so many levels", "N", None, count),
        ),
    ),
    Verb(
        "ps",
        "all processes as a list",
        (
            Word("--state", "only those in this state, such as zombie", "STATE"),
            Word("--name", "only those with this name", "NAME"),
            Word("--adopted", "only orphans that initd adopted"),
        ),
    ),
    Verb("zombies", "zombies, by the parent that does not wait for them"),
    Verb(
        "nudge",
        "remind a parent of its zombies with SIGCHLD, and say whether that helped",
        (Word("id", "the zombie, or its parent", "PID", None, process_id),),
    ),
    Verb("lineage", "orphans by the parent that they had"),
    Verb(
        "events",
        "what happened",
        (
            Word("--follow", "go on as it happens", None, "-f"),
            Word("--lines", "the last N events (default 50)", "N", "-n", count, 50),
            Word("--after", "all events after this number", "SEQ", None, count),
            Word("--kind", "only these kinds, separated by commas", "KIND"),
        ),
    ),
    Verb(
        "signal",
        "send a signal to main, or to one process",
        (
            Word("signal", "TERM, SIGTERM, 15, RTMIN+3", "NAME"),
            Word("id", "PID, or PID-STARTTIME to be sure", "PID", None, process_id, needed=False),
        ),
    ),
    Verb("restart", "stop main and start it again", _WAITING),
    Verb("stop", "stop main, and keep initd", _WAITING),
    Verb("start", "start main after a stop", _WAITING),
    Verb("drain", "answer 503 to readiness probes from now on"),
    Verb("shutdown", "stop main, sweep up, and end initd"),
    Verb(
        "check",
        "a health check: exit code 0 is yes, 1 is no",
        (
            Word("what", "live, ready or startup", "WHAT", choices=("live", "ready", "startup")),
            Word("--verbose", "one line for each check", None, "-v"),
            Word("--timeout", "the answer must be there within (default 2)", "SECONDS", None, patience, 2.0),
        ),
        json=False,
    ),
    Verb("top", "status, processes and events, live in a terminal; needs the extra initd[top]", json=False),
    Verb(
        "lab",
        "make a leak to watch, say what to watch, and clear it away",
        (
            Word("what", f"one of {', '.join(LABS)}", "LAB", choices=tuple(LABS)),
            Word("--for", "how long it lives (default 30)", "SECONDS", None, between(1, 3600), 30),
            Word("--count", "how many (default 1; zombie 5, storm 2000)", "N", None, between(1, 20_000)),
        ),
        tuple(LABS.items()),
        json=False,
    ),
)
EPILOG = """\
exit codes: 0 done, 1 the check or the operation failed, or the answer cannot be printed, 2 usage,
            3 cannot reach initd, 4 initd refused
The unix socket gives every right to root and to the user of PID 1; over TCP a token does."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The words as a namespace with ``verb``. Ends with code 2 on an error, 0 after help. Raises Usage."""
    # Only the verbs that are named get their words: to make all of them takes 4 ms.
    words = parser([verb for verb in VERBS if verb.name in argv]).parse_args(argv)
    if getattr(words, "json", False) and words.verb in [verb.name for verb in VERBS if not verb.json]:
        raise Usage(f"cannot use --json with {words.verb}: it has none to print")
    return words


def parser(complete: Sequence[Verb] = VERBS) -> argparse.ArgumentParser:
    """The parser, made of the table. Common options may stand before or after the verb."""
    shape = argparse.RawDescriptionHelpFormatter
    top = _Parser("initctl", description="Ask and steer initd.", epilog=EPILOG, formatter_class=shape)
    _add_words(top, COMMON)
    below = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        about = f"{verb.name}: {verb.help}"
        notes = "\n".join(f"  {name:<10} {note}" for name, note in verb.notes)
        sub = below.add_parser(
            verb.name, help=verb.help, description=about, epilog=notes, formatter_class=shape
        )
        if verb in complete:
            _add_words(sub, (*verb.words, *COMMON), () if verb.json else ("--json",))
    return top


def _add_words(target: argparse.ArgumentParser, words: Sequence[Word], hidden: Container[str] = ()) -> None:
    for word in words:
        # SUPPRESS: what was said before the verb must not be undone by a default after it.
        unsaid = word.hidden or word.name in hidden
        options: dict[str, Any] = {"help": argparse.SUPPRESS if unsaid else word.help}
        options["default"] = argparse.SUPPRESS if word in COMMON else word.default
        if word.metavar is None:
            options["action"] = "store_true"
            options["default"] = options["default"] or False
        else:
            options.update(metavar=word.metavar, type=word.convert, choices=word.choices)
        if not word.name.startswith("-") and not word.needed:
            options["nargs"] = "?"
        target.add_argument(*filter(None, (word.short, word.name)), **options)
