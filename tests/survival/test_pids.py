"""No process can be made any more.

By a limit of the control group (pids.max) or of the user (RLIMIT_NPROC); with zombies, with processes that
live, and with a bomb that takes every slot that frees at once.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel import kernel
from tests.kernel.cgroup import limited
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, program, scene

from .asking import read_everything, slowest, stream
from .soak import soak

HOUSE = soak(5_000, least=100)  # so many processes there may be
SMALL = 16  # filled within a millisecond: the smallest house in which one is parked
USER = 19_100  # nobody else's: RLIMIT_NPROC counts all processes of a user
LIMITS = ("cgroup_pids", "nproc")  # as fork.failed calls them
SOURCE = Path(__file__).with_name("programs") / "culprit.c"

both_limits = pytest.mark.parametrize("limit", LIMITS)
all_culprits = pytest.mark.parametrize("what", ["zombies", "live", "bomb"])


@dataclass
class House:
    """An initd whose house is full, and who filled it."""

    made: Scene
    culprit: str  # its id
    families: Callable[[], Counter[int]]

    @property
    def children(self) -> int:
        """How many the culprit has, dead or alive."""
        return self.families()[int(self.culprit.partition("-")[0])]


@contextmanager
def full_house(
    what: str, limit: str, *options: str, size: int = HOUSE, at_once: bool = False
) -> Iterator[House]:
    """Full, by this ``limit``, of ``what`` culprit.c makes: when all is in place, or ``at_once``."""
    home = Path(tempfile.mkdtemp(prefix="initd-test-"))
    binary, go = str(home / "main"), home / "go"
    subprocess.run(["cc", "-O1", "-o", binary, str(SOURCE)], check=True)
    os.chown(home, USER, USER)
    if at_once:
        go.touch()
    try:
        with _limited_scene(limit, size, home, (binary, what), options) as made:
            wait_for(lambda: go.exists() or in_place(made), "web and its spare")
            go.touch()
            made.wait_out("full")

            def families() -> Counter[int]:
                return Counter(each["ppid"] for each in made.get("/api/v1/processes")["processes"])

            pid = max(families().items(), key=lambda family: family[1])[0]
            made.post("/api/v1/main/start?wait=1")
            yield House(made, made.get(f"/api/v1/processes/{pid}")["id"], families)
    finally:
        shutil.rmtree(home)


def in_place(made: Scene) -> bool:
    """web answers, and one is parked for when it does not."""
    if "listening on" not in made.err():
        return False
    names = map(kernel.name, kernel.children(made.init))
    return made.ask("GET", "/livez").status == 200 and "initd-spare" in names


@contextmanager
def _limited_scene(
    limit: str, size: int, home: Path, main: Sequence[str], options: Sequence[str]
) -> Iterator[Scene]:
    if limit == "nproc":
        user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        before = (*user, "prlimit", f"--nproc={size}:{size}")
        with scene(*main, home=home, before=before, options=options) as made:
            yield made
        return
    with limited() as group:
        group.limit(size)
        with scene(*main, home=home, entry=group.enter, options=options) as made:
            yield made


def kill(house: House) -> None:
    """The culprit, as a person would: by its id."""
    house.made.post(f"/api/v1/processes/{house.culprit}/signal", {"signal": "KILL"})


def assert_empty(made: Scene) -> None:
    """Nobody is left but ours, and the books agree with each other."""

    def emptied() -> bool:
        answer = made.ask("GET", "/api/v1/status")  # 503 while thousands are reaped on a machine that is busy
        return answer.status == 200 and answer.json()["processes"] <= 4

    wait_for(emptied, "the house to be empty")
    status = made.status()
    assert (status["zombies"], status["adopted"]["alive"]) == (0, 0)
    assert made.metric("initd_reaped_total", origin="adopted") == status["adopted"]["total"]
    assert not made.zombies()


@both_limits
@all_culprits
@pytest.mark.survives(
    "no process can be made: the culprit's zombies, its living children, or a bomb take every slot",
    "every path answers, streams go on and new ones open, KILL at the culprit goes out and empties the house",
)
def test_the_window_opens_and_the_culprit_can_be_killed(
    what: str, limit: str, figures: dict[str, object]
) -> None:
    with full_house(what, limit) as house, stream(house.made) as old:
        made, web = house.made, house.made.web
        assert made.status()["zombies"] == (house.children if what == "zombies" else 0)
        took = read_everything(made, house.culprit)
        made.post("/api/v1/main/signal", {"signal": "WINCH"})
        assert old.until("signal.sent")["signal"] == "WINCH"
        with stream(made) as new:
            made.post("/api/v1/main/signal", {"signal": "URG"})
            assert new.until("signal.sent")["signal"] == old.until("signal.sent")["signal"] == "URG"
        left = house.children
        assert left > HOUSE - 10
        kill(house)
        assert_empty(made)
        assert made.status()["adopted"]["total"] == left
        assert made.web == web
        figures["slowest answer"] = slowest(took)
        figures["/livez"] = f"{took['/livez'] * 1000:.0f} ms"


@both_limits
@all_culprits
@pytest.mark.survives(
    "no process can be made from main's first moment on, before there was a web",
    "a process was parked for it before main; everything answers, KILL at the culprit empties the house",
)
def test_the_window_opens_also_where_main_was_quicker(
    what: str, limit: str, figures: dict[str, object]
) -> None:
    with full_house(what, limit, size=SMALL, at_once=True) as house:
        figures["slowest answer"] = slowest(read_everything(house.made, house.culprit))
        kill(house)
        assert_empty(house.made)


@both_limits
@pytest.mark.survives(
    "main ends, and a bomb takes its slot",
    "it is tried again and again, said with the limit that was hit, readyz is 503; back when there is room",
)
def test_a_main_whose_slot_was_taken_comes_back_when_there_is_room(limit: str) -> None:
    with full_house("bomb", limit, "--restart", "always") as house:
        made = house.made
        os.kill(made.main, signal.SIGKILL)
        failed = made.wait_event("fork.failed", 2)
        assert (failed["unit"], failed["limit"]) == ("main", limit)
        assert str(HOUSE) in failed["room"]
        assert failed["room"] in made.err()
        assert (made.ask("GET", "/livez").status, made.ask("GET", "/readyz").status) == (200, 503)
        kill(house)
        wait_for(lambda: made.status()["main"]["state"] == "running", "main to be back")
        assert_empty(made)
        assert made.ask("GET", "/readyz").status == 200
        assert made.status()["main"]["restarts"] == 1


def kill_web(made: Scene) -> float:
    """SIGKILL; the seconds until there was an answer again, of another web."""
    web = made.web
    begun = time.monotonic()
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: not kernel.state(web), "web to be reaped")
    assert made.ask("GET", "/livez").status == 200
    took = time.monotonic() - begun
    assert made.web != web
    return took


@both_limits
@all_culprits
@pytest.mark.survives(
    "web is killed while no process can be made, and a bomb takes its slot",
    "a parked spare becomes web, everything answers, KILL at the culprit empties the house",
)
def test_a_web_whose_slot_was_taken_comes_back_all_the_same(
    what: str, limit: str, figures: dict[str, object]
) -> None:
    with full_house(what, limit) as house:
        made, left = house.made, house.children
        figures["web back after"] = f"{kill_web(made):.1f} s"
        figures["slowest answer then"] = slowest(read_everything(made, house.culprit))
        kill(house)
        assert_empty(made)
        assert made.status()["adopted"]["total"] >= left
        assert made.status()["web"]["restarts"] == 1


@both_limits
@pytest.mark.survives(
    "web is killed again and again while no process can be made",
    "the spare is replaced from the slot that each one leaves",
)
def test_a_web_that_is_killed_again_and_again_comes_back_each_time(limit: str) -> None:
    with full_house("zombies", limit) as house:
        for _ in range(3):
            kill_web(house.made)
        kill(house)
        assert_empty(house.made)
        assert house.made.status()["web"]["restarts"] == 3


@both_limits
@pytest.mark.survives(
    "web is killed under a bomb more often than there are spares",
    "main and reaping go on, what lacks is said, and web is back as soon as something can be made",
)
def test_a_web_for_which_nothing_is_left_is_back_as_soon_as_there_is_room(
    limit: str, figures: dict[str, object]
) -> None:
    with full_house("bomb", limit) as house:
        made, main = house.made, house.made.main
        culprit = made.host(int(house.culprit.partition("-")[0]))
        while "cannot start web" not in made.err():
            web = initd_web(made)
            if web:
                os.kill(web[0], signal.SIGKILL)
                wait_for(lambda: not kernel.state(web[0]), "web to be reaped")  # noqa: B023
            wait_for(lambda: initd_web(made) or "cannot start web" in made.err(), "a web, or a word")
        begun = time.monotonic()
        os.kill(culprit, signal.SIGKILL)
        assert made.ask("GET", "/livez").status == 200
        figures["web back after the bomb in"] = f"{time.monotonic() - begun:.1f} s"
        assert_empty(made)
        assert made.main == main
        assert made.status()["main"]["restarts"] == 0


def initd_web(made: Scene) -> list[int]:
    """The host's pids of what is web by its name, which web itself need not tell."""
    return [pid for pid in kernel.children(made.init) if kernel.name(pid) == "initd-web"]


@pytest.mark.survives(
    "web starts where it may have no thread",
    "it reads /proc without one, says so, and every path answers",
)
def test_a_web_that_may_have_no_thread_answers_everything(figures: dict[str, object]) -> None:
    """Root is exempt from RLIMIT_NPROC, web's user is not."""
    before = ("prlimit", "--nproc=1:1")
    with scene(*program("catcher.py"), before=before, options=["--http-user", str(USER)]) as made:
        made.ready()
        main = made.status()["main"]["id"]
        made.post("/api/v1/main/start?wait=1")
        assert kernel.status(made.web)["Threads"] == "1"
        assert "cannot start the thread that reads /proc" in made.err()
        figures["slowest answer"] = slowest(read_everything(made, main))
        wait_for(lambda: made.status()["processes"] == 3, "three processes")
