"""Hostile names and arguments of processes, in everything that is answered."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from initd.procfs import decode_name
from tests.kernel.client import Answer, UnixConnection, wait_for
from tests.kernel.harness import PYTHON, Scene, scene
from web.app import TABLE

from .programs.hostile import ARGUMENT, NAMES

HOSTILE = (*PYTHON, str(Path(__file__).parent / "programs/hostile.py"), ARGUMENT)
INITCTL = Path(sys.executable).with_name("initctl")
SHOWN = {decode_name(name[:15]) for name in NAMES}  # the kernel keeps 15 bytes
SECRET = "hunter2"
# What a terminal obeys, and what turns the direction of the text that follows.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HEADERS = {
    "cache-control",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "transfer-encoding",
    "x-accel-buffering",
    "x-content-type-options",
}


@pytest.fixture(scope="module")
def hostile() -> Iterator[Scene]:
    """The init of such a family, once it has adopted its orphans and found its zombies."""
    with scene(*HOSTILE, listen="127.0.0.1:0") as made:
        made.ready()
        wait_for(lambda: len(seen(made)) == len(SHOWN), "a scan that shows the parents")
        made.post("/api/v1/main/signal", {"signal": "HUP"})
        made.wait_event("adopted", len(NAMES))
        made.wait_event("zombie.found")
        yield made


def seen(made: Scene) -> set[str]:
    """The names among the processes that are older than web's own scan."""
    taken = made.status()["snapshot"]["taken_at"]
    rows = made.get("/api/v1/processes")["processes"]
    return {row["name"] for row in rows if taken and row["started_at"] < taken} & SHOWN


def everything(made: Scene) -> Iterator[tuple[str, Answer]]:
    """Every GET there is, with the detail of each process."""
    ids = [row["id"] for row in made.get("/api/v1/processes")["processes"]]
    for row in TABLE:
        if "GET" in row.methods and row.group != "page" and "{n}" not in row.path:
            for one in ids if "{id}" in row.path else ids[:1]:
                path = row.path.format(id=one)
                yield path, made.ask("GET", path)


def names_in(value: Any) -> Iterator[str]:
    """Every name of a process, wherever it stands."""
    if isinstance(value, dict):
        yield from (name for key, name in value.items() if key == "name" and isinstance(name, str))
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from names_in(one)


@pytest.mark.survives(
    "markup, line ends, escapes and half characters as names of processes",
    "JSON is JSON, with every name in it, and no name reaches a header",
)
def test_no_name_leaves_its_place_in_an_answer(hostile: Scene, figures: dict[str, object]) -> None:
    found: set[str] = set()
    answers = list(everything(hostile))
    for path, answer in answers:
        assert {name.lower() for name in answer.headers} <= HEADERS, path
        if answer.headers["Content-Type"].startswith("application/json"):
            found |= set(names_in(answer.json()))
    assert found >= SHOWN
    figures["names"], figures["answers"] = len(SHOWN), len(answers)


@pytest.mark.survives("names that look like a label or a sample", "the metrics hold no name at all")
def test_no_name_reaches_the_metrics(hostile: Scene) -> None:
    text = hostile.ask("GET", "/metrics", headers={"Accept": "text/plain"}).text
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    assert len(samples) > 100
    assert not {value for one in samples for value in one.labels.values()} & SHOWN
    assert "owned" not in text


@pytest.mark.survives(
    "names that look like an event of the stream", "one event is one frame, none is made up"
)
def test_no_name_begins_an_event_of_its_own(hostile: Scene) -> None:
    last = hostile.status()["seq"]
    connection = UnixConnection(hostile.socket, 20)
    connection.request("GET", "/api/v1/events?after=0", headers={"Accept": "text/event-stream"})
    stream = connection.getresponse()
    frames: list[dict[str, Any]] = []
    numbers: list[int] = []
    while not numbers or numbers[-1] < last:
        lines = [line for line in iter(stream.readline, b"\n") if not line.startswith((b":", b"retry:"))]
        if lines:
            number, data = lines
            assert number.startswith(b"id: ")
            numbers.append(int(number[4:]))
            frames.append(json.loads(data.removeprefix(b"data: ")))
    connection.close()
    assert numbers == list(range(1, len(numbers) + 1))
    assert {name for frame in frames for name in names_in(frame)} >= SHOWN


@pytest.mark.survives(
    "escapes and changes of direction as names of processes", "a terminal that shows them obeys none"
)
def test_a_terminal_obeys_no_name(hostile: Scene) -> None:
    count = len(hostile.get("/api/v1/processes")["processes"])
    tree = hostile.ask("GET", "/api/v1/tree", headers={"Accept": "text/plain"}).text
    assert len(tree.splitlines()) == count
    texts = [tree]
    for words in (["tree"], ["ps"], ["status"], ["zombies"], ["events"]):
        ran = subprocess.run([INITCTL, "--socket", hostile.socket, *words], capture_output=True, check=True)
        texts.append(ran.stdout.decode())
    assert [OBEYED.findall(text) for text in texts] == [[]] * len(texts)


@pytest.mark.survives("a name in a request: for a filter, a path or a header", "it is data, or a problem")
def test_what_is_asked_for_is_not_echoed_into_a_header(hostile: Scene) -> None:
    for name in SHOWN:
        quoted = "".join(f"%{byte:02x}" for byte in name.encode())
        for place in ("/api/v1/processes?name=", "/api/v1/processes/", "/static/", "/"):
            answer = hostile.ask("GET", place + quoted)
            assert answer.status in (200, 400, 404), place
            assert {header.lower() for header in answer.headers} <= HEADERS
            assert "json" in answer.headers["Content-Type"]


# --- secrets --------------------------------------------------------------------------------------------


@pytest.mark.survives("passwords on command lines", "no answer shows one, unless --no-redact asks for it")
def test_no_answer_shows_a_secret_of_a_command_line(hostile: Scene) -> None:
    for path, answer in everything(hostile):
        assert SECRET not in answer.text, path
    assert SECRET not in hostile.err()


def test_who_says_so_is_shown_command_lines_as_they_are() -> None:
    with scene(
        "sh", "-c", "sleep 1000 & wait", "sh", f"--password={SECRET}", options=("--no-redact",)
    ) as made:
        argv = wait_for(lambda: made.status()["main"]["argv"], "main's command line")
        assert argv[-1] == f"--password={SECRET}"
        assert made.get(f"/api/v1/processes/{made.status()['main']['pid']}")["cmdline"] == argv


def test_a_former_parents_secret_does_not_reach_the_history() -> None:
    parent = f'sh -c "sleep 1000 & wait" sh --token {SECRET}'
    with scene("sh", "-c", f"{parent} & wait; exec tail -f /dev/null") as made:
        child = wait_for(lambda: observed(made, "sleep"), "a scan that shows both")
        made.post(f"/api/v1/processes/{child['ppid']}/signal", {"signal": "KILL"})
        event = made.wait_event("adopted")
        assert event["former_parent"]["cmdline"] == "sh -c sleep 1000 & wait sh --token ***"
        told = [made.events(), made.get("/api/v1/lineage"), made.get("/api/v1/tree")]
        assert SECRET not in json.dumps(told)


def observed(made: Scene, name: str) -> dict[str, Any] | None:
    """The process of this name, once web's own scan is younger than it."""
    taken = made.status()["snapshot"]["taken_at"]
    rows: list[dict[str, Any]] = made.get(f"/api/v1/processes?name={name}")["processes"]
    return rows[0] if taken and rows and rows[0]["started_at"] < taken else None
