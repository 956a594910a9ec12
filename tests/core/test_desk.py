"""desk.py: every question gets one reply, events before it; signals are guarded and audited."""

from __future__ import annotations

from typing import Any

import pytest

from initd.effects import Deliver
from initd.inputs import Asked, ChildrenListed, Delivered
from initd.model import ProcessId

from .driver import BY, HUP, TERM, missing, prepare, running

# --- plain answers --------------------------------------------------------------------------------------


def test_ping_answers_the_named_checks() -> None:
    world = running()
    names = [(check["name"], check["ok"], check["for"]) for check in world.ask("ping")["checks"]]
    assert names == [
        ("main", True, ["ready"]),
        ("stopping", True, ["ready"]),
        ("drain", True, ["ready"]),
        ("started", True, ["startup"]),
    ]


def test_startup_is_sticky_and_readiness_follows_main() -> None:
    world = running("--restart", "always")
    world.end(world.pid(), 1)
    checks = {check["name"]: check for check in world.ask("ping")["checks"]}
    assert (checks["main"]["why"], checks["started"]["ok"]) == ("main is backoff", True)


def test_nothing_is_started_before_main_was() -> None:
    world = prepare()
    checks = {check["name"]: check for check in world.checks()}
    assert checks["started"]["why"] == "main has not been started yet"
    assert checks["main"]["why"] == "main is starting"


def test_the_state_waits_for_a_fresh_list_of_children() -> None:
    world = running()
    world.add_child("git")
    reply = world.ask("state")
    assert reply["status"]["adopted"] == {"total": 1, "alive": 1}
    assert reply["counters"]["adoptions"] == {"alive": 1, "dead": 0}
    assert (reply["counters"]["adopted_alive"], reply["counters"]["open_fds"]) == (1, 9)
    assert world.said("events")[-1]["events"][-1]["kind"] == "adopted"
    assert world.sent[-1] == reply


def test_the_state_has_the_shape_that_was_promised() -> None:
    world = running("--restart", "on-failure:3")
    status = world.ask("state")["status"]
    main = world.pid()
    assert {"pid", "role", "version", "started_at"} <= set(status["init"])
    assert status["main"] == {
        "state": "running",
        "pid": main,
        "id": f"{main}-{main * 10}",
        "argv": ["/bin/server", "-x"],
        "started_at": "2023-11-14T22:30:00.000Z",
        "restarts": 0,
        "restart_policy": "on-failure",
        "last_exit": None,
        "status_text": None,
        "reloading": False,
        "hook": None,
        "checks": [],
    }
    assert status["web"] == {"pid": world.pid("web"), "restarts": 0, "spare": None}
    assert (status["ready"], status["reaped"], status["seq"]) == (True, {"total": 0}, 2)


def test_the_counters_are_those_of_the_letterboxs_page() -> None:
    counters = running().ask("state")["counters"]
    assert set(counters) >= {
        "adoptions", "adopted_alive", "reaped", "main_restarts", "main_restart_delay_seconds", "signals",
        "web_restarts", "errors", "events", "events_dropped", "reap_batch_seconds",
        "adopted_lifetime_seconds", "open_fds",
    }  # fmt: skip


def test_two_states_asked_at_once_are_both_answered_once() -> None:
    world = running()
    for number in (71, 72):  # both before the list comes
        world.desk.handle(Asked({"t": "ask", "n": number, "what": "state"}), world.now, world.wall)
    world.feed(ChildrenListed((), 3))
    world.feed(ChildrenListed((), 3))
    assert [reply["n"] for reply in world.said("reply")] == [71, 72]


def test_an_argv_too_long_for_a_datagram_costs_no_silence() -> None:
    reply = running(argv=("sh", "-c", "x" * 100_000)).ask("state")
    assert reply["n"] == 1  # one reply, within the limit, whatever it says


# --- history ------------------------------------------------------------------------------------------------


def test_a_long_history_comes_in_chunks_without_gap_or_overlap() -> None:
    world = running()
    for _ in range(1000):
        world.end(world.add_child("git" * 5).id.pid, 0)
    found: list[int] = []
    chunks = 0
    while True:
        reply = world.ask("history", after=found[-1] if found else 0)
        if not reply["events"]:
            break
        chunks += 1
        found += [event["seq"] for event in reply["events"]]
    books = world.desk.books
    assert found == list(range(books.history.first, books.history.last + 1))
    assert chunks > 2
    assert (reply["first"], reply["last"], reply["seq"]) == (books.history.first, found[-1], found[-1])


