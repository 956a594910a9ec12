"""Signals sent over HTTP: only to whom was meant, in the history before the answer, and refused in words."""

from __future__ import annotations

import pytest

from . import kernel
from .client import wait_for
from .harness import Scene, program, scene
from .test_signals import received

HUGE = 4_194_303  # a pid that a namespace this small never gives out


def path_of(name: object) -> str:
    return f"/api/v1/processes/{name}/signal"


def ids(made: Scene) -> tuple[int, int]:
    """Main's pid and start time."""
    pid, starttime = made.status()["main"]["id"].split("-")
    return int(pid), int(starttime)


def test_a_signal_by_pid_and_by_id_arrives() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        pid, starttime = ids(made)
        made.post(path_of(pid), {"signal": "USR1"})
        made.wait_out("\n10\n")
        answer = made.post(path_of(f"{pid}-{starttime}"), {"signal": "SIGUSR2"})
        made.wait_out("\n12\n")
        assert (answer["signal"], answer["process"]["id"]) == ("USR2", f"{pid}-{starttime}")


def test_a_wrong_start_time_is_409_and_nothing_is_sent() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        pid, starttime = ids(made)
        for wrong in (starttime - 1, starttime + 1, 0):
            answer = made.ask("POST", path_of(f"{pid}-{wrong}"), {"signal": "USR1"})
            assert (answer.status, answer.json()["code"]) == (409, "reused_pid")
        made.post(path_of(f"{pid}-{starttime}"), {"signal": "USR2"})
        made.wait_out("\n12\n")
        assert received(made) == [12]


def test_the_audit_event_is_there_when_the_answer_is_read() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        pid, _ = ids(made)
        for count in range(1, 41):
            made.post(path_of(pid), {"signal": "WINCH"})
            assert len(made.events("signal.sent")) == count
        event = made.events("signal.sent")[-1]
        assert (event["signal"], event["process"]["pid"], event["by"]["role"]) == ("WINCH", pid, "control")
        assert made.metric("initd_signals_total", signal="WINCH", source="api") == 40


def test_a_process_that_does_not_exist_is_404() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        for wrong in (HUGE, f"{HUGE}-1"):
            answer = made.ask("POST", path_of(wrong), {"signal": "USR1"})
            assert (answer.status, answer.json()["code"]) == (404, "no_such_process")


def test_a_zombie_can_be_named_and_nothing_breaks() -> None:
    with scene(*program("zombies.py", 1)) as made:
        made.ready()
        (zombie,) = made.get("/api/v1/processes?state=zombie")["processes"]
        made.post(path_of(zombie["id"]), {"signal": "KILL"})  # kill(2) succeeds on a zombie, and does nothing
        assert made.status()["zombies"] == 1
        assert made.status()["main"]["state"] == "running"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"signal": "NOPE"}, 422, "unknown_signal"),
        ({"signal": 0}, 422, "unknown_signal"),
        ({"signal": 99}, 422, "unknown_signal"),
        ({"signal": "RTMIN+99"}, 422, "unknown_signal"),
        ({"signal": ""}, 400, "malformed"),
        ({}, 400, "malformed"),
        ([], 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b"x" * 70_000, 413, "too_large"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_and_nothing_is_sent(
    caught: Scene, body: object, status: int, code: str
) -> None:
    before = received(caught)
    headers = {"Content-Type": "application/json"}
    for path in (path_of(ids(caught)[0]), "/api/v1/main/signal"):
        answer = caught.ask("POST", path, body, headers)
        assert (answer.status, answer.json()["code"]) == (status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert received(caught) == before
    assert caught.status()["main"]["state"] == "running"


@pytest.mark.parametrize(
    "name",
    ["x", "1-", "-1", "1-x", "0", "01", "1.5", "99999999999999999999", "1-2-3", "%20", "%2B1"],
)
def test_a_malformed_id_is_refused(caught: Scene, name: str) -> None:
    before = received(caught)
    answer = caught.ask("POST", path_of(name), {"signal": "TERM"})
    assert (answer.status, answer.json()["code"]) == (400, "malformed")
    assert received(caught) == before


def test_main_can_be_signalled_by_name_number_and_form() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for body, headers, number in (
            ({"signal": "HUP"}, {}, 1),
            ({"signal": 10}, {}, 10),
            ({"signal": "RTMIN+3"}, {}, 37),
            (b"signal=SIGUSR2", form, 12),
            (b"signal=14", form, 14),
        ):
            assert made.ask("POST", "/api/v1/main/signal", body, headers).status == 200
            made.wait_out(f"\n{number}\n")
        assert received(made) == [1, 10, 37, 12, 14]


def test_another_content_type_is_415(caught: Scene) -> None:
    answer = caught.ask("POST", "/api/v1/main/signal", b"signal=TERM", {"Content-Type": "text/plain"})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_descendant_of_a_descendant_can_be_signalled() -> None:
    with scene("sh", "-c", "sh -c 'sleep 100000; echo over' ; echo end; exec sleep 100000") as made:
        (process,) = wait_for(
            lambda: made.get("/api/v1/processes?name=sleep")["processes"], "the sleeping grandchild"
        )
        made.post(path_of(process["id"]), {"signal": "KILL"})
        made.wait_out("end")
        assert not made.zombies()


def test_signalling_main_while_there_is_none_is_409() -> None:
    with scene(*program("catcher.py", 15)) as made:
        made.ready()
        made.post("/api/v1/main/stop?wait=30")
        answer = made.ask("POST", "/api/v1/main/signal", {"signal": "HUP"})
        assert (answer.status, answer.json()["code"]) == (409, "wrong_state")


def test_kill_and_stop_to_the_init_itself_are_refused() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        for name in ("KILL", "STOP"):
            answer = made.ask("POST", path_of(1), {"signal": name})
            assert (answer.status, answer.json()["code"]) == (403, "not_permitted")
        assert kernel.state(made.init) in ("S", "R")
        assert made.status()["main"]["state"] == "running"


def test_a_term_to_the_init_itself_is_as_if_it_came_from_outside() -> None:
    with scene(*program("catcher.py", 15), options=["--restart", "always"]) as made:
        made.ready()
        made.post(path_of(1), {"signal": "TERM"})
        assert made.wait() == 0
