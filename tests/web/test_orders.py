"""web.order, web.api.signals, main and operations: what changes something, and what becomes of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from initd import signals
from tests.web.fake_core import CONTROL, LINEAGE, READ
from tests.web.served import PATIENCE, Answer, Web, served, wait_for
from web import body

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
OPERATIONS = {
    "/api/v1/main/restart": "restart",
    "/api/v1/main/stop": "stop",
    "/api/v1/main/start": "start",
    "/api/v1/shutdown": "shutdown",
}
MAIN = "/api/v1/main/signal"


@pytest.fixture
def own() -> Iterator[Web]:
    with served() as running:
        yield running


def post(web: Web, path: str, data: bytes | None = None, kind: str | None = None) -> Answer:
    headers = {} if kind is None else {"Content_Type": kind}
    return web.ask(path, "POST", token=CONTROL, body=data, **headers)


def last_asked(web: Web) -> dict[str, object]:
    return {key: value for key, value in web.core.asked[-1].items() if key not in ("t", "n")}


# --- signals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "name"),
    [
        (b'{"signal":"TERM"}', JSON, "TERM"),
        (b'{"signal":"SIGHUP"}', JSON, "HUP"),
        (b'{"signal":"usr1","why":[1]}', JSON, "USR1"),
        (b'{"signal":9}', JSON, "KILL"),
        (b'{"signal":"9"}', f"{JSON}; charset=utf-8", "KILL"),
        (b'{"signal":"RTMIN+3"}', "Application/JSON", "RTMIN+3"),
        (b"signal=TERM", FORM, "TERM"),
        (b"x=y&signal=sigwinch&x=z", FORM, "WINCH"),
        (b"signal=RTMIN%2B3", FORM, "RTMIN+3"),
        (b"signal=15", FORM, "TERM"),
    ],
)
def test_a_signal_is_named_in_many_ways(web: Web, data: bytes, kind: str, name: str) -> None:
    answer = post(web, MAIN, data, kind)
    assert answer.status == 200, answer
    assert answer.json()["signal"] == name
    assert answer.json()["process"]["pid"] == 7
    assert last_asked(web) == {
        "what": "main.signal",
        "signal": name,
        "by": {"role": "control", "peer": "127.0.0.1"},
    }


@pytest.mark.parametrize(
    ("target", "pid", "starttime"), [("42", 42, None), ("42-18372", 42, 18372), ("42-0", 42, 0)]
)
def test_a_process_is_named_by_its_guarded_id(web: Web, target: str, pid: int, starttime: int | None) -> None:
    answer = post(web, f"/api/v1/processes/{target}/signal", b"signal=TERM", FORM)
    assert answer.status == 200
    assert last_asked(web)["pid"] == pid
    assert last_asked(web)["starttime"] == starttime


def test_who_reads_the_answer_finds_the_event_in_the_history_already(own: Web) -> None:
    for _ in range(50):
        seq = post(own, MAIN, b"signal=USR1", FORM).json()["seq"]
        event = own.ask(f"/api/v1/events?after={seq - 1}", token=READ).json()["events"][0]
        assert (event["seq"], event["kind"], event["signal"]) == (seq, "signal.sent", "USR1")


def test_that_holds_even_when_the_event_was_dropped_on_the_way(own: Web) -> None:
    own.core.drop, own.core.slow = True, {"history": 0.2}
    seq = post(own, MAIN, b"signal=USR1", FORM).json()["seq"]
    assert own.ask(f"/api/v1/events?after={seq - 1}", token=READ).json()["events"] == own.core.events[-1:]


def test_over_the_unix_socket_the_history_says_which_user(web: Web) -> None:
    web.ask_unix(MAIN, "POST", body=b"signal=USR1", Content_Type=FORM)
    by = last_asked(web)["by"]
    assert isinstance(by, dict)
    assert by["peer"].startswith("unix:uid=")


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (None, None, 400, "malformed"),
        (b"", JSON, 400, "malformed"),
        (b"{}", JSON, 400, "malformed"),
        (b"[]", JSON, 400, "malformed"),
        (b'"TERM"', JSON, 400, "malformed"),
        (b"null", JSON, 400, "malformed"),
        (b'{"signal":', JSON, 400, "malformed"),
        (b'{"signal":""}', JSON, 400, "malformed"),
        (b'{"signal":null}', JSON, 400, "malformed"),
        (b'{"signal":true}', JSON, 400, "malformed"),
        (b'{"signal":1.5}', JSON, 400, "malformed"),
        (b'{"signal":["TERM"]}', JSON, 400, "malformed"),
        (b'{"signal":"\xff"}', JSON, 400, "malformed"),
        (b'{"signal":"KILL","signal":"CONT"}', JSON, 400, "malformed"),
        (b'{"signal":"TERM","sign\\u0061l":"TERM"}', JSON, 400, "malformed"),
        (b'{"signal":"TERM","why":[{"a":1,"a":1}]}', JSON, 400, "malformed"),
        (b'{"signal":' + b"9" * 5_000 + b"}", JSON, 400, "malformed"),
        (b"[" * 60_000, JSON, 400, "malformed"),
        (b"signal", FORM, 400, "malformed"),
        (b"signal=", FORM, 400, "malformed"),
        (b"signals=TERM", FORM, 400, "malformed"),
        (b"signal=TERM&signal=KILL", FORM, 400, "malformed"),
        (b"signal=%ff", FORM, 400, "malformed"),
        (b"\xff", FORM, 400, "malformed"),
        (b"&".join([b"a=b"] * 200), FORM, 400, "malformed"),
        (b'{"signal":"NONSENSE"}', JSON, 422, "unknown_signal"),
        (b'{"signal":0}', JSON, 422, "unknown_signal"),
        (b'{"signal":-9}', JSON, 422, "unknown_signal"),
        (b'{"signal":65}', JSON, 422, "unknown_signal"),
        (b'{"signal":"\\ud800"}', JSON, 422, "unknown_signal"),
        (b'{"signal":"RTMIN+99"}', JSON, 422, "unknown_signal"),
        (b"signal=TERM;rm", FORM, 422, "unknown_signal"),
        (b"signal=TERM", None, 415, "unsupported_media_type"),
        (b"signal=TERM", "text/plain", 415, "unsupported_media_type"),
        (b"<signal/>", "application/xml", 415, "unsupported_media_type"),
        (b"x", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
        (b"x", "application/json-patch", 415, "unsupported_media_type"),
        (b" " * (body.LIMIT + 1), JSON, 413, "too_large"),
    ],
)
def test_bad_input_gets_one_clear_problem_and_reaches_nobody(
    web: Web, data: bytes | None, kind: str | None, status: int, code: str
) -> None:
    web.core.asked.clear()
    for path in (MAIN, "/api/v1/processes/42-7/signal"):
        answer = post(web, path, data, kind)
        assert (answer.status, answer.json()["code"]) == (status, code), answer
        assert answer.json()["detail"].startswith("cannot ")
    assert web.core.asked == []


def test_a_body_of_the_largest_size_is_read(web: Web) -> None:
    data = b'{"signal":"TERM"}'
    assert post(web, MAIN, data + b" " * (body.LIMIT - len(data)), JSON).status == 200


@pytest.mark.parametrize(("digits", "status", "code"), [(20, 413, "too_large"), (21, 400, "malformed")])
def test_a_length_of_very_many_digits_is_none(web: Web, digits: int, status: int, code: str) -> None:
    """h11 reads no more than 20 of them; docs/limits.md says so."""
    answer = web.ask(MAIN, "POST", token=CONTROL, Content_Type=JSON, Content_Length="9" * digits)
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_a_body_without_a_length_is_bounded_too(web: Web) -> None:
    with web.connect() as sock:
        head = f"POST {MAIN} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {CONTROL}\r\n"
        sock.sendall(head.encode() + f"Content-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(20):
            sock.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "target", ["0", "-1", "x", "1-", "-", "1-x", "1--1", "01", "1.0", "99999999", "1-" + "9" * 19]
)
def test_a_malformed_id_is_refused(web: Web, target: str) -> None:
    answer = post(web, f"/api/v1/processes/{target}/signal", b"signal=TERM", FORM)
    assert (answer.status, answer.json()["code"]) == (400, "malformed")


def test_a_pid_that_no_process_can_have_is_none(web: Web) -> None:
    web.core.asked.clear()
    answer = post(web, "/api/v1/processes/4194305/signal", b"signal=TERM", FORM)
    assert (answer.status, answer.json()["code"]) == (404, "no_such_process")
    assert web.core.asked == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("no_such_process", 404),
        ("reused_pid", 409),
        ("wrong_state", 409),
        ("not_permitted", 403),
        ("malformed", 400),
    ],
)
def test_a_refusal_of_the_core_is_told_in_its_words(own: Web, code: str, status: int) -> None:
    own.core.refuse["signal"] = (code, "cannot do that, as the core says")
    answer = post(own, "/api/v1/processes/42/signal", b"signal=TERM", FORM)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"] == "cannot do that, as the core says"


def test_an_order_that_is_not_answered_has_an_unknown_outcome_and_is_given_once(own: Web) -> None:
    own.core.silent = True
    own.core.asked.clear()
    paths = [MAIN, "/api/v1/processes/42/signal", "/api/v1/drain", *OPERATIONS]
    with ThreadPoolExecutor(len(paths)) as clients:
        answers = list(clients.map(lambda path: post(own, path, b"signal=TERM", FORM), paths))
    assert [(answer.status, answer.json()["code"]) for answer in answers] == [(504, "outcome_unknown")] * len(
        paths
    )
    given = [question["what"] for question in own.core.asked if "by" in question]
    assert len(given) == len(set(given)) == len(paths)


def test_a_query_that_is_not_answered_says_so(own: Web) -> None:
    own.core.silent = True
    for path in ("/api/v1/status", "/api/v1/operations/1", "/api/v1/tree", "/metrics"):
        answer = own.ask(path, token=READ)
        assert (answer.status, answer.json()["code"]) == (503, "core_silent")


# --- operations -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "action"), OPERATIONS.items())
def test_an_operation_is_accepted_and_can_be_asked_about(web: Web, path: str, action: str) -> None:
    answer = post(web, path)
    operation = answer.json()
    assert (answer.status, operation["action"]) == (202, action)
    assert answer.headers["Location"] == f"/api/v1/operations/{operation['id']}"
    later = web.ask(answer.headers["Location"], token=READ)
    assert (later.status, later.json()["state"]) == (200, "done")


@pytest.mark.parametrize("state", ["done", "failed"])
@pytest.mark.parametrize(("path", "action"), OPERATIONS.items())
def test_who_waits_gets_the_end_of_it_the_moment_it_comes(
    own: Web, path: str, action: str, state: str
) -> None:
    own.core.finish = False
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(post(own, f"{path}?wait=60")))
    begin = time.monotonic()
    waiting.start()
    wait_for(lambda: own.core.operations, "the operation")
    own.core.end_operation(1, state)
    waiting.join(PATIENCE)
    assert time.monotonic() - begin < PATIENCE / 2
    assert (answers[0].status, answers[0].json()["state"], answers[0].json()["action"]) == (
        200,
        state,
        action,
    )


def test_an_operation_that_has_ended_before_its_reply_is_read_is_not_waited_for(web: Web) -> None:
    begin = time.monotonic()
    assert post(web, "/api/v1/main/restart?wait=60").status == 200
    assert time.monotonic() - begin < PATIENCE / 2


def test_who_waited_in_vain_gets_the_operation_as_it_is(own: Web) -> None:
    own.core.finish = False
    begin = time.monotonic()
    answer = post(own, "/api/v1/main/stop?wait=1")
    assert 0.9 < time.monotonic() - begin < PATIENCE / 2
    assert (answer.status, answer.json()["code"]) == (504, "outcome_unknown")
    assert (answer.json()["operation"]["id"], answer.json()["operation"]["state"]) == (1, "running")
    assert answer.headers["Location"] == "/api/v1/operations/1"


def test_an_end_whose_news_was_dropped_is_found_by_asking(own: Web) -> None:
    own.core.finish = False
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(post(own, "/api/v1/main/stop?wait=60")))
    waiting.start()
    wait_for(lambda: own.core.operations, "the operation")
    own.core.operations[1]["state"] = "done"
    waiting.join(PATIENCE)
    assert answers[0].json()["state"] == "done"


def test_who_waits_when_the_init_ends_is_answered(own: Web) -> None:
    own.core.finish = False
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(post(own, "/api/v1/shutdown?wait=60")))
    waiting.start()
    wait_for(lambda: own.core.operations, "the operation")
    own.core.send({"t": "bye"})
    waiting.join(PATIENCE)
    assert answers[0].status == 504
    assert own.process.wait(PATIENCE) == 0


def test_who_closes_the_unix_socket_is_not_waited_for(own: Web) -> None:
    own.core.finish = False
    with own.connect_unix() as sock:
        head = (
            f"POST /api/v1/main/stop?wait=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CONTROL}\r\n\r\n"
        )
        sock.sendall(head.encode())
        wait_for(lambda: own.core.operations, "the operation")
    gone = 'initd_http_requests_total{code="4xx",group="api"} 1.0'
    wait_for(lambda: gone in own.ask("/metrics").text, "the end of it")


@pytest.mark.parametrize("wait", ["-1", "301", "x", "", "1.5", "1&wait=2"])
@pytest.mark.parametrize("path", OPERATIONS)
def test_a_malformed_wait_orders_nothing(web: Web, path: str, wait: str) -> None:
    web.core.asked.clear()
    answer = post(web, f"{path}?wait={wait}")
    assert (answer.status, answer.json()["parameter"]) == (400, "wait")
    assert web.core.asked == []


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("9999", 404, "no_such_operation"),
        ("0", 400, "malformed"),
        ("x", 400, "malformed"),
        ("-1", 400, "malformed"),
        ("1" * 10, 400, "malformed"),
    ],
)
def test_an_operation_that_is_none_is_told_from_a_number_that_is_none(
    web: Web, number: str, status: int, code: str
) -> None:
    answer = web.ask(f"/api/v1/operations/{number}", token=READ)
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_a_drain_says_that_it_is_one(web: Web) -> None:
    answer = post(web, "/api/v1/drain")
    assert (answer.status, answer.json()) == (200, {"draining": True})


# --- status ---------------------------------------------------------------------------------------


def test_the_status_is_what_the_core_knows_and_what_proc_shows(web: Web) -> None:
    status = web.ask("/api/v1/status", token=READ).json()
    assert (status["main"]["pid"], status["init"]["role"], status["ready"]) == (7, "subreaper", True)
    assert status["processes"] >= 2
    assert status["zombies"] >= 0
    assert set(status["pids"]) == {"current", "max", "growth_per_minute", "minutes_until_full"}
    assert set(status["room"]) == {"memory", "cpu", "pressure", "kernel", "nproc"}
    assert [one["kind"] for one in status["listen"]] == ["tcp", "unix"]
    assert status["listen"][1]["address"] == web.path


def test_the_status_says_how_old_web_s_own_picture_is(web: Web) -> None:
    def seen() -> Any:
        snapshot = web.ask("/api/v1/status", token=READ).json()["snapshot"]
        return snapshot["taken_at"] and snapshot

    snapshot = wait_for(seen, "the first look of the observer")
    assert snapshot["interval_seconds"] >= 1
    wait_for(lambda: seen()["taken_at"] > snapshot["taken_at"], "the next look")


def test_the_lineage_is_what_the_core_says_of_it_and_nothing_of_the_letterbox(web: Web) -> None:
    assert web.ask("/api/v1/lineage", token=READ).json() == LINEAGE


def test_an_argument_of_main_may_be_any_bytes(own: Web) -> None:
    main = {"state": "stopped", "argv": ["caf\udce9", "é"]}
    own.core.attributes = {"main": main}
    assert own.ask("/api/v1/status", token=READ).json()["main"] == main


def test_every_signal_that_there_is_can_be_sent(web: Web) -> None:
    for number, name in signals.NAMES.items():
        for spelling in (name, f"SIG{name}", name.lower(), number):
            answer = post(web, MAIN, json.dumps({"signal": spelling}).encode(), JSON)
            assert (answer.status, answer.json()["signal"]) == (200, name)
