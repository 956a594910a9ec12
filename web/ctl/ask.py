"""The API's answers: JSON, or a problem that becomes one line.

Law of this file: what an answer means for every verb alike.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from web.ctl.client import Answer, Client
from web.ctl.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


def problem(answer: Answer) -> Refused:
    """An answer that is an error, as what to raise."""
    try:
        said = json.loads(answer.body)
        return Refused(f"{said['detail']} ({said['title']}, {answer.status} {said['code']})")
    except (ValueError, KeyError, TypeError, RecursionError):
        return Refused(f"cannot do it: the answer was {answer.status}, and says not why; is that initd?")


def get(client: Client, path: str, accept: str = "application/json") -> bytes:
    """The body of a 200. Raises Refused, Unreachable."""
    answer = client.ask("GET", path, accept=accept)
    if answer.status != 200:
        raise problem(answer)
    return answer.body


def parsed(body: bytes) -> Any:
    """The value of a JSON body. Raises Refused."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # nothing of ours is nested that deep
        raise Refused("cannot read the answer: it is not JSON; is that initd?") from None


def shaped(read: Callable[[], T]) -> T:
    """What ``read`` returns; an answer without the fields it reads is not one of initd's."""
    try:
        return read()
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError):
        raise Refused("cannot read the answer: it is JSON, but not initd's; say --socket or --url") from None


def untouched(body: bytes) -> None:
    """The API's own JSON, for programs."""
    sys.stdout.write(body.decode("utf-8", "surrogateescape").rstrip("\n") + "\n")


def query(**parameters: object) -> str:
    """``?name=value&…`` of those that are not None, or nothing."""
    from urllib.parse import urlencode

    asked = {key: value for key, value in parameters.items() if value is not None}
    return f"?{urlencode(asked)}" if asked else ""


def wants_json(words: Namespace) -> bool:
    """Whether --json was said, before or after the verb."""
    return getattr(words, "json", False)
