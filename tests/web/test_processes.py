"""/api/v1/processes and /api/v1/tree over real processes, and what they refuse."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from initd.wire import rfc3339
from tests.web.fake_house import fake_house, get, own_state
from tests.web.scene import scene
from web.api import processes, tree

LIST = "/api/v1/processes"
TREE = "/api/v1/tree"
NAMES = """
pids = []
for text in (b"with space", b"a) b (c", b"new\\nline", b"\\xff\\xfe", b"exactly15chars_"):
    pid = os.fork()
    if not pid:
        name(text)
        os.write(w, b".")
        stay()
    pids.append(pid)
for _ in pids: os.read(r, 1)
"""


def listed(query: str = "") -> list[dict[str, Any]]:
    answer = get(fake_house(own_state()), processes.listing, LIST + query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = answer.json()["processes"]
    return found


def test_names_of_any_bytes_come_through() -> None:
    with scene(f"r, w = os.pipe()\n{NAMES}\nready(pids=pids); stay()") as child:
        names = {p["pid"]: p["name"] for p in listed()}
    shown = [names[pid] for pid in child["pids"]]
    assert shown == ["with space", "a) b (c", "new\nline", r"\xff\xfe", "exactly15chars_"]


def test_the_list_is_in_order_of_pid_and_finds_by_state_name_and_adoption() -> None:
    with scene("ready(dead=zombie(b'deadone')); stay()") as child:
        everyone = listed()
        assert [p["pid"] for p in everyone] == sorted(p["pid"] for p in everyone)
        assert child["dead"] in [p["pid"] for p in listed("?state=zombie")]
        assert [p["pid"] for p in listed("?state=zombie&name=deadone")] == [child["dead"]]
        # this test is the init here: what it started is neither main nor web
        assert child["pid"] in [p["pid"] for p in listed("?adopted=true")]
        assert child["dead"] not in [p["pid"] for p in listed("?adopted=1")]
        assert os.getpid() in [p["pid"] for p in listed("?adopted=false")]


def test_an_orphan_says_whose_child_it_was_as_long_as_it_is_one() -> None:
    worker = {"id": "40-4", "pid": 40, "name": "worker", "cmdline": None}
    with scene("pid = os.fork()\nif pid: ready(child=pid)\nstay()") as child:
        house = fake_house(own_state())
        ids = {p["pid"]: p["id"] for p in listed()}
        for seq, pid in enumerate((child["pid"], child["child"]), 1):
            event = {"seq": seq, "kind": "adopted", "process": {"id": ids[pid]}, "former_parent": worker}
            house.mirror.take([event])
        found = {p["pid"]: p for p in get(house, processes.listing, LIST).json()["processes"]}
        text = get(house, tree.show, f"{TREE}?root={child['pid']}", accept="text/plain").text
    assert found[child["pid"]]["former_parent"] == worker
    assert found[child["child"]]["former_parent"] is None, "it is nobody's orphan (any more)"
    assert found[os.getpid()]["former_parent"] is None
    assert text.splitlines()[0].endswith(" adopted (was worker(40))")
    assert text.count("was worker") == 1


def test_lists_and_trees_say_when_their_picture_was_taken() -> None:
    before = rfc3339(time.time())
    for handler, url in ((processes.listing, LIST), (tree.show, f"{TREE}?depth=1")):
        assert before <= get(fake_house(own_state()), handler, url).json()["taken_at"] <= rfc3339(time.time())


def test_a_name_longer_than_the_kernel_keeps_is_found_by_what_it_keeps() -> None:
    with scene("name(b'gunicorn: master [app]'); ready(); stay()") as child:
        assert [p["pid"] for p in listed("?name=gunicorn: master [app]")] == [child["pid"]]
        assert [p["pid"] for p in listed("?name=gunicorn: maste")] == [child["pid"]]
        assert listed("?name=gunicorn") == []


def test_a_limit_cuts_the_list_and_the_total_says_so() -> None:
    body = get(fake_house(own_state()), processes.listing, f"{LIST}?limit=1").json()
    assert len(body["processes"]) == 1
    assert body["total"] > 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("state=undead", "state"),
        ("state=", "state"),
        ("state=zombie&state=idle", "state"),
        ("adopted=yes", "adopted"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=1", "limit"),
        ("name=", "name"),
        ("name=" + "x" * 65, "name"),
    ],
)
def test_a_malformed_parameter_is_named(query: str, parameter: str) -> None:
    answer = get(fake_house(own_state()), processes.listing, f"{LIST}?{query}")
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "malformed"
    assert problem["parameter"] == parameter
    assert problem["detail"].startswith(f"cannot read the parameter {parameter}: ")


def test_a_silent_core_is_503_not_a_guess_who_was_adopted() -> None:
    answer = get(fake_house(None), processes.listing, LIST)
    assert answer.status_code == 503
    assert answer.json()["code"] == "core_silent"


def test_the_tree_shows_a_real_chain_of_300_nested_and_as_text() -> None:
    code = """
r, w = os.pipe()
top, level = os.getpid(), 1
while level < 300:
    if os.fork(): break
    level += 1
if level == 300: os.write(w, b".")
if os.getpid() == top:
    os.read(r, 1)
    ready()
stay()
"""
    with scene(code) as child:
        house = fake_house(own_state())
        nested = get(house, tree.show, f"{TREE}?root={child['pid']}").json()["roots"]
        text = get(fake_house(own_state()), tree.show, f"{TREE}?root={child['pid']}", accept="text/plain")
    levels = 0
    while nested:
        levels += 1
        (node,) = nested
        nested = node["children"]
    assert levels == 200
    assert node["truncated"] is True
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text.count("\n") == 300


def test_the_tree_s_roots_hold_everyone_and_the_init_first() -> None:
    answer = get(fake_house(own_state(main=1)), tree.show, f"{TREE}?depth=1")
    assert answer.headers["content-type"] == "application/json"
    roots = answer.json()["roots"]
    assert all(node["children"] == [] for node in roots)
    assert 1 in [node["pid"] for node in roots]


@pytest.mark.parametrize(
    "query", ["depth=0", "depth=301", "depth=x", "root=0", "root=-1", "root=1-", "root="]
)
def test_the_tree_refuses_a_malformed_root_or_depth(query: str) -> None:
    assert get(fake_house(own_state()), tree.show, f"{TREE}?{query}").status_code == 400


def test_a_root_that_is_not_there_is_404_and_one_with_another_s_pid_409() -> None:
    assert get(fake_house(own_state()), tree.show, f"{TREE}?root=9999999").status_code == 404
    answer = get(fake_house(own_state()), tree.show, f"{TREE}?root={os.getpid()}-1")
    assert answer.status_code == 409
    assert answer.json()["code"] == "reused_pid"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/plain"),
        ("text/plain;q=0.5, application/json;q=0.4", "text/plain"),
        ("text/plain;q=0.4, */*;q=0.5", "application/json"),
        ("text/plain;q=0", "application/json"),
        ("text/plain;q=rubbish", "application/json"),
        ("image/png", "application/json"),
    ],
)
def test_accept_chooses_text_or_json(accept: str, kind: str) -> None:
    answer = get(fake_house(own_state()), tree.show, f"{TREE}?depth=1", accept=accept)
    assert answer.headers["content-type"].partition(";")[0] == kind
