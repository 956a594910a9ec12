"""What each verb does: ask, and print the answer.

Law of this file: one function per verb of the table but check, found by its name; it returns the exit code.
"""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Callable, Iterator

from web.ctl import leaks, show
from web.ctl.ask import get, parsed, problem, query, shaped, untouched, wants_json
from web.ctl.client import Answer, Client
from web.ctl.errors import FAILED, OK, Unknown
from web.ctl.targets import target, token
from web.ctl.watch import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Act = Callable[[Namespace, Client], int]


def perform(words: Namespace) -> int:
    """The verb's own function, with a client for the target that the words and the environment name."""
    return ACTIONS[words.verb](words, Client(target(words), token(words)))


def _resource(
    words: Namespace, client: Client, path: str, lines: Callable[[Any, float], Iterator[str]]
) -> int:
    body = get(client, path)
    if wants_json(words):
        untouched(body)
    else:
        print(*shaped(lambda: list(lines(parsed(body), time.time()))), sep="\n")
    return OK


def status(words: Namespace, client: Client) -> int:
    return _resource(words, client, "/api/v1/status", show.status)


def ps(words: Namespace, client: Client) -> int:
    wanted = query(state=words.state, name=words.name, adopted="true" if words.adopted else None)
    return _resource(words, client, f"/api/v1/processes{wanted}", show.processes)


def zombies(words: Namespace, client: Client) -> int:
    return _resource(words, client, "/api/v1/zombies", leaks.zombies)


def lineage(words: Namespace, client: Client) -> int:
    return _resource(words, client, "/api/v1/lineage", leaks.lineage)


def tree(words: Namespace, client: Client) -> int:
    path = f"/api/v1/tree{query(root=words.id, depth=words.depth)}"
    if wants_json(words):
        untouched(get(client, path))
    else:
        print(*show.clean_lines(get(client, path, "text/plain").decode("utf-8", "replace")), sep="\n")
    return OK


def _post(client: Client, path: str, body: dict[str, str] | None = None, wait: float = 0.0) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    answer = client.ask("POST", path, body=data, extra_seconds=wait)
    if answer.status == 504:
        raise Unknown(str(problem(answer)))
    if answer.status not in (200, 202):
        raise problem(answer)
    return answer


def signal(words: Namespace, client: Client) -> int:
    path = f"/api/v1/processes/{words.id}/signal" if words.id else "/api/v1/main/signal"
    answer = _post(client, path, {"signal": words.signal})
    return _told(words, answer, shaped(lambda: show.sent(parsed(answer.body))))


def nudge(words: Namespace, client: Client) -> int:
    """The exit code is 0 where it did not help, too: it was done, and the answer says what came of it."""
    answer = _post(client, f"/api/v1/zombies/{words.id}/nudge")
    return _told(words, answer, shaped(lambda: leaks.nudged(parsed(answer.body))))


def operate(words: Namespace, client: Client) -> int:
    """restart, stop and start: print the operation; where it failed the exit code is 1."""
    wait = 0 if words.no_wait else words.timeout
    answer = _post(client, f"/api/v1/main/{words.verb}{query(wait=wait or None)}", wait=wait)
    done = parsed(answer.body)
    if wants_json(words):
        untouched(answer.body)
    else:
        print(shaped(lambda: show.operation(done)))
    return FAILED if shaped(lambda: done["state"]) == "failed" else OK


def drain(words: Namespace, client: Client) -> int:
    return _told(words, _post(client, "/api/v1/drain"), "draining: /readyz answers 503 from now on")


def shutdown(words: Namespace, client: Client) -> int:
    return _told(words, _post(client, "/api/v1/shutdown"), "shutting down: main is stopped, then initd ends")


def _told(words: Namespace, answer: Answer, text: str) -> int:
    if wants_json(words):
        untouched(answer.body)
    else:
        print(text)
    return OK


def top(words: Namespace, client: Client) -> int:
    from web.ctl import top

    return top.perform(words, client)


def lab(words: Namespace, client: Client) -> int:
    from web.ctl import lab

    return lab.perform(words, client)


ACTIONS: dict[str, Act] = {
    "status": status,
    "tree": tree,
    "ps": ps,
    "zombies": zombies,
    "nudge": nudge,
    "lineage": lineage,
    "events": events,
    "signal": signal,
    "restart": operate,
    "stop": operate,
    "start": operate,
    "drain": drain,
    "shutdown": shutdown,
    "top": top,
    "lab": lab,
}
