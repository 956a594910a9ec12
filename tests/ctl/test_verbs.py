"""Each verb against canned answers: what it asks for, what it shows, how it exits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ctl.fake_api import Canned, Serve, of, problem
from web.ctl import main, verbs
from web.ctl.errors import FAILED, OK, REFUSED, USAGE

STATUS: dict[str, Any] = {
    "init": {"pid": 1, "role": "pid1", "version": "0.1.0", "started_at": "2026-11-24T05:00:00.000Z"},
    "main": {
        "state": "running",
        "pid": 7,
        "id": "7-100",
        "argv": ["nginx", "-g", "daemon off;"],
        "started_at": "2026-11-24T05:00:00.000Z",
        "restarts": 2,
        "last_exit": {"code": None, "signal": "KILL", "at": "2026-11-24T05:00:00.000Z"},
    },
    "web": {"pid": 8, "restarts": 1},
    "ready": True,
    "processes": 12,
    "zombies": 3,
    "adopted": {"total": 5, "alive": 1},
    "reaped": {"total": 9},
    "pids": {"current": 12, "max": 1024},
    "seq": 17,
}
GIT: dict[str, Any] = {
    "id": "42-18372",
    "pid": 42,
    "ppid": 7,
    "name": "git",
    "state": "zombie",
    "adopted": True,
    "started_at": "2026-11-24T05:00:00.000Z",
    "threads": 1,
    "cpu_seconds": 0.25,
    "resident_bytes": 3 << 20,
}
DONE = {"id": 3, "action": "restart", "state": "done", "started_at": None, "ended_at": None, "detail": None}
EVENT = {
    "seq": 17,
    "at": "2026-11-24T05:00:00.000Z",
    "kind": "adopted",
    "process": GIT,
    "former_parent": None,
}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_status_says_what_init_main_and_web_are_doing(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve({"GET /api/v1/status": of(STATUS)})
    code, out, _ = run(capsys, "status")
    assert code == OK
    shown = {line.split()[0]: line.split(None, 1)[1] for line in out.splitlines()}
    assert shown["init"].startswith("pid 1, pid1, 0.1.0, up ")
    assert shown["main"].startswith("running, pid 7, up ")
    assert "2 restarts, last exit: signal KILL, " in shown["main"]
    assert shown["web"].endswith("pid 8, 1 restart")
    assert shown["command"] == "nginx -g daemon off;"
    assert shown["ready"] == "yes"
    assert shown["processes"] == "12, of them zombies: 3"
    assert shown["pids"] == "12 of 1024"
    assert shown["adopted"] == "5 in all, 1 alive"


def test_status_shows_what_is_not_known_as_unknown_and_no_limit_as_none(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    main_now = {"state": "stopped", "pid": None, "argv": ["x"], "restarts": 0, "last_exit": None}
    unknown = {"processes": None, "zombies": None, "pids": {"current": None, "max": None}, "main": main_now}
    serve({"GET /api/v1/status": of(STATUS | unknown)})
    code, out, _ = run(capsys, "status")
    assert code == OK
    assert "unknown, of them zombies: unknown" in out
    assert "unknown of any number" in out
    assert "main       stopped, 0 restarts\n" in out


@pytest.mark.parametrize("words", [("--json", "status"), ("status", "--json")])
def test_json_prints_the_bytes_of_the_api(
    serve: Serve, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    odd = b'{"kept":  "as it \\u00e9 is", "also": \xc3\xa9}'
    serve({"GET /api/v1/status": Canned(body=odd)})
    code, out, _ = run(capsys, *words)
    assert (code, out) == (OK, odd.decode() + "\n")


def test_ps_aligns_columns_and_passes_its_filters_on(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    api = serve({"GET /api/v1/processes?state=zombie&name=git&adopted=true": of({"processes": [GIT]})})
    code, out, _ = run(capsys, "ps", "--state", "zombie", "--name", "git", "--adopted")
    assert code == OK
    header, row = out.splitlines()
    assert header.split() == ["PID", "PPID", "STATE", "AGE", "THR", "CPU", "RSS", "ADOPTED", "NAME"]
    assert row.split()[:3] == ["42", "7", "zombie"]
    assert row.split()[4:] == ["1", "0.2s", "3.0M", "yes", "git"]
    assert row.index("git") == header.index("NAME")
    assert len(api.asked) == 1


def test_tree_asks_for_text_and_json_asks_for_json(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    api = serve(
        {"GET /api/v1/tree?root=42&depth=0": Canned(body=b"initd(1)\n`-nginx(7)\n", kind="text/plain")}
    )
    assert run(capsys, "tree", "42", "--depth", "0")[:2] == (OK, "initd(1)\n`-nginx(7)\n")
    assert api.asked[0].headers["Accept"] == "text/plain"
    assert run(capsys, "tree", "42", "--depth", "0", "--json")[0] == OK
    assert api.asked[1].headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("words", "path"),
    [(("TERM",), "/api/v1/main/signal"), (("TERM", "42-18372"), "/api/v1/processes/42-18372/signal")],
)
def test_signal_goes_to_main_unless_a_process_is_named(
    serve: Serve, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], path: str
) -> None:
    api = serve({f"POST {path}": of({"process": GIT, "signal": "TERM"})})
    assert run(capsys, "signal", *words)[:2] == (OK, "sent TERM to 42-18372 git\n")
    assert json.loads(api.asked[0].body) == {"signal": "TERM"}
    assert api.asked[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("verb", ["restart", "stop", "start"])
def test_operations_wait_for_their_outcome_unless_told_not_to(
    serve: Serve, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    done, running = DONE | {"action": verb}, DONE | {"action": verb, "state": "running"}
    serve(
        {
            f"POST /api/v1/main/{verb}?wait=30": of(done),
            f"POST /api/v1/main/{verb}?wait=2": of(done),
            f"POST /api/v1/main/{verb}": of(running, 202),
        }
    )
    assert run(capsys, verb)[:2] == (OK, f"{verb} done (operation 3)\n")
    assert run(capsys, verb, "--timeout", "2")[0] == OK
    assert run(capsys, verb, "--no-wait")[:2] == (OK, f"{verb} running (operation 3)\n")


def test_an_operation_that_failed_is_exit_code_1_and_says_why(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve({"POST /api/v1/main/restart?wait=30": of(DONE | {"state": "failed", "detail": "cannot fork"})})
    assert run(capsys, "restart")[:2] == (FAILED, "restart failed: cannot fork (operation 3)\n")


def test_an_unknown_outcome_is_exit_code_1_with_the_servers_words(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(
        {
            "POST /api/v1/main/stop?wait=30": problem(
                504, "outcome_unknown", "Outcome unknown yet", "cannot tell"
            )
        }
    )
    code, out, err = run(capsys, "stop")
    assert (code, out, err) == (
        FAILED,
        "",
        "initctl: cannot tell (Outcome unknown yet, 504 outcome_unknown)\n",
    )


def test_drain_and_shutdown_are_told_in_one_line(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(
        {
            "POST /api/v1/drain": of({"draining": True}),
            "POST /api/v1/shutdown": of(DONE | {"action": "shutdown", "state": "running"}, 202),
        }
    )
    assert run(capsys, "drain")[:2] == (OK, "draining: /readyz answers 503 from now on\n")
    assert run(capsys, "drain", "--json")[:2] == (OK, '{"draining": true}\n')
    code, out, _ = run(capsys, "shutdown")
    assert (code, out.startswith("shutting down")) == (OK, True)


def test_a_refusal_is_exit_code_4_with_title_and_detail_in_one_line(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = problem(409, "reused_pid", "Another process has this pid now", "cannot find 42-1")
    serve({"POST /api/v1/processes/42-1/signal": refusal})
    code, out, err = run(capsys, "signal", "TERM", "42-1")
    assert (code, out) == (REFUSED, "")
    assert err == "initctl: cannot find 42-1 (Another process has this pid now, 409 reused_pid)\n"


@pytest.mark.parametrize(
    "canned",
    [Canned(502, b"<html>bad gateway</html>", "text/html"), Canned(body=b"<html>"), of([1]), of({"init": 1})],
)
def test_an_answer_that_is_not_initds_is_refused_in_one_line(
    serve: Serve, capsys: pytest.CaptureFixture[str], canned: Canned
) -> None:
    serve({"GET /api/v1/status": canned})
    code, out, err = run(capsys, "status")
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert err.startswith("initctl: cannot ")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("signal",),
        ("signal", "TERM", "0"),
        ("signal", "TERM", "12-"),
        ("signal", "TERM", "abc"),
        ("restart", "--timeout", "301"),
        ("restart", "--timeout", "-1"),
        ("restart", "--timeout", "2.5"),
        ("check", "live", "--timeout", "0"),
        ("check", "live", "--timeout", "nan"),
        ("check", "alive"),
        ("events", "-n", "-3"),
    ],
)
def test_words_that_make_no_sense_are_exit_code_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(words)
    assert ending.value.code == USAGE
    err = capsys.readouterr().err
    assert err.startswith("initctl: cannot understand the words: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words", ["--json check ready", "check ready --json", "lab zombie --for 1 --json", "--json top"]
)
def test_json_is_refused_where_there_is_none(capsys: pytest.CaptureFixture[str], words: str) -> None:
    code, out, err = run(capsys, *words.split())
    verb = next(word for word in words.split() if not word.startswith("-"))
    assert (code, out, err.count("\n")) == (USAGE, "", 1)
    assert err.startswith(f"initctl: cannot use --json with {verb}")


def test_json_is_offered_where_there_is_some(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in verbs.VERBS:
        with pytest.raises(SystemExit):
            main([verb.name, "--help"])
        assert ("--json" in capsys.readouterr().out) is (verb.name not in ("check", "top", "lab"))
    with pytest.raises(SystemExit):
        main(["events", "--help"])
    assert "events: one object a line" in " ".join(capsys.readouterr().out.split())


def test_every_verb_of_the_table_has_an_action_and_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    from web.ctl.actions import ACTIONS

    assert {verb.name for verb in verbs.VERBS} == {*ACTIONS, "check"}
    for verb in verbs.VERBS:
        with pytest.raises(SystemExit) as ending:
            main([verb.name, "--help"])
        assert ending.value.code == 0
        assert verb.help in capsys.readouterr().out.replace("\n", " ")


def test_the_token_option_is_not_advertised(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert "--token" not in out
    assert "INITD_TOKEN" in out