def test_after_the_last_event_there_is_none() -> None:
    assert running().ask("history", after=2**53)["events"] == []


# --- signals ------------------------------------------------------------------------------------------------


def test_a_signal_is_audited_before_it_is_answered() -> None:
    world = running()
    target = world.add_child("git").id
    reply = world.ask("signal", pid=target.pid, starttime=target.starttime, signal="HUP")
    process = {"id": str(target), "pid": target.pid, "name": "git"}
    assert (reply["ok"], reply["process"], reply["signal"]) == (True, process, "HUP")
    assert world.signals == [(target.pid, HUP, False)]
    assert [message["t"] for message in world.sent[-2:]] == ["events", "reply"]
    event = world.sent[-2]["events"][-1]
    assert event["seq"] == reply["seq"]
    wanted = {"kind": "signal.sent", "signal": "HUP", "process": process, "by": BY, "outcome": "sent"}
    assert wanted.items() <= event.items()
    assert world.desk.books.ledger.signals["HUP/api"] == 1


def test_a_flood_of_signals_to_nobody_leaves_what_was_done_in_the_history() -> None:
    """Each is answered; of so many some are audited, and the next one audited says how many were not."""
    world = running()
    world.ask("main.signal", signal="HUP")
    for _ in range(3_000):
        assert world.ask("signal", pid=4_000_000, signal="TERM")["error"]["code"] == "no_such_process"
    events = world.history("signal.sent")
    assert [event["outcome"] for event in events] == ["sent"] + ["no_such_process"] * 20
    assert not any("left_out" in event for event in events)
    world.ask("main.signal", signal="HUP")
    world.ask("main.signal", signal="HUP")
    assert [event.get("left_out") for event in world.history("signal.sent")[-2:]] == [2_980, None]
    world.advance(10)
    for _ in range(100):
        world.ask("signal", pid=4_000_000, signal="TERM")
    assert 10 <= len(world.history("signal.sent")) - 23 <= 11


@pytest.mark.parametrize("spelled", ["TERM", "sigterm", "15", 15])
def test_signals_are_understood_by_name_and_number(spelled: str | int) -> None:
    world = running()
    assert world.ask("main.signal", signal=spelled)["signal"] == "TERM"
    assert world.signals == [(world.pid(), TERM, False)]
    assert not world.desk.books.retiring


def test_a_signal_to_main_needs_no_start_time_because_main_is_not_reaped() -> None:
    world = running()
    main = world.desk.books.main.process
    assert main is not None
    effects = world.desk.handle(Asked({"t": "ask", "n": 1, "what": "main.signal", "signal": "HUP"}), 1.0, 1.0)
    assert effects == [Deliver(1, main.pid, None, HUP)]


def test_a_reused_pid_is_refused_and_audited() -> None:
    world = running()
    target = world.add_child("git").id
    reply = world.ask("signal", pid=target.pid, starttime=target.starttime - 1, signal="HUP")
    assert (reply["error"]["code"], world.signals) == ("reused_pid", [])
    assert world.history("signal.sent")[0]["outcome"] == "reused_pid"
    assert world.desk.books.ledger.signals["HUP/api"] == 0


def test_nobody_there_is_refused_and_audited() -> None:
    world = running()
    assert world.ask("signal", pid=4000, starttime=None, signal="HUP")["error"]["code"] == "no_such_process"
    assert world.history("signal.sent")[0]["outcome"] == "no_such_process"


def test_what_the_kernel_forbids_is_told_with_its_reason() -> None:
    world = running()
    order = {"t": "ask", "n": 5, "what": "signal", "pid": 40, "signal": "HUP"}
    world.desk.handle(Asked(order), world.now, world.wall)
    world.feed(Delivered(5, ProcessId(40, 1), "git", 1, "Operation not permitted"))
    error = world.sent[-1]["error"]
    assert (error["code"], error["detail"]) == ("not_permitted", "cannot signal 40: Operation not permitted")


@pytest.mark.parametrize("signal", ["KILL", "STOP"])
def test_the_init_itself_is_not_killed_or_stopped(signal: str) -> None:
    world = running()
    assert world.ask("signal", pid=1, signal=signal)["error"]["code"] == "not_permitted"
    assert world.signals == []


