"""A person at the page: opens it, looks, and is told of whatever the browser complains about.

Law of this file: it knows the page's elements and how to wait for them; it asserts nothing about initd.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Route

from tests.kernel.client import DEADLINE, wait_for

PATIENCE_MS = DEADLINE * 1000
CONTROL = "control-control-control"
READ = "read-read-read-read-read"
TIMES, DASH = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"  # as the page writes them
# What the browser itself writes when an answer is not 2xx, or none comes: for tests that mean it to happen.
REFUSED = r"Failed to load resource: the server responded with a status of 40[139] "
CUT = r"Failed to load resource: net::ERR_"

# So many more pictures, as fast as they come; by itself the page asks once a second at most.
PICTURES = """async count => {
    const {look} = await import("/static/live.js");
    const {picture} = await import("/static/picture.js");
    for (let i = 0; i < count; i += 1) {
        const before = picture.takenAt;
        look();
        while (picture.takenAt === before) await new Promise(requestAnimationFrame);
    }
}"""


class Visit:
    """One open page; ``port`` is where initd serves it. ``expected``: complaints that a test provokes."""

    def __init__(self, page: Page, port: int) -> None:
        self.page = page
        self.address = f"http://127.0.0.1:{port}/"
        self.complaints: list[str] = []
        self.expected: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url')}")

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error.stack))

    @property
    def surprises(self) -> list[str]:
        """Complaints that nothing in the test explains."""
        return [text for text in self.complaints if not any(re.search(p, text) for p in self.expected)]

    def open(self, token: str | None = CONTROL) -> Visit:
        """The page, with the picture on it."""
        self.page.goto(self.address + (f"#token={token}" if token else ""))
        self.page.wait_for_selector("#rows [role=row]")
        return self

    # --- what is there

    def row(self, name: str) -> Locator:
        """The rows of processes (or folds) of this name."""
        named = self.page.locator("b", has_text=re.compile(rf"^{re.escape(name)}$"))
        return self.page.locator("#rows [role=row]", has=named)

    def names(self) -> list[str]:
        """All rows in sight, from the top."""
        found: list[str] = self.page.locator("#rows [role=row] b").all_inner_texts()
        return found

    def event(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.locator("#feed li", has_text=text)

    def toast(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.locator(".toast", has_text=text)

    def active(self) -> str:
        """The name in the row that the keyboard is on."""
        found: str = self.page.evaluate("document.activeElement.querySelector('b')?.textContent ?? ''")
        return found

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait while the browser goes on to tell what happens in it."""

        def look() -> bool:
            self.page.wait_for_timeout(20)
            return condition()

        wait_for(look, what)

    def until(self, script: str, what: str) -> Any:
        """Wait until ``script`` gives something true, and return it."""
        return wait_for(lambda: self.page.evaluate(script), what)

    # --- what a person does

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def more_pictures(self, count: int) -> None:
        self.page.evaluate(PICTURES, count)

    def amend_status(self, change: Callable[[dict[str, Any]], object]) -> None:
        """From now on the status is what the init says and ``change`` makes of it."""

        def answer(route: Route) -> None:
            response = route.fetch()
            status = response.json()
            change(status)
            route.fulfill(response=response, json=status)

        self.page.route("**/api/v1/status", answer)

    def count_requests(self, part: str) -> Callable[[], int]:
        """A counter of requests whose address has ``part`` in it, from now on."""
        seen: list[str] = []
        self.page.on("request", lambda request: seen.append(request.url) if part in request.url else None)
        return lambda: len(seen)
