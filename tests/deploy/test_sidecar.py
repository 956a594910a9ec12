"""What docs/kubernetes.md says of an observer that is not root: what it can read, that it cannot steer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kernel.client import wait_for
from tests.kernel.harness import INITD, Scene, scene

OBSERVER, OTHER = 65532, 1000
AS = "setpriv --reuid={0} --regid={0} --clear-groups"
# PID 1 is somebody else's, as in a pod; the app beside it is called `true-app`.
POD = f"""
{AS.format(OBSERVER)} {INITD} --observe --socket initd.sock --listen none &
{AS.format("$1")} sh -c 'read -r line' true-app <&9 &
exec sleep 3600
"""


@contextmanager
def observed(user: int) -> Iterator[tuple[Scene, str]]:
    """A pod whose app runs as ``user``, and the app's id."""
    with tempfile.TemporaryDirectory(prefix="initd-test-") as place:
        home = Path(place)
        home.chmod(0o777)
        init = ("sh", "-c", f"mkfifo fifo; exec 9<>fifo\n{POD}", "sh", str(user))
        with scene(init=init, home=home) as made:
            wait_for(
                lambda: made.socket.exists() and made.ask("GET", "/readyz").status == 200, "the observer"
            )
            yield made, str(wait_for(lambda: app(made), "the app"))


def app(made: Scene) -> str | None:
    processes = made.get("/api/v1/processes?name=sh")["processes"]
    details = (made.get(f"/api/v1/processes/{each['id']}") for each in processes)
    return next((each["id"] for each in details if "true-app" in (each["cmdline"] or ())), None)


def test_of_another_user_it_reads_all_but_four_things() -> None:
    with observed(OTHER) as (made, found):
        detail = made.get(f"/api/v1/processes/{found}")
        assert sorted(detail["unreadable"]) == ["cwd", "exe", "fds", "memory_full"]
        assert detail["signals"]
        assert detail["cgroup"]


def test_of_its_own_user_it_reads_everything() -> None:
    with observed(OBSERVER) as (made, found):
        assert made.get(f"/api/v1/processes/{found}")["unreadable"] == []


def test_it_signals_nobody_not_even_its_own_users() -> None:
    with observed(OBSERVER) as (made, found):
        answer = made.ask("POST", f"/api/v1/processes/{found}/signal", {"signal": "CONT"})
        assert (answer.status, answer.json()["code"]) == (403, "not_permitted")
