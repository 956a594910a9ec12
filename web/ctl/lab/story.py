"""What a lab is, to those who tell it.

Law of this file: the shape that all labs share, and nothing that one of them does.
"""

from __future__ import annotations

from initd.model import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from web.ctl.lab.bench import Bench


@record
class Order:
    """What was asked for. ``status`` asks initd for /api/v1/status; it raises CtlError."""

    count: int
    seconds: float
    status: Callable[[], dict[str, Any]]


@record
class Lab:
    """``make`` makes it, and says what it did. ``{0}`` in the other texts is the first process made."""

    make: Callable[[Bench, Order], Iterator[str]]
    expect: str
    watch: tuple[tuple[str, str], ...]  # words for initctl, and the path that says the same
    count: int = 1
