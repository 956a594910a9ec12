"""initd.notify: sd_notify's datagrams as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import notify


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"READY=1", {"READY": True}),
        (b"READY=1\nSTATUS=all is well\n", {"READY": True, "STATUS": "all is well"}),
        (b"STATUS=a=b", {"STATUS": "a=b"}),
        (b"STATUS=", {"STATUS": ""}),
        (b"STATUS=\xff", {"STATUS": "\\xff"}),
        (b"RELOADING=1\nMONOTONIC_USEC=123", {"RELOADING": True}),
        (b"MAINPID=42", {"MAINPID": 42}),
        (b"WATCHDOG=1", {"WATCHDOG": "1"}),
        (b"WATCHDOG=trigger", {"WATCHDOG": "trigger"}),
        (b"WATCHDOG_USEC=2000000", {"WATCHDOG_USEC": 2_000_000}),
        (b"EXTEND_TIMEOUT_USEC=5", {"EXTEND_TIMEOUT_USEC": 5}),
        (b"BARRIER=1", {"BARRIER": True}),
        (b"ERRNO=2\nEXIT_STATUS=3", {"ERRNO": 2, "EXIT_STATUS": 3}),
        (b"X_OURS=1\nFDSTORE=1", {}),
        (b"READY=0", {}),
        (b"READY", {}),
        (b"MAINPID=-1\nMAINPID=x\nMAINPID=99999999", {}),
        (b"WATCHDOG=2", {}),
        (b"EXIT_STATUS=256", {}),
        (b"", {}),
    ],
)
def test_a_datagram_is_the_keys_that_are_known(data: bytes, words: dict[str, object]) -> None:
    assert notify.parse(data) == words


@given(st.binary(max_size=2_000))
def test_any_bytes_are_taken_and_a_status_stays_short(data: bytes) -> None:
    words = notify.parse(data)
    assert len(str(words.get("STATUS", ""))) <= 500
    assert words.keys() <= {
        "READY", "RELOADING", "STOPPING", "BARRIER", "STATUS", "WATCHDOG", "ERRNO", "EXIT_STATUS",
        "MAINPID", "WATCHDOG_USEC", "EXTEND_TIMEOUT_USEC",
    }  # fmt: skip
