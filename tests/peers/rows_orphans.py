"""Orphans and zombies: who adopts, who reaps, who is told at the end, and who is left."""

from __future__ import annotations

import signal
from functools import partial

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, first, program

from .parties import CATATONIT, DUMB_INIT, NATIVE, TINI, Stage, no_numbers
from .rows import Row, who_can


def storm(stage: Stage) -> int:
    """A hundred orphans that end at once: how many zombies are left."""
    with stage.scene(*program("storm.sh", 100)) as made:
        made.ready()
        wait_for(lambda: not made.zombies(), "no zombies")
        return len(made.zombies())


def neglected(stage: Stage) -> tuple[int, int]:
    """Zombies whose parent lives, before and after that parent waits for them."""
    with stage.scene(*program("zombies.py", 5)) as made:
        made.ready()
        before = len(made.zombies())
        made.send(10)
        made.wait_out("reaped\n")
        wait_for(lambda: not made.zombies(), "no zombies")
        return before, len(made.zombies())


ORPHAN = """
(sh -c 'echo orphan; exec sleep 100000' &)
while :; do sleep 0.01; done
"""


def adopter(wish: str, stage: Stage, env: dict[str, str] | None = None) -> str:
    """Whose child is an orphan below an init that is not PID 1?"""
    with stage.scene("sh", "-c", ORPHAN, wish=wish, pid1=False, env=env) as made:
        made.wait_out("orphan\n")
        return wait_for(lambda: parent_of_sleep(made), "the orphan to be adopted")


def parent_of_sleep(made: Scene) -> str:
    outer = kernel.children(made.process.pid)[0]
    for who, pid in (("PID 1", outer), ("the init", made.init)):
        if any(kernel.name(child) == "sleep" for child in kernel.children(pid)):
            return who
    return ""


LEAVING = """
{how} sh -c 'trap "echo told" TERM; echo there; while :; do sleep 0.01; done' &
while [ ! -e {mark} ]; do sleep 0.01; done
exit 7
"""


def leaving(how: str, stage: Stage, wish: str = "") -> tuple[int, bool, bool]:
    """Main ends and leaves a process that only notes TERM: the code, was it told, is it left?"""
    mark = stage.home() / "mark"
    script = LEAVING.format(how=how, mark=mark)
    with stage.scene("sh", "-c", script, wish=wish, pid1=False) as made:
        made.wait_out("there\n")
        mark.touch()
        code = made.wait()
        return code, "told" in made.out(), "sh" in (made.home / "left").read_text().split()


def nobody_else(stage: Stage) -> list[list[str]]:
    """The names of init's children, and theirs: no helper."""
    with stage.scene("sh", "-c", "echo ready; read x < /dev/null; kill -STOP $$") as made:
        made.ready()
        (main,) = wait_for(lambda: kernel.children(made.init), "main")
        wait_for(lambda: kernel.state(main) == "T", "main to be at rest")
        children = kernel.children(made.init)
        return [
            [kernel.name(pid) for pid in children],
            [kernel.name(pid) for pid in kernel.descendants(main)],
        ]


def warning(wish: str, stage: Stage, env: dict[str, str] | None = None) -> str:
    """What is said where nothing will be adopted."""
    return no_numbers(stage.run("true", wish=wish, pid1=False, env=env)[2])


def reaped(stage: Stage) -> set[str]:
    """What -w says of two orphans that end before main, and of main itself."""
    script = "(sh -c 'exit 0' &) ; (sh -c 'exit 3' &) ; sleep 0.3"
    return set(no_numbers(stage.run("sh", "-c", script, wish="warn")[2]).splitlines())


def hears_term(pid: int) -> bool:
    """What ran before it may block TERM too."""
    there = kernel.program(pid).startswith(("python", "catatonit"))
    return there and kernel.listens_to(pid, signal.SIGTERM)


def pause(stage: Stage) -> tuple[int, int]:
    """-P: no command, others' orphans are reaped, QUIT is nothing, and the code after TERM."""
    orphan = first("(while [ ! -e go ]; do sleep 0.01; done; exit 3) &")
    with stage.bare(*stage.command(end=False), "-P", "ignored", before=orphan) as made:
        wait_for(lambda: hears_term(made.init), "the init to listen")
        made.send(signal.SIGQUIT)
        wait_for(lambda: not kernel.has_pending(made.init, signal.SIGQUIT), "QUIT to be taken")
        (made.home / "go").touch()
        wait_for(lambda: not kernel.children(made.init), "the orphan to be reaped")
        zombies = len(made.zombies())
        return zombies, made.stop(signal.SIGTERM)


PASSIVE = """\
[WARN  tini (N)] Tini is not running as PID N and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as \
a child subreaper, or run Tini as PID N.
"""
TOLD_AND_LEFT, LEFT, SWEPT = (7, True, True), (7, False, True), (7, True, False)
ASKED = {"TINI_SUBREAPER": ""}
ROWS = (
    Row("a storm of orphans", storm, 0),
    Row("zombies of a living parent", neglected, (5, 0)),
    Row("who adopts", partial(adopter, ""), "the init", {TINI: "PID 1", DUMB_INIT: "PID 1"}),
    Row("who adopts, -s", partial(adopter, "subreaper"), "the init", only=who_can("subreaper")),
    Row("who adopts, TINI_SUBREAPER", partial(adopter, "", env=ASKED), "the init", {DUMB_INIT: "PID 1"}),
    Row("left in main's group", partial(leaving, ""), LEFT, {DUMB_INIT: TOLD_AND_LEFT, NATIVE: SWEPT}),
    Row("left in another session", partial(leaving, "setsid"), LEFT, {NATIVE: SWEPT}),
    Row("left by a single child", partial(leaving, "", wish="single"), LEFT, {NATIVE: SWEPT}),
    Row("the process tree", nobody_else, [["sh"], []]),
    Row("the warning of no subreaper", partial(warning, ""), "", {TINI: PASSIVE}),
    Row("no warning with TINI_SUBREAPER", partial(warning, "", env=ASKED), ""),
    Row("no warning with TINI_VERBOSITY=0", partial(warning, "", env={"TINI_VERBOSITY": "0"}), ""),
    Row("a pause", pause, (0, 0), only=(CATATONIT,)),
    Row(
        "each orphan by -w",
        reaped,
        {"[WARN  tini (N)] Reaped zombie process with pid=N"},
        only=who_can("warn"),
    ),
)
