"""procfs.py: any name a process may give itself is read back; garbage is a ValueError and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from initd import procfs

from .driver import QUICK

# TASK_COMM_LEN is 16 with its NUL; kernel threads' names may be as long as 64.
NAMES = st.binary(max_size=15) | st.binary(max_size=64) | st.text(" )(\n\tR", max_size=15).map(str.encode)
NUMBERS = st.integers(0, 2**64 - 1)


def line(pid: int, name: bytes, *fields: int, state: bytes = b"S") -> bytes:
    return b"%d (%s) %s %s\n" % (pid, name, state, b" ".join(b"%d" % field for field in fields))


@QUICK
@example(1, b") R 1 1", b"S", list(range(49)))
@example(1, b"a) (b", b"Z", list(range(49)))
@example(1, b"\n", b"Z", list(range(49)))
@given(
    st.integers(1, 2**22),
    NAMES,
    st.sampled_from([b"R", b"S", b"D", b"T", b"t", b"Z", b"I", b"X"]),
    st.lists(NUMBERS, min_size=49, max_size=49),
)
def test_a_stat_line_is_read_whatever_the_name(pid: int, name: bytes, state: bytes, rest: list[int]) -> None:
    stat = procfs.parse_stat(line(pid, name, *rest, state=state))
    assert (stat.pid, stat.state, stat.name) == (pid, state.decode(), procfs.decode_name(name))
    # proc_pid_stat(5) numbers the fields from 1, so rest[0] is field 4.
    by_number = {number: rest[number - 4] for number in range(4, 53)}
    assert (stat.ppid, stat.pgrp, stat.session, stat.tty) == tuple(by_number[n] for n in (4, 5, 6, 7))
    assert (stat.utime, stat.stime) == (by_number[14], by_number[15])
    assert (stat.threads, stat.starttime) == (by_number[20], by_number[22])
    assert (stat.vsize, stat.rss) == (by_number[23], by_number[24])


@QUICK
@given(st.binary(max_size=200))
def test_garbage_is_a_value_error_and_nothing_else(raw: bytes) -> None:
    for parse in (procfs.parse_stat, procfs.parse_children):
        try:
            parse(raw)
        except ValueError:
            continue
    procfs.parse_status(raw)


@QUICK
@given(st.integers(0, 200))
def test_a_line_that_was_cut_is_a_value_error_or_still_right(cut: int) -> None:
    whole = line(42, b"a (b) c", *range(1, 50))
    try:
        stat = procfs.parse_stat(whole[:cut])
    except ValueError:
        assert cut < len(whole)
    else:
        assert (stat.pid, stat.name, stat.ppid, stat.starttime) == (42, "a (b) c", 1, 19)


@pytest.mark.parametrize(
    "raw",
    [b"", b"1", b"1 (x)", b"1 (x) S", b"1 x) S 1", b"(x) S 1 2 3", b"1 (x S 1", line(1, b"x", *range(20))],
)
def test_what_is_no_stat_line_says_so(raw: bytes) -> None:
    with pytest.raises(ValueError, match="cannot read stat"):
        procfs.parse_stat(raw)


def test_the_shortest_line_is_one_with_all_that_we_use() -> None:
    assert procfs.parse_stat(line(1, b"x", *range(21))).rss == 20


def test_our_own_line_is_read() -> None:
    stat = procfs.parse_stat(Path("/proc/self/stat").read_bytes())
    assert (stat.pid, stat.ppid, stat.pgrp) == (os.getpid(), os.getppid(), os.getpgrp())
    assert stat.threads >= 1
    assert stat.rss > 0


@QUICK
@given(st.binary(max_size=64))
def test_any_name_is_text_that_json_can_carry(raw: bytes) -> None:
    name = procfs.decode_name(raw)
    assert name.encode("utf-8") == name.encode("utf-8", "surrogatepass")
    if b"\\" not in raw and raw.decode("utf-8", "ignore").encode() == raw:
        assert name.encode() == raw


def test_bytes_that_are_not_utf_8_are_shown() -> None:
    assert procfs.decode_name(b"gr\xfcn \xc3\xbc") == "gr\\xfcn ü"


@QUICK
@given(st.lists(st.integers(1, 2**22)))
def test_children_are_read_in_the_kernels_order(pids: list[int]) -> None:
    assert procfs.parse_children(b"".join(b"%d " % pid for pid in pids)) == tuple(pids)


@pytest.mark.parametrize("raw", [b"1 x", b"1,2", b"\xff"])
def test_children_that_are_none_are_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        procfs.parse_children(raw)


def test_status_lines_become_pairs_and_others_are_left_out() -> None:
    raw = b"Name:\ta:b\xff\nSigIgn:\t0000000000001000\nnonsense\n\nGroups:\t0 1 \n"
    assert procfs.parse_status(raw) == {"Name": "a:b\\xff", "SigIgn": "0000000000001000", "Groups": "0 1"}


@QUICK
@given(st.frozensets(st.integers(1, 64)))
def test_a_mask_holds_its_signals(numbers: frozenset[int]) -> None:
    mask = sum(1 << (number - 1) for number in numbers)
    assert procfs.signals_in(f"{mask:016x}") == numbers


@pytest.mark.parametrize("mask", ["", "xyz", "0o7"])
def test_what_is_no_mask_is_a_value_error(mask: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        procfs.signals_in(mask)
