"""Something is not permitted.

Capabilities that the container does not have, and system calls that a seccomp filter refuses.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, run, scene

from .misfortune import refusing

CAP_KILL = 5  # linux/capability.h
WITHOUT_KILL = ("setpriv", "--bounding-set", "-kill")
WITHOUT_ANY = ("setpriv", "--bounding-set", "-all")
AS_NOBODY = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
# An orphan, then what main says of two signals; and one more process that is there when main has ended.
SCRIPT = """
( : & ); trap 'echo heard' USR1; trap 'exit 6' TERM
( trap 'echo swept; exit' TERM; echo ready; while :; do sleep 0.1; done ) &
while :; do sleep 0.1; done
"""
WORLDLY = ("sh", "-c", SCRIPT)
CALLS = (
    "clone3",
    "close_range",
    "epoll_create1",
    "pidfd_open",
    "pidfd_send_signal",
    "prctl",
    "prlimit64",
    "signalfd4",
    "waitid",
)
REFUSALS = [
    *((f"{call} EPERM", (call,), "EPERM") for call in CALLS),
    ("all EPERM", CALLS, "EPERM"),
    ("all ENOSYS", CALLS, "ENOSYS"),
]


def works(made: Scene) -> None:
    """Signals that we are sent and such that are asked for, by name and by id; web's restart; the end."""
    made.ready()
    made.send(signal.SIGUSR1)
    wait_for(lambda: made.out().count("heard\n") == 1, "a forwarded signal")
    made.post("/api/v1/main/signal", {"signal": "USR1"})
    wait_for(lambda: made.out().count("heard\n") == 2, "main's signal")
    made.post(f"/api/v1/processes/{made.status()['main']['id']}/signal", {"signal": "USR1"})
    wait_for(lambda: made.out().count("heard\n") == 3, "a guarded signal")
    os.kill(made.web, signal.SIGKILL)
    assert wait_for(lambda: made.status()["web"]["restarts"], "another web") == 1
    assert made.ask("GET", "/livez").text == "ok"
    assert made.status()["reaped"]["total"] >= 1
    made.send(signal.SIGTERM)
    assert made.wait() == 6
    assert made.out().endswith("swept\n")
    assert "Traceback" not in made.err()
    assert "please report" not in made.err()


@pytest.mark.survives("no CAP_KILL, and main is another user's", "signals, stop and sweep, with CAP_SETUID")
@pytest.mark.parametrize("how", ["by --user", "by itself"])
def test_without_cap_kill_a_main_of_another_user_is_signalled_stopped_and_swept(how: str) -> None:
    options, own = (["--user", "nobody"], ()) if how == "by --user" else ([], AS_NOBODY)
    with scene(*own, *WORLDLY, options=options, before=WITHOUT_KILL) as made:
        made.ready()
        assert kernel.status(made.main)["Uid"].split() == ["65534"] * 4
        assert not int(kernel.status(made.init)["CapEff"], 16) >> CAP_KILL & 1
        works(made)


@pytest.mark.survives("no capability at all", "everything, and web keeps root without a power, which is said")
def test_without_any_capability_all_goes_on() -> None:
    with scene(*WORLDLY, before=WITHOUT_ANY) as made:
        works(made)
        (line, *_again) = {line for line in made.err().splitlines() if "cannot" in line}
        assert line.startswith("initd web: cannot become nobody")


@pytest.mark.survives("no_new_privs is set at entry", "everything")
def test_with_no_new_privileges_main_may_still_be_another_user() -> None:
    options = ["--user", "nobody"]
    with scene(*WORLDLY, options=options, before=("setpriv", "--no-new-privs")) as made:
        works(made)
        assert "cannot" not in made.err()


@pytest.mark.parametrize(
    ("options", "lacking", "cure"),
    [
        (["--user", "nobody"], "-setuid", "CAP_SETUID and CAP_SETGID"),
        (["--oom-score-adj", "-1000"], "-sys_resource", "CAP_SYS_RESOURCE"),
        (["--rlimit", "nofile=1024:1024"], "-sys_resource", "CAP_SYS_RESOURCE"),
        (["--nice", "-5"], "-sys_nice", "CAP_SYS_NICE"),
    ],
)
@pytest.mark.survives("a power is lacking that an option needs", "one line that names it, and exit code 125")
def test_what_main_was_promised_and_cannot_get_is_refused_before_it_runs(
    options: list[str], lacking: str, cure: str
) -> None:
    before = ("prlimit", "--nofile=512:512", "setpriv", "--bounding-set", lacking)
    code, out, error = run("echo", "started", options=options, before=before)
    assert (code, out) == (125, "")
    (line,) = error.splitlines()
    assert line.startswith("cannot run 'echo': --")
    assert cure in line


@pytest.mark.survives(
    "seccomp refuses a system call that we would use", "everything; what is lost is said once"
)
@pytest.mark.parametrize(
    ("calls", "number"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS]
)
def test_what_a_filter_refuses_has_a_second_way(calls: tuple[str, ...], number: str) -> None:
    with scene(*WORLDLY, before=refusing(*calls, number=number)) as made:
        works(made)
        said = [line for line in made.err().splitlines() if "cannot" in line]
        assert max(map(said.count, said), default=0) <= 2, made.err()  # each web says it for itself
