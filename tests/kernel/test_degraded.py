"""What is missing costs one warning at most, never the init's own work."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence

import pytest

from . import kernel
from .client import wait_for
from .harness import first, program, run, scene

WORK = ("sh", "-c", "( : & ); ( sleep 0.05 & ); sleep 0.2; echo done; exit 6")
NO_PROC = first("mount -t tmpfs none /proc")
FOREIGN_PROC = first("umount /proc")  # below it is the host's own
HIDDEN_PROC = first("mount -t proc -o remount,hidepid=2 proc /proc")
NO_SETUID = ("setpriv", "--bounding-set", "-setuid,-setgid")


@pytest.mark.survives("/proc is missing, another namespace's, or hides others", "main, reaping, exit codes")
@pytest.mark.parametrize("before", [NO_PROC, FOREIGN_PROC, HIDDEN_PROC], ids=["none", "foreign", "hidden"])
@pytest.mark.parametrize("http", [True, False], ids=["http", "no-http"])
def test_without_a_proc_of_ours_main_runs_orphans_are_reaped_and_codes_are_right(
    before: Sequence[str], http: bool
) -> None:
    code, out, error = run(*WORK, before=before, http=http)
    assert (code, out) == (6, "done\n")
    assert "Traceback" not in error
    assert sum("/proc" in line for line in error.splitlines()) <= 1


@pytest.mark.survives("/proc is missing, another namespace's, or hides others", "probes, metrics, restarts")
@pytest.mark.parametrize("before", [NO_PROC, FOREIGN_PROC, HIDDEN_PROC], ids=["none", "foreign", "hidden"])
def test_without_a_proc_of_ours_probes_are_answered_and_restarts_work(before: Sequence[str]) -> None:
    main = program("catcher.py", 15)
    with scene(*main, before=before, options=["--restart", "always"]) as made:
        made.ready()
        assert made.ask("GET", "/livez").status == 200
        assert made.post("/api/v1/main/restart?wait=20")["state"] == "done"
        assert made.status()["main"]["restarts"] == 1
        wait_for(lambda: made.out().count("ready\n") == 2, "the second run")
        assert made.ask("GET", "/metrics").status == 200
        assert made.stop() == 0


@pytest.mark.survives("/proc is missing, another namespace's, or hides others", "signals to main by the API")
@pytest.mark.parametrize("before", [NO_PROC, FOREIGN_PROC, HIDDEN_PROC], ids=["none", "foreign", "hidden"])
def test_without_a_proc_of_ours_main_can_be_signalled(before: Sequence[str]) -> None:
    """It is our own child and not reaped: no look at /proc is needed to know whose pid that is."""
    with scene(*program("catcher.py"), before=before) as made:
        made.ready()
        assert made.post("/api/v1/main/signal", {"signal": "WINCH"})["signal"] == "WINCH"
        made.wait_out("\n28\n")


@pytest.mark.survives("/proc is missing, or hides others", "the count of orphans")
@pytest.mark.parametrize("before", [NO_PROC, HIDDEN_PROC], ids=["none", "hidden"])
def test_orphans_are_counted_once_without_proc_too(before: Sequence[str]) -> None:
    with scene(*program("storm.sh", 200), before=before) as made:
        made.ready()
        wait_for(lambda: made.status()["reaped"]["total"] == 200, "200 reaped")
        assert made.status()["adopted"] == {"total": 200, "alive": 0}


def logging_to(fd: int) -> Callable[[], None]:
    """An entry with standard error there."""

    def entry() -> None:
        os.dup2(fd, 2)

    return entry


@pytest.mark.survives("stderr is a broken pipe", "main, and its exit code")
def test_a_log_that_nobody_reads_any_more_does_not_hurt() -> None:
    """Writing it raises SIGPIPE: that is for us to ignore, and not a signal to forward to main."""
    reader, writer = os.pipe()
    os.close(reader)
    with scene(*WORK, options=["-vv", "-w"], entry=logging_to(writer)) as made:
        os.close(writer)
        assert made.wait() == 6


@pytest.mark.survives("stderr is a file on a full disk", "main, and its exit code")
def test_a_log_on_a_full_disk_does_not_hurt() -> None:
    assert run(*WORK, options=["-vv", "-w"], http=True, before=first("exec 2>/dev/full"))[0] == 6


@pytest.mark.survives("stderr is a pipe that is full from the start", "main, reaping, the end")
def test_a_log_pipe_that_is_full_holds_nothing_up() -> None:
    """Docker's log driver may stop reading: main must not notice, and orphans are reaped all the same."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fill(writer)
    os.set_blocking(writer, True)
    options = ["-vv", "-w"]
    with scene(*program("storm.sh", 300), options=options, entry=logging_to(writer)) as made:
        made.ready()
        wait_for(lambda: made.status()["reaped"]["total"] == 300, "300 reaped")
        assert made.stop() == 143
    os.close(reader)
    os.close(writer)


def fill(writer: int) -> None:
    """Write until there is no room."""
    while True:
        try:
            os.write(writer, b"x" * 4096)
        except BlockingIOError:
            return


@pytest.mark.survives("very few descriptors from the start", "main, reaping, exit codes")
@pytest.mark.parametrize("limit", [16, 24])
def test_few_descriptors_do_not_stop_the_inits_own_work(limit: int) -> None:
    def poor() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    code, out, error = run("sh", "-c", "( : & ); sleep 0.3; ulimit -n; exit 6", entry=poor, http=True)
    assert (code, out) == (6, f"{limit}\n"), error


@pytest.mark.survives("no CAP_SETUID, no CAP_SETGID", "HTTP, and a warning")
def test_a_web_that_may_not_change_its_user_says_so_once_and_serves() -> None:
    with scene(*program("catcher.py"), before=NO_SETUID) as made:
        made.ready()
        assert made.ask("GET", "/livez").status == 200
        warnings = [line for line in made.err().splitlines() if "nobody" in line or "user" in line.lower()]
        assert len(warnings) == 1, made.err()
        assert "cannot" in warnings[0]
        assert kernel.status(made.web)["Uid"].split()[0] == "0"


def test_a_main_of_another_user_is_signalled_and_swept() -> None:
    with scene(*program("catcher.py", 15), options=["--user", "nobody"]) as made:
        made.ready()
        assert kernel.status(made.main)["Uid"].split() == ["65534"] * 4
        assert made.post("/api/v1/main/signal", {"signal": "USR1"})["signal"] == "USR1"
        made.wait_out("\n10\n")
        assert made.stop() == 0


def test_an_init_that_is_not_root_does_its_work_and_gives_its_own_user_control() -> None:
    poor = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    place = first("mkdir -m 777 pub; chmod 755 .")
    with scene(*program("catcher.py", 15), before=(*place, *poor), options=["--socket", "pub/s"]) as made:
        made.ready()
        wait_for((made.home / "pub" / "s").exists, "the socket")
        assert kernel.status(made.init)["Uid"].split()[0] == "65534"
        assert made.stop(signal.SIGTERM) == 0


def test_an_init_that_cannot_even_wait_goes_on_forwarding_and_reaping() -> None:
    broken = "import sys; from initd import boot, loop; loop.Loop._wait = None; boot.main(sys.argv[1:])"
    main = "trap 'exit 5' TERM; (sleep 0.1 &); echo ready; while :; do sleep 0.1; done"
    with scene("sh", "-c", main, init=(sys.executable, "-c", broken, "--no-http", "--")) as made:
        made.wait_out("ready")
        made.send(signal.SIGTERM)
        assert made.wait() == 5
        assert "cannot go on as planned at loop.py:" in made.err()
