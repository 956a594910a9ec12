"""/api/v1/zombies over real zombies."""

from __future__ import annotations

from pathlib import Path

from tests.web.fake_house import fake_house, get, own_state
from tests.web.scene import scene
from web.api import zombies

PATH = "/api/v1/zombies"


def test_zombies_stand_under_the_parent_that_does_not_wait() -> None:
    code = """
dead = [zombie(text) for text in (b"git", b"git", b"ssh agent)")]
ready(dead=dead)
stay()
"""
    with scene(code) as child:
        body = get(fake_house(own_state(main=child["pid"])), zombies.show, PATH).json()
    (culprit,) = [c for c in body["culprits"] if c["process"] and c["process"]["pid"] == child["pid"]]
    assert culprit["count"] == 3
    assert culprit["names"] == ["git", "ssh agent)"]
    assert culprit["relation"] == "main"
    assert culprit["oldest_at"] >= culprit["process"]["started_at"]
    assert body["total"] == sum(c["count"] for c in body["culprits"])


def test_where_nobody_is_dead_nobody_is_blamed(tmp_path: Path) -> None:
    assert get(fake_house(own_state(), str(tmp_path)), zombies.show, PATH).json() == {
        "total": 0,
        "culprits": [],
    }
