"""compact_json.py: the same as json, for what JSON allows, and nothing of what it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import initd
from initd.compact_json import decode, encode

from .driver import QUICK

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


def is_refused(text: str) -> bool:
    try:
        decode(text)
    except ValueError:
        return True
    return False


@QUICK
@given(VALUES)
def test_it_writes_and_reads_what_json_does(value: object) -> None:
    text = json.dumps(value, separators=(",", ":"))
    assert encode(value) == text
    assert decode(text) == decode(f" \t\r\n{json.dumps(value, indent=1)}\n") == value


@QUICK
@given(st.text(max_size=30) | st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \\u', max_size=30))
def test_what_json_does_not_read_it_does_not_either(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=float.fromhex, parse_float=float)
    except ValueError:
        assert is_refused(text)
    else:
        assert "inf" in repr(expected) or "nan" in repr(expected) or decode(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "{} {}", "NaN", "[Infinity]", "-Infinity", "1e999", "\ufeff{}", "{'a':1}"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    assert is_refused(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], b"", {1, 2}, object()])
def test_what_is_no_value_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(value)


def test_what_is_too_deep_is_refused() -> None:
    with pytest.raises((RecursionError, ValueError)):
        decode("[" * 100_000)


def test_pid_1_never_loads_what_json_stands_on() -> None:
    """It is what the file is for; a single import of any of them would cost it again."""
    root = str(Path(initd.__file__).parents[1])
    script = f"import sys; sys.path.insert(0, {root!r}); import initd.loop; print(*sys.modules)"
    words = [sys.executable, "-I", "-S", "-c", script]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert "initd.reaping" in loaded
    assert not {"json", "re", "enum", "functools", "collections"} & set(loaded)


def test_what_is_no_json_is_refused_also_where_json_was_never_imported() -> None:
    """CPython 3.11 then returns no value and no error, which is a SystemError."""
    place = str(Path(initd.__file__).with_name("compact_json.py"))
    script = f"exec(open({place!r}).read())\nimport sys\nassert 'json.decoder' not in sys.modules\n"
    script += "for text in ('{', '[1,', 'x', '\"', '{\"a\" 1}', '[' * 60_000):\n try: decode(text)\n"
    script += " except (ValueError, RecursionError): print('refused')"
    words = [sys.executable, "-I", "-S", "-c", script]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert told == ["refused"] * 6