def test_main_cannot_be_signalled_where_there_is_none() -> None:
    world = running("--restart", "always")
    world.end(world.pid(), 1)
    error = world.ask("main.signal", signal="HUP")["error"]
    assert (error["code"], "backoff" in error["detail"]) == ("wrong_state", True)


@pytest.mark.parametrize(
    ("what", "fields", "code"),
    [
        ("signal", {"pid": 9, "signal": "NOPE"}, "unknown_signal"),
        ("signal", {"pid": 9}, "unknown_signal"),
        ("main.signal", {"signal": 0}, "unknown_signal"),
        ("signal", {"signal": "HUP"}, "malformed"),
        ("signal", {"pid": 0, "signal": "HUP"}, "malformed"),
        ("signal", {"pid": -1, "signal": "HUP"}, "malformed"),
        ("signal", {"pid": True, "signal": "HUP"}, "malformed"),
        ("signal", {"pid": 2**22 + 1, "signal": "HUP"}, "malformed"),
        ("signal", {"pid": 9, "starttime": "x", "signal": "HUP"}, "malformed"),
        ("history", {}, "malformed"),
        ("history", {"after": -1}, "malformed"),
        ("history", {"after": 1.5}, "malformed"),
        ("operation", {"id": 1}, "no_such_operation"),
        ("operation", {"id": "1"}, "malformed"),
        ("dance", {}, "malformed"),
        ("", {}, "malformed"),
    ],
)
def test_a_wrong_question_gets_its_code_and_changes_nothing(
    what: str, fields: dict[str, Any], code: str
) -> None:
    world = running()
    reply = world.ask(what, **fields)
    assert (reply["ok"], reply["error"]["code"]) == (False, code)
    assert (world.signals, world.state, len(world.history())) == ([], "running", 2)


def test_a_long_command_line_is_shortened_so_that_the_state_can_still_be_told() -> None:
    world = running("--", "sh", "-c", "x" * 200_000)
    argv = world.ask("state")["status"]["main"]["argv"]
    assert argv[:2] == ["sh", "-c"]
    assert argv[2].startswith("xxx")
    assert argv[2].endswith("…")
    assert len(argv[2]) < 5_000


def test_a_stop_is_audited_with_whoever_asked_for_it_and_so_is_the_kill() -> None:
    world = running("--stop-timeout", "1s")
    operation = world.ask("main.stop")["operation"]
    world.advance(1.0)
    assert operation["by"] == BY
    sent = [(event["signal"], event["source"], event["by"]) for event in world.history("signal.sent")]
    assert sent == [("TERM", "stop", BY), ("KILL", "stop", BY)]
    world.ask("drain")
    assert world.history("drain")[0]["by"] == BY


def test_a_start_from_rest_that_fails_leaves_main_at_rest() -> None:
    world = running()
    world.ask("main.stop")
    world.end(world.pid(), 0)
    world.failing["main"] = [missing()]
    operation = world.ask("main.start")["operation"]
    assert world.ask("operation", id=operation["id"])["operation"]["state"] == "failed"
    assert (world.state, world.desk.books.phase) == ("stopped", "up")
    world.ask("main.start")
    assert world.state == "running"


def test_a_backoff_says_why() -> None:
    world = running("--restart", "always")
    world.end(world.pid(), 3)
    world.failing["main"] = [missing()]
    world.advance(3.0)
    assert [event["why"] for event in world.history("main.backoff")] == ["exit code 3", "'server': not found"]


def test_a_reply_finds_room_behind_thousands_of_events() -> None:
    """Three of the longest datagrams fit into the letterbox; the rest of the events is fetched later."""
    world = running()
    for _ in range(2_000):
        world.add_child("worker")
    sent = len(world.sent)
    reply = world.ask("state")
    assert reply["status"]["adopted"]["alive"] == 2_000
    assert [message["t"] for message in world.sent[sent:]] == ["events", "events", "reply"]
    dropped = world.desk.books.ledger.events_dropped
    assert dropped == 2_000 - sum(len(m["events"]) for m in world.sent[sent:] if m["t"] == "events")
    world.advance(0.3)
    assert world.said("lag")[-1]["seq"] == world.desk.books.history.last


def test_a_command_whose_name_is_no_utf8_is_called_as_the_kernel_calls_it() -> None:
    world = running(argv=("/bin/sl\udcff-\u00fc" + "x" * 20,))
    assert world.desk.books.main_name == "sl\\xff-\u00fcxxxxxxxxx"
