"""Hostile names, and pages of other sites, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from initd.procfs import decode_name
from tests.kernel.client import wait_for
from tests.kernel.harness import PYTHON, Scene, scene
from tests.survival.programs.hostile import ARGUMENT, NAMES

from .conftest import visiting
from .visit import Visit

HOSTILE = Path(__file__).parents[1] / "survival/programs/hostile.py"
FAMILY = 4  # processes of each name: a living one, a zombie, a parent and its child
# Every way that a page has to send something to another site, or to get something of it.
ATTACK = """async ([target, signal]) => {
    const order = `${target}/api/v1/main/signal`, json = JSON.stringify({signal});
    const quiet = promise => promise.then(answer => answer.type, error => error.name);
    const sent = {method: "POST", mode: "no-cors"}, headers = {"Content-Type": "application/json"};
    const form = (enctype, name, value) => new Promise(done => {
        const frame = document.body.appendChild(document.createElement("iframe"));
        frame.name = enctype;
        frame.onload = () => done("sent");
        setTimeout(() => done("no page"), 2000);  // the answer is nothing that a frame shows
        const made = document.body.appendChild(document.createElement("form"));
        Object.assign(made, {action: order, method: "POST", enctype, target: enctype});
        const field = made.appendChild(document.createElement("input"));
        Object.assign(field, {name, value});
        made.submit();
    });
    const loaded = (name, source) => new Promise(done => {
        const one = document.createElement(name);
        one.onload = () => done("loaded");
        one.onerror = () => done("refused");
        one.src = target + source;
        document.body.append(one);
    });
    return {
        plain: await quiet(fetch(order, {...sent, body: json})),
        fields: await quiet(fetch(order, {...sent, body: new URLSearchParams({signal})})),
        json: await quiet(fetch(order, {method: "POST", headers, body: json})),
        beacon: navigator.sendBeacon(order, new URLSearchParams({signal})),
        form: await form("application/x-www-form-urlencoded", "signal", signal),
        trick: await form("text/plain", `{"signal":"${signal}","x":"`, '"}'),
        read: await quiet(fetch(`${target}/api/v1/status`)),
        opaque: await quiet(fetch(`${target}/api/v1/status`, {mode: "no-cors"})),
        script: await loaded("script", "/api/v1/status"),
        picture: await loaded("img", "/static/favicon.svg"),
    };
}"""


@pytest.fixture(scope="module")
def hostile() -> Iterator[Scene]:
    """An init that lets anybody do anything, and its hostile processes."""
    main = (*PYTHON, str(HOSTILE), ARGUMENT)
    with scene(*main, options=("--anonymous", "control"), listen="127.0.0.1:0") as made:
        made.ready()
        yield made


@pytest.fixture
def visitor(browser: BrowserContext, hostile: Scene) -> Iterator[Visit]:
    yield from visiting(browser, hostile.port)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another site, with an empty page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>elsewhere</title><body>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://evil.example:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.survives(
    "markup in names and arguments of processes",
    "the page shows it as text and runs nothing; its policy is strict",
)
def test_the_page_runs_nothing_of_what_processes_are_called(visitor: Visit, hostile: Scene) -> None:
    visitor.page.add_init_script("window.own = () => { window.owned = true; }")
    visitor.page.on("dialog", lambda dialog: visitor.complaints.append(dialog.message))
    visitor.open(token=None)
    content = visitor.page.locator("#content")
    elements = visitor.page.evaluate("document.querySelectorAll('#content *').length")
    assert elements
    for name in NAMES:
        visitor.page.fill("#filter", decode_name(name).split("\n", maxsplit=1)[0][:6].strip())
        rows = visitor.page.locator("#rows [role=row]")
        expect(rows).not_to_have_count(0)
        rows.last.click()
    visitor.page.fill("#filter", "")
    hostile.post("/api/v1/main/signal", {"signal": "HUP"})
    expect(visitor.event("adopted")).not_to_have_count(0)
    assert content.locator("script, img[src=x], textarea b").count() == 0
    assert visitor.page.evaluate("window.owned") is None
    assert hostile.tcp("GET", "/").headers["Content-Security-Policy"].startswith("default-src 'none'; ")


@pytest.mark.survives(
    "a page of another site sends orders and asks for data, by every way a browser has",
    "no order is taken and nothing is read, though anybody may do anything",
)
def test_a_page_of_another_site_orders_and_reads_nothing(
    browser: BrowserContext, hostile: Scene, elsewhere: str, figures: dict[str, object]
) -> None:
    page = browser.new_page()
    try:
        page.goto(elsewhere)
        found: dict[str, Any] = page.evaluate(ATTACK, [f"http://127.0.0.1:{hostile.port}", "URG"])
    finally:
        page.close()
    assert {found[way] for way in ("plain", "fields", "form", "trick")} <= {
        "opaque",
        "sent",
        "no page",
        "TypeError",
    }
    assert found["json"] == found["read"] == found["opaque"] == "TypeError"  # no CORS, and no loan
    assert found["script"] == found["picture"] == "refused"
    assert signals(hostile) == []
    assert "421" not in hostile.err()
    figures["ways tried"] = len(found)
    hostile.post("/api/v1/main/signal", {"signal": "URG"})
    wait_for(lambda: signals(hostile) == ["URG"], "an order of ours, which is one that would have been seen")


def signals(made: Scene) -> list[str]:
    return [event["signal"] for event in made.events("signal.sent") if event["signal"] == "URG"]


@pytest.mark.survives(
    "a page of another site puts ours into a frame", "the browser shows it nothing to click on"
)
def test_the_page_is_framed_by_nobody(browser: BrowserContext, hostile: Scene, elsewhere: str) -> None:
    page = browser.new_page()
    try:
        page.goto(elsewhere)
        page.set_content(f"<iframe src='http://127.0.0.1:{hostile.port}/'></iframe>")
        frame = page.query_selector("iframe")
        assert frame is not None

        def refused() -> bool:
            page.wait_for_timeout(20)  # which lets the browser tell us
            inside = frame.content_frame()
            return inside is not None and inside.url.startswith("chrome-error:")

        wait_for(refused, "a refusal")
    finally:
        page.close()


@pytest.mark.survives(
    "another site's name is made to lead to us: DNS rebinding", "its page gets nothing of ours"
)
def test_a_name_that_was_bent_to_us_shows_nothing(browser: BrowserContext, hostile: Scene) -> None:
    page = browser.new_page()
    try:
        answer = page.goto(f"http://rebound.example:{hostile.port}/")
        assert answer is not None
        assert answer.status == 421
        read = "fetch('/api/v1/status').then(answer => answer.status)"
        assert page.evaluate(read) == 421
    finally:
        page.close()
