"""Everything by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.kernel.harness import Scene

from .test_tree import order
from .visit import Visit


def test_the_tree_is_walked_opened_and_closed(visit: Visit) -> None:
    visit.open()
    visit.page.locator("#rows [tabindex='0']").focus()
    assert visit.active() == "initd"
    visit.press("ArrowDown")
    assert visit.active() == "stage"
    visit.press("ArrowLeft")  # closes
    expect(visit.row("stage")).to_have_attribute("aria-expanded", "false")
    expect(visit.row("idler")).to_have_count(0)
    visit.press("ArrowRight")  # opens
    visit.press("ArrowRight")  # to the first child
    assert visit.active() == "idler"
    visit.press("ArrowRight", "ArrowDown", "ArrowDown")
    assert visit.active() == "idler"
    visit.press("ArrowLeft", "ArrowLeft")  # to the fold, which closes; then to its parent
    visit.press("ArrowLeft")
    assert visit.active() == "stage"
    visit.press("End")
    assert visit.active() == visit.names()[-1]
    visit.press("Home")
    assert visit.active() == "initd"


def test_one_row_is_the_way_in_and_stays_so_over_a_refresh(visit: Visit, stage: Scene) -> None:
    visit.open()
    visit.page.locator("#rows [tabindex='0']").focus()
    visit.press("ArrowDown")
    order(stage, "USR1")
    expect(visit.row("git")).to_have_count(1)
    assert visit.active() == "stage"
    assert visit.page.locator("#rows [tabindex='0']").count() == 1
    order(stage, "USR2")


def test_a_signal_is_sent_without_a_mouse(visit: Visit, stage: Scene) -> None:
    visit.open()
    visit.press("/")
    visit.page.keyboard.type("stage")
    visit.press("ArrowDown", "ArrowDown", "Enter")
    expect(visit.page.locator("#detail-title")).to_have_text(re.compile(r"stage\(\d+\)"))
    visit.page.locator("#detail .signal").press("Enter")
    expect(visit.page.locator("#ask")).to_be_visible()
    visit.page.locator("#ask-signal").press("U")  # a select takes the first letters
    expect(visit.page.locator("#ask-signal")).to_have_value("USR1")
    visit.page.locator("#ask-yes").press("Enter")
    expect(visit.toast(re.compile(r"USR1 sent to stage\(\d+\)"))).to_have_count(1)
    visit.press("Escape")  # closes the detail
    expect(visit.page.locator("#detail")).not_to_be_visible()
    visit.press("Escape")  # and clears the filter
    expect(visit.page.locator("#filter")).to_have_value("")
    order(stage, "USR2")


def test_single_keys_do_what_the_help_says(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "USR1")
    expect(visit.row("git")).to_have_count(1)
    visit.press("z")
    expect(visit.page.locator("#only-zombies")).to_have_attribute("aria-pressed", "true")
    assert visit.names() == ["initd", "stage", "git"]
    visit.page.locator("#rows [tabindex='0']").focus()
    visit.press("Home", "ArrowDown", "n")
    expect(visit.toast("got SIGCHLD")).to_have_count(1)
    visit.press("z")
    expect(visit.row("idler")).to_have_count(1)
    visit.press("?")
    expect(visit.page.locator("#help")).to_be_visible()
    visit.press("z", "Escape")  # no key reaches the page through a dialog
    expect(visit.page.locator("#only-zombies")).to_have_attribute("aria-pressed", "false")
    order(stage, "USR2")


def test_the_theme_is_turned_and_remembered(visit: Visit) -> None:
    visit.page.emulate_media(color_scheme="light")
    visit.open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = visit.page.evaluate(ground)
    visit.press("t")
    assert visit.page.evaluate(ground) != light
    visit.page.reload()
    visit.until("document.documentElement.dataset.theme === 'dark'", "the choice of before")
    visit.page.evaluate("localStorage.clear()")  # the tests share a browser


def test_every_button_has_a_name_and_is_reached(visit: Visit) -> None:
    visit.open()
    reached = set()
    for _ in range(40):
        visit.press("Tab")
        reached.add(visit.page.evaluate("document.activeElement.id"))
    wanted = {"pause", "theme", "help-open", "sign", "ready", "live", "restart", "signal-main", "more"}
    assert wanted | {"filter", "only-zombies", "unfold", "copy"} <= reached
