"""operations.py: one at a time, numbered, the same wish joins, another one supersedes, a hundred are kept."""

from __future__ import annotations

from initd.operations import Operations


def test_an_operation_begins_running_and_ends_with_a_word() -> None:
    operations = Operations()
    operation = operations.begin("stop", 1.0)
    assert operation == {
        "id": 1,
        "action": "stop",
        "state": "running",
        "started_at": "1970-01-01T00:00:01.000Z",
        "ended_at": None,
        "detail": None,
        "by": None,
    }
    operations.finish("done", 2.0, "main is stopped")
    found = operations.get(1)
    assert found is not None
    assert (found["state"], found["ended_at"], found["detail"]) == (
        "done",
        "1970-01-01T00:00:02.000Z",
        "main is stopped",
    )


def test_the_same_wish_joins_the_running_one() -> None:
    operations = Operations()
    assert operations.begin("stop", 1.0) is operations.begin("stop", 2.0)
    assert len(operations.changed) == 1


def test_the_same_wish_after_the_end_is_a_new_one() -> None:
    operations = Operations()
    operations.begin("stop", 1.0)
    operations.finish("done", 1.0, "")
    assert operations.begin("stop", 2.0)["id"] == 2


def test_another_wish_supersedes_the_running_one() -> None:
    operations = Operations()
    operations.begin("stop", 1.0)
    operations.begin("start", 2.0)
    first = operations.get(1)
    assert first is not None
    assert (first["state"], first["detail"]) == ("failed", "superseded by start")


def test_finishing_names_whom_it_concerns() -> None:
    operations = Operations()
    operation = operations.begin("restart", 1.0, {"role": "control", "peer": "unix"})
    operations.finish("done", 2.0, "", "stop", "shutdown")
    assert (operation["state"], operations.by) == ("running", {"role": "control", "peer": "unix"})
    operations.finish("done", 2.0, "", "start", "restart")
    assert (operation["state"], operations.by) == ("done", None)


def test_finishing_nothing_is_nothing() -> None:
    operations = Operations()
    operations.finish("done", 1.0, "")
    assert (operations.changed, operations.get(1)) == ([], None)


def test_every_change_is_handed_on_as_it_was_then() -> None:
    operations = Operations()
    operations.begin("stop", 1.0)
    operations.begin("start", 2.0)
    operations.finish("done", 3.0, "")
    assert [(one["id"], one["state"]) for one in operations.changed] == [
        (1, "running"),
        (1, "failed"),
        (2, "running"),
        (2, "done"),
    ]


def test_the_last_hundred_are_kept_and_the_running_one_always() -> None:
    operations = Operations()
    for _ in range(101):
        operations.begin("stop", 1.0)
        operations.finish("done", 1.0, "")
    assert operations.get(1) is None
    assert operations.get(2) is not None
    assert operations.begin("start", 1.0)["id"] == 102
    assert operations.get(102) is not None
    assert operations.get(2) is None
