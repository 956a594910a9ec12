"""Live: what happens is seen, what breaks heals, and nobody is asked more often than is good for them."""

from __future__ import annotations

import os
import re
import signal
import time

from playwright.sync_api import Route, expect

from tests.kernel.harness import Scene

from .test_tree import order
from .visit import CUT, Visit


def test_a_web_restart_shows_and_heals_and_nothing_is_lost(visit: Visit, stage: Scene) -> None:
    visit.expected.append(CUT)
    visit.open()
    visit.row("idler").click()  # a fold that is open
    visit.page.fill("#filter", "idler")
    visit.row("idler").nth(1).click()
    visit.page.evaluate(
        """window.links = [];
        new MutationObserver(() => links.push(document.documentElement.dataset.link))
            .observe(document.documentElement, {attributeFilter: ["data-link"]})"""
    )
    os.kill(stage.web, signal.SIGKILL)
    visit.until("links.includes('lost')", "the page to say that it is disconnected")
    visit.until("links.at(-1) === 'live'", "the page to heal")
    expect(visit.event("web exited, signal KILL")).to_have_count(1)
    expect(visit.event(re.compile("web started as pid")).first).to_be_visible()
    expect(visit.page.locator("#filter")).to_have_value("idler")
    expect(visit.row("idler")).to_have_count(7)
    expect(visit.page.locator("#rows .chosen")).to_have_count(1)
    expect(visit.page.locator("#banner")).not_to_be_visible()


def test_while_nobody_answers_the_page_says_so_and_keeps_the_last_picture(visit: Visit) -> None:
    visit.expected.append(CUT)
    visit.open()
    visit.page.context.set_offline(True)
    try:
        expect(visit.page.locator("#banner")).to_contain_text("Disconnected, trying again")
        expect(visit.page.locator("#live")).to_have_text("not live")
        expect(visit.row("stage")).to_have_count(1)
        expect(visit.page.locator("#picture-age")).to_have_text(re.compile(r"picture \d+s old"))
    finally:
        visit.page.context.set_offline(False)
    expect(visit.page.locator("#banner")).not_to_be_visible()


def test_events_come_by_themselves_in_words(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "URG")
    sent = visit.event(re.compile(r"URG sent to stage\(\d+\) by control from unix:uid=0"))
    expect(sent.first).to_be_visible()


def test_groups_of_events_are_shown_and_hidden(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "URG")
    expect(visit.event("URG sent").first).to_be_visible()
    chip = visit.page.locator("#feed-groups >> text=signals")
    chip.click()
    expect(visit.event("URG sent")).to_have_count(0)
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(visit.event("URG sent").first).to_be_visible()


def test_a_paused_feed_stands_still_and_says_what_waits(visit: Visit, stage: Scene) -> None:
    visit.open()
    visit.page.click("#feed-pause")
    order(stage, "CONT")
    expect(visit.page.locator("#feed-pause")).to_have_text(re.compile(r"Go on \([1-9]\d*\)"))
    expect(visit.event("CONT sent")).to_have_count(0)
    visit.page.click("#feed-pause")
    expect(visit.event("CONT sent")).to_have_count(1)


ODD: dict[str, dict[str, object]] = {
    "1,234 events missed, 1 to 1234": {"kind": "gap", "missed": 1234, "first": 1, "last": 1234},
    "moon.landed crew 3": {"kind": "moon.landed", "crew": 3},
    "main says “migrating”": {"kind": "status", "text": "migrating"},
    "at the limit nproc": {"kind": "fork.failed", "unit": "main", "why": "EAGAIN", "limit": "nproc"},
    "signal KILL, out of memory": {"kind": "main.exited", "process": None, "signal": "KILL", "oom": True},
    "fails, “no db”": {"kind": "check.failed", "check": "ready-exec", "why": None, "output": "no db"},
    "dead: too quick": {"kind": "adopted", "former_parent": None, "why": "too quick", "seen": "dead"},
}


def test_events_that_were_missed_or_are_odd_or_unknown_are_shown_too(visit: Visit, stage: Scene) -> None:
    events = [{"seq": number, "at": None, **event} for number, event in enumerate(ODD.values(), 100_000)]
    page = {"events": events, "next": stage.get("/api/v1/events?limit=1")["next"]}
    visit.page.route(re.compile(r"/events\?limit"), lambda route: route.fulfill(json=page))
    visit.open()
    for words in ODD:
        expect(visit.event(words)).to_have_count(1)


def test_events_of_the_init_before_go_when_another_one_answers(visit: Visit) -> None:
    old = {"seq": 100_000, "at": None, "kind": "status", "text": "of another life"}

    def after(route: Route) -> None:
        if route.request.headers["accept"] == "text/event-stream":
            route.fulfill(body="", content_type="text/event-stream")  # it ends
        else:
            route.continue_()

    page = {"events": [old], "next": old["seq"]}
    visit.page.route(re.compile(r"/events\?limit"), lambda route: route.fulfill(json=page))
    visit.page.route(re.compile(r"/events\?after=100000"), after)
    visit.open()
    expect(visit.event(re.compile("web started as pid")).first).to_be_visible()
    expect(visit.event("of another life")).to_have_count(0)


def test_a_paused_picture_stands_still(visit: Visit, stage: Scene) -> None:
    visit.open()
    visit.press("p")
    expect(visit.page.locator("#link-text")).to_have_text("paused")
    asked = visit.count_requests("/tree")
    order(stage, "USR1")
    expect(visit.event("USR1 sent").first).to_be_visible()  # the feed has its own pause
    expect(visit.page.locator("#picture-age")).to_have_text(re.compile(r"picture [2-9]s old"))
    assert asked() == 0
    assert visit.row("git").count() == 0
    visit.press("p")
    expect(visit.row("git")).to_have_count(1)
    order(stage, "USR2")


def test_while_paused_a_blip_heals_and_a_process_is_told_of(visit: Visit, stage: Scene) -> None:
    visit.expected.append(CUT)
    early = "addEventListener('DOMContentLoaded', () => document.getElementById('pause').click())"
    visit.page.add_init_script(early)  # before there is a picture to hold still: the first one comes
    visit.open()
    expect(visit.page.locator("#link-text")).to_have_text("paused")
    visit.row("stage").click()
    expect(visit.page.locator("#detail dl")).to_contain_text("Command")
    asked = visit.count_requests("/tree")
    os.kill(stage.web, signal.SIGKILL)
    expect(visit.page.locator("#link-text")).to_have_text("disconnected, trying again")
    expect(visit.page.locator("#link-text")).to_have_text("paused")
    expect(visit.page.locator("#banner")).not_to_be_visible()
    assert asked() == 0


def test_a_page_that_nobody_sees_asks_for_nothing(visit: Visit) -> None:
    visit.open()
    show = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    visit.page.evaluate(show, True)
    visit.page.wait_for_load_state("networkidle")  # also the stream is let go
    asked = visit.count_requests("/api/")
    visit.page.wait_for_timeout(2_600)  # longer than the longest pause between two pictures
    assert asked() == 0
    visit.page.evaluate(show, False)
    visit.wait(lambda: asked() > 2, "the page to go on")


def test_however_much_happens_the_tree_is_asked_for_once_a_second_at_most(visit: Visit, stage: Scene) -> None:
    visit.open()
    asked = visit.count_requests("/tree")
    began = time.monotonic()
    while time.monotonic() < began + 2:
        order(stage, "URG")
        visit.page.wait_for_timeout(20)
    assert 0 < asked() <= (time.monotonic() - began) / 0.9 + 1
