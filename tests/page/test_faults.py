"""axe-core's rules, and windows that are small: nothing serious in any state of the page."""

from __future__ import annotations

from importlib import resources

import pytest
from playwright.sync_api import expect

from tests.kernel.harness import Scene

from .test_tree import order
from .visit import Visit

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
AUDIT = """axe.run({resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})
    .then(results => results.violations)"""
SERIOUS = {"serious", "critical"}
LONG = ["/usr/bin/server", *(f"--option-number-{number}=value" for number in range(60))]


def faults(visit: Visit) -> list[str]:
    visit.page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    visit.page.evaluate(AXE)
    found = visit.page.evaluate(AUDIT)
    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in SERIOUS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_in_any_state_of_the_page(visit: Visit, stage: Scene, scheme: str) -> None:
    visit.page.emulate_media(color_scheme="light" if scheme == "light" else "dark", reduced_motion="reduce")
    visit.open()
    order(stage, "USR1")
    expect(visit.row("git")).to_have_count(1)
    assert faults(visit) == []
    visit.row("stage").click()
    expect(visit.page.locator("#detail dl")).to_contain_text("Its orphans")
    assert faults(visit) == []
    visit.page.click("#detail .signal")
    assert faults(visit) == []
    visit.press("Escape", "?")
    assert faults(visit) == []
    visit.press("Escape", "Escape", "p")
    visit.page.click("#sign")  # signs out; one may still look
    visit.page.click("#sign")
    expect(visit.page.locator("#signin")).to_be_visible()
    assert faults(visit) == []
    order(stage, "USR2")


@pytest.mark.parametrize(("width", "height"), [(360, 740), (768, 740), (950, 740), (1400, 740), (950, 416)])
def test_a_small_window_has_all_of_it_and_no_sideways_scrolling(
    visit: Visit, width: int, height: int
) -> None:
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.amend_status(lambda status: status["main"].update(argv=LONG))
    visit.open()
    expect(visit.page.locator("#command")).to_contain_text(LONG[-1])
    assert visit.page.evaluate("document.getElementById('tree').clientHeight") > 150
    visit.page.focus("#live")
    expect(visit.page.locator("#probe-says")).to_contain_text("ok")
    said = visit.page.locator("#probe-says").bounding_box()
    assert said is not None
    assert said["width"] > 150
    assert said["x"] + said["width"] <= width
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    for needed in ("main-state", "ready", "pids", "zombies", "restart", "filter", "leaks", "lineage", "feed"):
        visit.page.locator(f"#{needed}").scroll_into_view_if_needed()
        box = visit.page.locator(f"#{needed}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    visit.row("stage").scroll_into_view_if_needed()
    visit.row("stage").click()
    expect(visit.page.locator("#detail .signal")).to_be_in_viewport()
    assert faults(visit) == []


def test_forced_colours_show_what_is_on(visit: Visit) -> None:
    visit.page.emulate_media(forced_colors="active")
    visit.open()
    looks = visit.page.evaluate(
        """[...document.querySelectorAll("#feed-groups .chip")].map(chip =>
            [chip.ariaPressed, getComputedStyle(chip).backgroundColor])"""
    )
    assert len({ground for _, ground in looks}) == len({tuple(look) for look in looks}) == 2
    visit.page.emulate_media(forced_colors="none")


def test_without_scripts_it_says_where_the_data_is(visit: Visit) -> None:
    text = visit.page.request.get(visit.address).text()
    noscript = text[text.index("<noscript>") : text.index("</noscript>")]
    assert "This page needs scripts" in noscript
    for path in ("/livez", "/readyz", "/metrics", "/api/v1/status", "/api/v1/tree", "/api/v1/zombies"):
        assert path in noscript
