"""Hooks as real processes: what runs before main and after it, in main's world, and never for ever."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from . import kernel
from .cgroup import limited
from .client import wait_for
from .harness import Scene, run, scene
from .test_exit_codes import one_cannot
from .test_full_house import WAITING

MARK = ("sh", "-c", "echo main; exit 5")
PRE, POST = "--pre-start", "--post-stop"
HANGS = "sh -c 'trap \"echo told\" TERM; echo begun; while :; do sleep 1000; done'"


@contextmanager
def preparing(command: str, *options: str, **rest: Any) -> Iterator[Scene]:
    """What runs before main is at work; main would say so if it ran."""
    with scene(*MARK, options=[PRE, command, *options], **rest) as made:
        made.wait_out("begun")
        yield made


def sleepers(made: Scene) -> list[int]:
    """Those that live."""
    found = (pid for pid in kernel.descendants(made.init) if kernel.name(pid) == "sleep")
    return [pid for pid in found if kernel.state(pid) != "Z"]


# --- before and after -------------------------------------------------------------------------------------


@pytest.mark.parametrize("http", [False, True])
def test_first_what_is_before_then_main_then_what_is_after_and_mains_code_is_ours(http: bool) -> None:
    options = [PRE, "echo before", POST, "sh -c 'echo after $EXIT_CODE $EXIT_STATUS; exit 9'"]
    code, out, error = run(*MARK, options=options, http=http)
    assert (code, out) == (5, "before\nmain\nafter exited 5\n"), error
    assert "initd: warning: --post-stop failed: exit code 9" in error


def test_each_start_has_both() -> None:
    options = [PRE, "echo before", POST, "echo after", "--restart", "on-failure:1"]
    code, out, error = run(*MARK, options=options)
    assert (code, out) == (5, "before\nmain\nafter\n" * 2), error


@pytest.mark.parametrize(
    ("how", "said"),
    [("exit 0", "exited 0"), ("kill -KILL $$", "killed KILL"), ("ulimit -c 0; kill -SEGV $$", "killed SEGV")],
)
def test_what_is_after_is_told_which_main_ended_and_how(how: str, said: str) -> None:
    options = [POST, "sh -c 'echo $MAINPID $EXIT_CODE $EXIT_STATUS'"]
    _, out, error = run("sh", "-c", f"echo $$; {how}", options=options)
    pid, after = out.splitlines()
    assert after == f"{pid} {said}", error


def test_they_run_in_mains_world_but_for_its_input_its_sockets_and_our_variables(tmp_path: Path) -> None:
    world = (
        "echo $(id -u) $(pwd) $(umask) $(nice) $(readlink /proc/self/fd/0) [$NOTIFY_SOCKET$INITD_QUIET] $FOO"
    )
    options = ["--user", "nobody", "--workdir", "/usr", "--umask", "077", "--nice", "3", "--notify"]
    env = {"INITD_PRE_START": f"sh -c '{world}'", "INITD_POST_STOP": f"sh -c '{world}'", "INITD_QUIET": "1"}
    with (tmp_path / "input").open("wb+") as given:
        code, out, error = run("true", options=options, env={**env, "FOO": "of main"}, stdin=given.fileno())
    assert code == 0, error
    assert out == "65534 /usr 0077 3 /dev/null [] of main\n" * 2


def test_they_have_a_process_group_of_their_own_and_no_descriptor_of_ours() -> None:
    look = 'sh -c \'echo $$ $(ps -o pgid= -p $$); ls /proc/self/fd | tr "\\n" " "\''
    code, out, error = run("true", options=[PRE, look], http=True, listen="127.0.0.1:0")
    assert code == 0, error
    group, descriptors = out.splitlines()
    assert len(set(group.split())) == 1
    assert descriptors.split() == ["0", "1", "2", "3"]  # 3 is the listing's own


def test_they_are_reaped_as_helpers_and_nobody_adopts_them() -> None:
    main = ("sh", "-c", "echo main; exec sleep 1000")
    with scene(*main, options=[PRE, "true", POST, "true"]) as made:
        made.wait_out("main")
        reaped = made.wait_event("reaped")
        assert (reaped["origin"], reaped["code"], reaped["process"]["name"]) == ("helper", 0, "true")
        made.post("/api/v1/main/stop?wait=20")
        assert made.metric("initd_reaped_total", origin="helper", outcome="exited") == 2
        assert (
            made.metric("initd_adoptions_total") == made.metric("initd_reaped_total", origin="adopted") == 0
        )


def test_a_daemon_that_one_leaves_is_adopted_and_swept_at_the_end() -> None:
    with scene("sh", "-c", "echo main; exec sleep 500", options=[PRE, "sh -c 'sleep 1000 &'"]) as made:
        made.wait_out("main")
        assert made.wait_event("adopted")["seen"] == "alive"
        wait_for(lambda: len(sleepers(made)) == 2, "both to sleep")
        assert made.stop() == 128 + signal.SIGTERM


# --- a pre-start that fails -------------------------------------------------------------------------------


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("sh -c 'exit 3'", "exit code 3"),
        ("sh -c 'kill -9 $$'", "killed by KILL"),
        (
            "/no/such/thing",
            "'/no/such/thing': not found; check its name, PATH, and the interpreter that it names",
        ),
        ("/etc/passwd", "'/etc/passwd': Permission denied; give it a file that can be executed here"),
        ("sleep 1000", "it did not end within 0.3 s"),
    ],
)
def test_when_what_is_before_fails_main_is_not_started(http: bool, command: str, why: str) -> None:
    options = [PRE, command, "--pre-start-timeout", "300ms", POST, "echo after", "-q"]
    code, out, error = run(*MARK, options=options, http=http)
    assert (code, out) == (125, ""), error
    assert one_cannot(error) == f"cannot start main: --pre-start failed: {why}"


def test_where_it_cannot_be_forked_it_is_tried_again_until_there_is_room() -> None:
    with (
        limited() as group,
        scene(*MARK, options=[PRE, "echo begun"], http=False, entry=group.enter, before=WAITING) as made,
    ):
        made.wait_out("in place")
        group.limit(1)
        (made.home / "go").touch()
        told = "cannot start main: --pre-start failed: 'echo': no process can be made"
        wait_for(lambda: told in made.err(), "a word about it")
        group.limit("max")
        assert made.wait() == 5
        assert made.out() == "in place\nbegun\nmain\n"


def test_a_main_that_is_not_there_is_found_out_after_it() -> None:
    code, out, error = run("no-such-main", options=[PRE, "echo before"])
    assert (code, out) == (127, "before\n")
    assert "cannot run 'no-such-main': not found" in one_cannot(error)


# --- asked while one runs -----------------------------------------------------------------------------------


def test_while_what_is_before_runs_we_are_alive_and_not_ready() -> None:
    with preparing(HANGS) as made:
        wait_for(lambda: made.ask("GET", "/livez").status == 200, "web")
        assert "[-]main failed: main is starting" in made.ask("GET", "/readyz?verbose").text
        assert "[-]started failed: main has not been started yet" in made.ask("GET", "/startupz").text
        main = made.status()["main"]
        assert (main["state"], main["pid"], main["hook"]) == ("starting", None, "pre-start")
        assert made.ask("POST", "/api/v1/main/signal", {"signal": "HUP"}).status == 409


@pytest.mark.parametrize("http", [False, True])
def test_a_term_in_the_middle_of_what_is_before_ends_all_at_once(http: bool) -> None:
    with preparing("sh -c 'echo begun; exec sleep 1000'", http=http) as made:
        assert made.stop() != 0
        assert made.out() == "begun\n"
        assert "cannot" not in made.err()


def test_a_second_term_kills_one_that_does_not_mind_the_first() -> None:
    with preparing(HANGS, "--stop-timeout", "1h", http=False) as made:
        wait_for(lambda: sleepers(made), "it to sleep")
        made.send(signal.SIGTERM)
        made.wait_out("told")
        made.send(signal.SIGTERM)
        assert made.wait() != 0
        assert made.out() == "begun\ntold\n"


def test_one_that_minds_no_term_is_killed_after_the_stop_timeout() -> None:
    with preparing(HANGS, "--stop-timeout", "300ms", http=False) as made:
        wait_for(lambda: sleepers(made), "it to sleep")
        assert made.stop() != 0
        assert made.out() == "begun\ntold\n"


def test_a_stop_by_the_api_in_the_middle_can_be_undone() -> None:
    with preparing("sh -c 'echo begun; test -e go || exec sleep 1000'") as made:
        made.post("/api/v1/main/stop?wait=20")
        assert made.status()["main"]["state"] == "stopped"
        assert made.ask("GET", "/livez").status == 200
        (made.home / "go").touch()
        made.post("/api/v1/main/start?wait=20")
        assert made.wait() == 5
        assert made.out() == "begun\nbegun\nmain\n"


def stopping(options: Sequence[str] = ()) -> Any:
    """Main ends at once, and what runs after it hangs."""
    return scene(*MARK, options=[POST, HANGS, *options])


def test_while_what_is_after_runs_main_is_stopping_and_its_end_is_known() -> None:
    with stopping(["--post-stop-timeout", "1h", "--restart", "always"]) as made:
        made.wait_out("begun")
        main = made.status()["main"]
        assert (main["state"], main["pid"], main["hook"]) == ("stopping", None, "post-stop")
        assert made.wait_event("main.exited")["code"] == 5
        assert main["last_exit"]["code"] == 5
        assert made.events("main.backoff") == []
        made.send(signal.SIGTERM)
        wait_for(lambda: "[-]stopping" in made.ask("GET", "/readyz").text, "the stop to have begun")
        assert made.out() == "main\nbegun\n"
        made.send(signal.SIGTERM)
        assert made.wait() == 5


def test_what_is_after_has_a_time_limit_and_is_killed_with_all_that_it_started() -> None:
    options = ["--post-stop-timeout", "1s", "--sweep-timeout", "0", "--restart", "on-failure:1"]
    with stopping(options) as made:
        (sleeper, *_) = wait_for(lambda: sleepers(made), "what it started")
        wait_for(lambda: sleeper not in sleepers(made), "that to be killed")
        assert made.wait() == 5
        assert made.out() == "main\nbegun\n" * 2
        assert made.err().count("--post-stop failed: it did not end within 1 s") == 2
