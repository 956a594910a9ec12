"""model.py, inputs.py and effects.py: a record is an immutable, slotted value; the vocabulary is closed."""

from __future__ import annotations

from typing import Any

import pytest

from initd import effects, inputs, model
from initd.effects import Signal
from initd.inputs import Child, Garbled, SpawnFailed, Surveyed
from initd.model import ExitStatus, ProcessId, record

RECORDS: list[Any] = [
    value
    for module in (model, inputs, effects)
    for value in vars(module).values()
    if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "__match_args__")
]


@record
class Point:
    """For these tests."""

    x: int
    y: int = 5


def anything(cls: Any) -> Any:
    return cls(*range(len(cls.__match_args__)))


def test_the_records_were_found() -> None:
    assert {ProcessId, ExitStatus, SpawnFailed, Surveyed, Garbled} <= set(RECORDS)
    assert len(RECORDS) >= 20


@pytest.mark.parametrize("cls", RECORDS)
def test_a_record_is_immutable_and_slotted(cls: Any) -> None:
    made = anything(cls)
    for name in (*cls.__match_args__, "other"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(made, name, 1)
    assert not hasattr(made, "__dict__")
    assert made == anything(cls)


@pytest.mark.parametrize("cls", RECORDS)
def test_a_record_keeps_its_name_and_documentation(cls: Any) -> None:
    assert repr(anything(cls)).startswith(f"{cls.__name__}(")
    assert cls.__doc__


def test_equal_means_same_class_and_same_fields() -> None:
    assert Point(1) == Point(1, 5) == Point(x=1, y=5)
    assert Point(1) != Point(1, 6)
    assert Point(1) != Point(2)
    other: object = ProcessId(1, 5)
    assert other != Point(1, 5)
    assert hash(Point(1)) == hash(Point(1, 5))
    assert len({Point(1), Point(1, 5), Point(2)}) == 2
    assert repr(Point(1)) == "Point(x=1, y=5)"


@pytest.mark.parametrize(
    ("args", "fields", "why"),
    [
        ((), {}, "Point needs x"),
        ((1, 2, 3), {}, "Point takes 2 fields"),
        ((1,), {"z": 2}, "Point has no field z"),
        ((1,), {"x": 2}, "Point has no field x"),
    ],
)
def test_wrong_fields_are_a_type_error(args: tuple[int, ...], fields: dict[str, int], why: str) -> None:
    make: Any = Point
    with pytest.raises(TypeError, match=why):
        make(*args, **fields)


def test_a_record_is_matched_by_position() -> None:
    match Signal(7, 15):
        case Signal(pid, number, group):
            assert (pid, number, group) == (7, 15, False)


def test_a_process_is_written_with_its_start_time() -> None:
    assert str(ProcessId(42, 18372)) == "42-18372"


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (ExitStatus(0, None), 0, "exited"),
        (ExitStatus(255, None), 255, "exited"),
        (ExitStatus(None, 9), 137, "signaled"),
        (ExitStatus(None, 64), 192, "signaled"),
    ],
)
def test_an_end_is_a_code_as_a_shell_shows_it(status: ExitStatus, code: int, outcome: str) -> None:
    assert (status.shell_code, status.outcome, status.dumped) == (code, outcome, False)


def test_the_closed_lists_hold_each_word_once() -> None:
    for words in (model.STATES, model.PUBLIC_STATES, model.EVENT_KINDS, model.LIMITS):
        assert len(set(words)) == len(words)
    assert set(model.STATES) - set(model.PUBLIC_STATES) == {"restarting", "ending"}
    assert set(model.PROCESS_STATES.values()) == {
        "running", "sleeping", "disk_sleep", "stopped", "tracing_stop", "zombie", "idle", "dead",
    }  # fmt: skip


def test_fields_that_are_a_default_may_be_left_out() -> None:
    assert SpawnFailed("main", "why", forking=True) == SpawnFailed("main", "why", True, 126, "")
    assert Child(ProcessId(1, 2), "x", zombie=False).zombie is False
