"""Orders: they ask first, they are carried out, and whoever may not give them is told why."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.kernel.harness import Scene

from .test_tree import order
from .visit import DASH, READ, REFUSED, Visit


def test_a_restart_asks_first_and_is_done(visit: Visit, stage: Scene) -> None:
    visit.open()
    before = stage.status()["main"]
    visit.page.click("#restart")
    expect(visit.page.locator("#ask")).to_contain_text("stopped, by its stop signal")
    visit.page.click("#ask-yes")
    expect(visit.toast("Restart main: done")).to_have_count(1)
    after = stage.status()["main"]
    assert after["restarts"] == before["restarts"] + 1
    assert after["pid"] != before["pid"]
    expect(visit.page.locator("#main-note")).to_contain_text(f"{after['restarts']} restart")
    expect(visit.event(re.compile(r"stage\(\d+\) exited, signal TERM")).first).to_be_visible()


@pytest.mark.parametrize("leave", ["Escape", "Cancel"])
def test_whoever_does_not_say_yes_orders_nothing(visit: Visit, stage: Scene, leave: str) -> None:
    visit.open()
    posted = visit.count_requests("/main/")
    before = stage.status()["main"]["pid"]
    visit.page.click("#restart")
    visit.press("Escape") if leave == "Escape" else visit.page.click("#ask >> text=Cancel")
    expect(visit.page.locator("#ask")).not_to_be_visible()
    assert posted() == 0
    assert stage.status()["main"]["pid"] == before


def test_a_signal_goes_to_the_process_that_was_chosen(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "HUP")
    visit.row("lost").click()
    visit.page.click("#detail .signal")
    expect(visit.page.locator("#ask-title")).to_have_text(re.compile(r"Signal lost\(\d+\)"))
    visit.page.select_option("#ask-signal", "KILL")
    visit.expected.append("status of 404")  # its detail is asked for once more
    visit.page.click("#ask-yes")
    expect(visit.toast(re.compile(r"KILL sent to lost\(\d+\)"))).to_have_count(1)
    expect(visit.event(re.compile(r"KILL sent to lost\(\d+\) by control from "))).to_have_count(1)
    expect(visit.row("lost").locator(".state")).to_have_text("zombie")
    order(stage, "WINCH")


def test_a_pid_that_is_another_process_by_now_gets_nothing(visit: Visit) -> None:
    visit.open()
    problem = {"code": "reused_pid", "status": 409, "detail": "cannot find the process"}
    body, kind = json.dumps(problem), "application/problem+json"

    def refuse(route: Route) -> None:
        assert re.search(r"/processes/\d+-\d+/signal$", route.request.url)  # never a bare pid
        route.fulfill(status=409, content_type=kind, body=body)

    visit.page.route("**/signal", refuse)
    visit.expected.append("status of 409")
    visit.row("idler").click()
    visit.row("idler").nth(1).click()
    visit.page.click("#detail .signal")
    visit.page.click("#ask-yes")
    expect(visit.toast("Nothing was sent: that process has ended")).to_have_count(1)


def test_main_gets_any_signal_there_is(visit: Visit, stage: Scene) -> None:
    visit.open()
    visit.page.click("#signal-main")
    offered = visit.page.locator("#ask-signal option").all_inner_texts()
    assert {"TERM", "KILL", "STOP", "USR1", "WINCH", "SYS", "RTMIN", "RTMIN+30"} <= set(offered)
    visit.page.select_option("#ask-signal", "URG")
    visit.page.click("#ask-yes")
    expect(visit.toast("URG sent to stage")).to_have_count(1)
    assert stage.events("signal.sent")[-1]["signal"] == "URG"


def test_a_nudge_says_whether_it_helped(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "USR1")
    visit.page.click("#culprits >> text=Nudge")
    expect(visit.toast("got SIGCHLD and still has 1 zombie")).to_have_class("toast warn")
    assert stage.events("signal.sent")[-1]["signal"] == "CHLD"
    order(stage, "USR2")


def test_notes_do_not_pile_up_nor_stand_in_the_way(visit: Visit) -> None:
    visit.open()
    notes = [f"note {number}" for number in range(6)]
    tell = "notes => import('/static/actions.js').then(({tell}) => notes.forEach(note => tell(note)))"
    visit.page.evaluate(tell, notes)
    assert visit.page.locator(".toast").all_inner_texts() == notes[-4:]
    assert visit.page.evaluate("getComputedStyle(document.querySelector('.toast')).pointerEvents") == "none"
    visit.page.route("**/main/restart?*", lambda route: route.fulfill(json={"state": "failed"}))
    visit.page.click("#restart")
    visit.page.click("#ask-yes")
    expect(visit.toast("Restart main: failed")).to_have_class("toast warn")


def test_main_is_stopped_and_started_from_the_menu(visit: Visit) -> None:
    visit.open()
    for action, state in (("stop", "stopped"), ("start", "running")):
        visit.page.click("#more")
        visit.page.click(f"#{action}")
        visit.page.click("#ask-yes")
        expect(visit.page.locator("#main-state")).to_have_text(state)


@pytest.mark.parametrize("token", [None, READ])
def test_whoever_may_only_look_is_told_why_and_orders_nothing(visit: Visit, token: str | None) -> None:
    visit.amend_status(lambda status: status.update(caller={"role": "read", "known": token is not None}))
    visit.open(token)
    posted = visit.count_requests("/main/")
    restart = visit.page.locator("#restart")
    expect(restart).to_have_attribute("aria-disabled", "true")
    expect(restart).to_have_attribute("title", re.compile("Read only"))
    expect(visit.page.locator("#why-not")).to_contain_text("This needs a token of role control")
    restart.click(force=True)  # as a person would try it all the same
    expect(visit.toast("Read only")).to_have_count(1)
    expect(visit.page.locator("#ask")).not_to_be_visible()
    visit.row("stage").click()
    expect(visit.page.locator("#detail .signal")).to_have_attribute("aria-disabled", "true")
    assert posted() == 0


@pytest.mark.parametrize("token", [None, READ])
def test_a_role_that_is_not_said_is_learned_from_the_first_refusal(
    visit: Visit, stage: Scene, token: str | None
) -> None:
    visit.amend_status(lambda status: status.pop("caller", None))
    visit.expected.append(REFUSED)
    visit.open(token)
    before = stage.status()["main"]["pid"]
    visit.page.click("#restart")
    visit.page.click("#ask-yes")
    expect(visit.toast("Read only")).to_have_count(1)
    expect(visit.page.locator("#restart")).to_have_attribute("aria-disabled", "true")
    expect(visit.page.locator("#why-not")).to_contain_text("This needs a token of role control")
    assert stage.status()["main"]["pid"] == before


def test_the_header_says_what_the_status_says(visit: Visit) -> None:
    """What a small scene does not have is put into its answer on the way."""

    def fuller(status: dict[str, Any]) -> None:
        status["pids"] = {"current": 812, "max": 1024, "growth_per_minute": 42.4, "minutes_until_full": 5}
        status["main"]["checks"] = [{"name": "ready-http", "passing": False, "why": "503", "failures": 3}]
        status["main"] |= {"hook": "pre-start", "status_text": "migrating"}
        status |= {"ready": False, "draining": True}

    visit.amend_status(fuller)
    visit.open()
    expect(visit.page.locator("#pids")).to_have_text("812 / 1,024")
    expect(visit.page.locator("#pids-note")).to_have_text("full in 5m · +42/min")
    assert round(visit.page.evaluate("document.getElementById('pids-bar').value"), 2) == 0.79
    expect(visit.page.locator("#health-note")).to_have_text("draining · ready-http fails")
    expect(visit.page.locator("#main-note")).to_contain_text("pre-start is running · “migrating”")
    expect(visit.page.locator("#ready")).to_have_text("not ready")
    visit.page.hover("#ready")
    expect(visit.page.locator("#probe-says")).to_contain_text("[+]main ok")  # the probe's own words


def test_an_observer_has_no_main_to_give_orders_to(visit: Visit) -> None:
    def observe(status: dict[str, Any]) -> None:
        status["init"]["role"] = "observer"
        status["main"] |= {"state": "stopped", "argv": [], "pid": None, "id": None, "started_at": None}

    visit.amend_status(observe)
    visit.open()
    expect(visit.page.locator("#main-state")).to_have_text("observing")
    expect(visit.page.locator("#restart")).to_have_attribute("aria-disabled", "true")
    expect(visit.page.locator("#why-not")).to_contain_text("there is no main")
    visit.page.click("#restart", force=True)
    expect(visit.page.locator("#ask")).not_to_be_visible()


def test_what_the_init_cannot_tell_is_a_dash(visit: Visit) -> None:
    """An older init, or a /proc that hides: fields are null or not there."""

    def poorer(status: dict[str, Any]) -> None:
        status |= {"processes": None, "zombies": None, "pids": {"current": None, "max": None}, "room": None}
        for field in ("checks", "hook", "status_text"):
            status["main"].pop(field, None)

    visit.amend_status(poorer)
    visit.open()
    expect(visit.page.locator("#pids")).to_have_text(f"{DASH} / no limit")
    expect(visit.page.locator("#zombies")).to_have_text(DASH)
    expect(visit.page.locator("#memory")).to_have_text(f"{DASH} / no limit")
    expect(visit.row("stage")).to_have_count(1)
