"""How it ends: main's exit code, its death by signal, and a command that cannot be run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .parties import CATATONIT, DUMB_INIT, TINI, Stage
from .rows import Row, who_can


def code(script: str, stage: Stage, wish: str = "") -> int:
    """The init's exit code after a shell's ``script``."""
    return stage.run("sh", "-c", script, wish=wish)[0]


def exits(*codes: int) -> list[Row]:
    return [Row(f"exit {each}", partial(code, f"exit {each}"), each) for each in codes]


def deaths(**signals: int) -> list[Row]:
    """The kernel's signals that end a program, and what a shell makes of them."""
    return [
        Row(f"death by {name}", partial(code, f"kill -{number} $$; echo alive"), 128 + number)
        for name, number in signals.items()
    ]


def remapped(script: str) -> Row:
    """-e 143 -e 9"""
    wanted = {"exit 9": 0, "exit 8": 8, "kill -TERM $$": 0, "exit 0": 0}
    return Row(f"-e, {script}", partial(code, script, wish="expect"), wanted[script], only=who_can("expect"))


def exec_code(kind: str, stage: Stage) -> tuple[int, bool, int]:
    """Exit code, whether the diagnostic names the command or the reason, and how many lines it has."""
    name = make(kind, stage.home())
    got, out, err = stage.run(name)
    assert out == ""
    named = any(
        word in err for word in (name or "not found", "No such file", "Permission denied", "Not a directory")
    )
    return got, named, err.count("\n")


def make(kind: str, home: Path) -> str:
    file = home / "command"
    if kind == "a directory":
        return str(home)
    if kind == "nothing there":
        return str(home / "nothing")
    if kind == "not in PATH":
        return "no-such-program-anywhere"
    if kind == "no name":
        return ""
    file.write_text("#!/nonexistent/interpreter\n" if kind == "no interpreter" else "#!/bin/sh\n")
    file.chmod(0o755 if kind == "no interpreter" else 0o644)
    return f"{file}/below" if kind == "below a file" else str(file)


MISSING = (127, True, 1)
DENIED = (126, True, 1)
ONE = (1, True, 1)


def cannot(kind: str, outcome: tuple[int, bool, int], tini: tuple[int, bool, int] | None = None) -> Row:
    differs = {TINI: tini or outcome, DUMB_INIT: (2, True, 1), CATATONIT: ONE}
    return Row(f"exec, {kind}", partial(exec_code, kind), outcome, differs)


def no_shebang(stage: Stage) -> tuple[int, str]:
    script = stage.home() / "script"
    script.write_text('echo "${0##*/} $1"\nexit 6\n')
    script.chmod(0o755)
    return stage.run(str(script), "two words")[:2]


ROWS = (
    *exits(0, 1, 42, 125, 126, 127, 255),
    *deaths(HUP=1, INT=2, QUIT=3, SEGV=11, KILL=9, USR1=10, TERM=15, RTMIN_3=37, RTMAX=64),
    *(remapped(script) for script in ("exit 9", "exit 8", "exit 0", "kill -TERM $$")),
    cannot("nothing there", MISSING),
    cannot("not in PATH", MISSING),
    cannot("no name", MISSING),
    cannot("no interpreter", MISSING),
    cannot("not executable", DENIED),
    cannot("a directory", DENIED),
    cannot("below a file", DENIED, tini=ONE),
    Row("a script without a shebang", no_shebang, (6, "script two words\n")),
)
