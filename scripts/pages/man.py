"""initd(1) and initctl(1) as roff; man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from initd import __version__
from initd.options import OPTIONS
from scripts.pages.flags import COMMON_FLAGS, Flag, ctl_flags
from web.ctl.verbs import VERBS

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"


def _date() -> str:
    """When this version was released, as CHANGELOG.md has it; so that a page changes only with its words."""
    found = re.search(rf"^## \[{re.escape(__version__)}\] - (\S+)$", CHANGELOG.read_text(), re.MULTILINE)
    return found[1] if found else "unreleased"


def roff(text: str) -> str:
    """Plain text as roff: backslashes and dashes mean themselves, and no line is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped


def _item(flag: Flag) -> Iterator[str]:
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in (flag.short, flag.name) if name)
    yield ".TP"
    yield names + (f" \\fI{roff(flag.value)}\\fR" if flag.value else "")
    yield roff(flag.help) + "."


def _page(name: str, about: str, synopsis: str, body: Iterator[str], also: str) -> str:
    head = [
        f'.TH {name.upper()} 1 "{_date()}" "initd {__version__}" "User Commands"',
        ".SH NAME",
        f"{name} \\- {roff(about)}",
        ".SH SYNOPSIS",
        synopsis,
    ]
    return "\n".join([*head, *body, ".SH SEE ALSO", also, ""])


def initd_man() -> str:
    """initd(1)."""

    def body() -> Iterator[str]:
        yield ".SH DESCRIPTION"
        yield "Starts COMMAND, forwards signals to it, reaps every orphan, and exits with its exit code."
        yield "Beside that it answers over HTTP: who is running, who is a zombie and whose fault that is,"
        yield "which orphans were adopted, how near the container is to its PID limit."
        yield ".SH OPTIONS"
        for row in OPTIONS:
            if isinstance(row, str):
                yield f".SS {roff(row)}"
            else:
                name = f"--{row.name}" + (f"[={row.metavar}]" if row.implied else "")
                value = None if row.implied else row.metavar
                yield from _item(Flag(name, row.short and f"-{row.short}", value, row.help))
        yield ".SH ENVIRONMENT"
        yield "Every option is also a variable:"
        yield "\\fBINITD_\\fR and its long name in upper case, with _ for \\-."
        yield "A flag is 1 or 0, a repeatable option is separated by commas; the command line wins."
        yield "No INITD_ variable reaches COMMAND."
        yield from (".TP", "\\fBINITD_TOKEN\\fR", "One token with the role control.")
        yield ".SH EXIT STATUS"
        for code, what in (
            ("N", "COMMAND's own exit code."),
            ("128+N", "COMMAND was ended by signal N."),
            ("127", "COMMAND was not found."),
            ("126", "COMMAND could not be executed."),
            (
                "125",
                "initd refused: one line on standard error begins with \\(dqcannot\\(dq and says the cure.",
            ),
        ):
            yield from (".TP", f"\\fB{code}\\fR", what)

    synopsis = "\\fBinitd\\fR [\\fIOPTIONS\\fR] [\\fB\\-\\-\\fR] \\fICOMMAND\\fR [\\fIARG\\fR...]"
    about = "a container's PID 1 that you can ask questions"
    return _page(
        "initd", about, synopsis, body(), "\\fBinitctl\\fR(1), \\fBcurl\\fR(1), \\fBpid_namespaces\\fR(7)"
    )


def initctl_man() -> str:
    """initctl(1)."""

    def body() -> Iterator[str]:
        yield ".SH DESCRIPTION"
        yield "Asks a running \\fBinitd\\fR(1) over its unix socket, or over TCP with \\fB\\-\\-url\\fR."
        yield ".SH COMMANDS"
        for verb in VERBS:
            operands = (
                w.name if w.needed else f"[{w.name}]" for w in verb.words if not w.name.startswith("-")
            )
            yield ".SS " + " ".join([roff(verb.name), *(roff(operand.upper()) for operand in operands)])
            yield roff(verb.help[:1].upper() + verb.help[1:]) + "."
            for name, note in verb.notes:
                yield from (".TP", f"\\fB{roff(name)}\\fR", roff(note[:1].upper() + note[1:]) + ".")
            for flag in ctl_flags(verb.words):
                yield from _item(flag)
        yield ".SH OPTIONS"
        for flag in COMMON_FLAGS:
            yield from _item(flag)
        yield ".SH EXIT STATUS"
        for code, what in (
            ("0", "Done."),
            ("1", "The check or the operation failed or is not known yet, or the answer cannot be printed."),
            ("2", "The words could not be understood."),
            ("3", "initd could not be reached."),
            ("4", "initd refused; the line says why."),
        ):
            yield from (".TP", f"\\fB{code}\\fR", what)

    synopsis = "\\fBinitctl\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARG\\fR...]"
    return _page("initctl", "ask and steer a running initd", synopsis, body(), "\\fBinitd\\fR(1)")
