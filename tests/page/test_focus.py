"""Where the keyboard is: never nowhere, whatever ends, closes or is drawn anew."""

from __future__ import annotations

import itertools
import re
from typing import Any

from playwright.sync_api import Route, expect

from tests.kernel.harness import Scene

from .test_tree import order
from .visit import Visit

IN_ROWS = "document.getElementById('rows').contains(document.activeElement)"


def focused(visit: Visit, selector: str) -> None:
    """Wait until the keyboard is on it."""
    expect(visit.page.locator(selector).first).to_be_focused()


def test_what_is_drawn_anew_keeps_the_keyboard(visit: Visit) -> None:
    """Every picture brings other numbers of the same culprit and the same former parent."""
    visit.open()
    node = visit.page.evaluate(
        "import('/static/picture.js').then(({picture: {nodes}}) => [...nodes.values()]"
        ".map(({id, pid, name}) => ({id, pid, name})).find(({name}) => name === 'stage'))"
    )
    numbers = itertools.count(2)

    def zombies(route: Route) -> None:
        culprit = {"process": node, "count": next(numbers), "names": ["git"], "why": None, "oldest_at": None}
        route.fulfill(json={"total": 1, "culprits": [culprit]})

    def lineage(route: Route) -> None:
        lives = {"orphans": next(numbers), "alive": 1, "median_lifetime_seconds": 1.5}
        parent = {"name": "worker", "cmdline": "worker --go", "last": node, "parents": next(numbers)} | lives
        route.fulfill(json={"former_parents": [parent], "unknown": lives, "subreapers": []})

    def some(status: dict[str, Any]) -> None:
        status["zombies"] = status["adopted"]["alive"] = 1

    visit.page.route("**/api/v1/zombies", zombies)
    visit.page.route("**/api/v1/lineage", lineage)
    visit.amend_status(some)
    for kept in ("#culprits .small", "#culprits .plain", "#parents .plain", ".chip.nudge"):
        visit.page.locator(kept).focus()
        before = visit.page.locator("#culprits").inner_text() + visit.page.locator("#parents").inner_text()
        visit.more_pictures(2)
        after = visit.page.locator("#culprits").inner_text() + visit.page.locator("#parents").inner_text()
        assert before != after
        focused(visit, kept)
    assert re.search(r"worker \S \d+", visit.page.locator("#parents").inner_text())
    visit.page.locator("#culprits .plain").press("Enter")  # the detail takes the place of the list
    focused(visit, "#detail .close")
    visit.press("Enter")
    expect(visit.page.locator("#detail")).not_to_be_visible()
    assert visit.page.evaluate(IN_ROWS)


def test_the_menu_closes_before_anything_else_and_dialogs_lead_back_to_it(visit: Visit) -> None:
    visit.open()
    visit.page.fill("#filter", "stage")
    visit.page.locator("#more").press("Enter")
    visit.press("Tab", "Escape")
    expect(visit.page.locator("#menu")).not_to_be_visible()
    focused(visit, "#more")
    expect(visit.page.locator("#filter")).to_have_value("stage")
    for leave in ("Escape", "Enter"):  # on Cancel
        visit.press("Enter")
        visit.page.locator("#drain").press("Enter")
        expect(visit.page.locator("#ask")).to_be_visible()
        visit.press(leave)
        expect(visit.page.locator("#ask")).not_to_be_visible()
        focused(visit, "#more")


def test_a_row_that_ends_leaves_the_keyboard_in_the_tree(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "USR1")
    expect(visit.row("git")).to_have_count(1)
    visit.page.fill("#filter", "g")
    visit.page.locator("#filter").press("ArrowDown")
    visit.press("End")
    assert visit.active() == "git"
    order(stage, "USR2")
    expect(visit.row("git")).to_have_count(0)
    assert visit.page.evaluate(IN_ROWS)
    assert visit.active() == visit.names()[-1]


def test_a_process_that_ends_under_its_dialog_leaves_the_keyboard_in_the_tree(
    visit: Visit, stage: Scene
) -> None:
    visit.open()
    order(stage, "USR1")
    visit.row("git").click()
    visit.page.locator("#detail .signal").press("Enter")
    visit.expected.append("status of 404")
    order(stage, "USR2")
    expect(visit.page.locator("#detail .lead")).to_have_text("It has ended.")
    visit.press("Escape")
    expect(visit.page.locator("#ask")).not_to_be_visible()
    assert visit.page.evaluate(IN_ROWS)
