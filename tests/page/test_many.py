"""2,000 processes: only what is in sight is in the document, and looking for long costs no memory.

Frames and times are printed, not asserted: they are the machine's as much as ours.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.kernel.harness import Scene, scene

from .conftest import program, visiting
from .visit import TIMES, Visit

MANY = 2_000
ROWS = MANY + 20 + 3 + 1  # all of them, their folds, main, the init and web, and the head of the columns
ELEMENTS = 2_500  # in the whole document: a screen of rows, the feed and the rest
LEAK = 4 << 20  # bytes of heap that twenty pictures may cost for good: one picture alone is 2 MB

SCROLL = """async () => {
    const tree = document.getElementById("tree");
    const frames = [];
    const most = {elements: 0};
    let before = performance.now();
    for (let step = 0; step < 120; step += 1) {
        tree.scrollTop = (step / 119) * (tree.scrollHeight - tree.clientHeight);
        await new Promise(requestAnimationFrame);
        frames.push(performance.now() - before);
        before = performance.now();
        most.elements = Math.max(most.elements, document.getElementsByTagName("*").length);
    }
    frames.sort((a, b) => a - b);
    return {median: frames[60], worst: frames.at(-1), elements: most.elements};
}"""
# The pid and place of the first row below the column heads.
TOPMOST = """async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    const head = document.querySelector("#tree .columns").getBoundingClientRect().bottom;
    const rows = [...document.querySelectorAll("#rows [role=row]")];
    const first = rows.find(row => row.getBoundingClientRect().bottom > head);
    return [first.querySelector(".pid").textContent, first.getBoundingClientRect().top - head];
}"""
HEAP = """async () => {
    for (let i = 0; i < 3; i += 1) {
        gc();
        await new Promise(setTimeout);
    }
    return performance.memory.usedJSHeapSize;
}"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[Scene]:
    """2,000 children of main."""
    with scene(*program("many.py", MANY), options=("--anonymous", "read"), listen="127.0.0.1:0") as made:
        made.ready()
        yield made


@pytest.fixture
def visit(browser: BrowserContext, crowd: Scene) -> Iterator[Visit]:
    yield from visiting(browser, crowd.port)


def test_two_thousand_rows_are_a_screenful_of_elements(visit: Visit) -> None:
    visit.open(None)
    expect(visit.row("worker-0")).to_contain_text(f"{TIMES} 100")
    visit.page.click("#unfold")
    expect(visit.page.locator("#tree")).to_have_attribute("aria-rowcount", str(ROWS))
    seen = visit.page.evaluate(SCROLL)
    frames = f"{seen['median']:.1f} ms a frame, worst {seen['worst']:.1f} ms"
    print(f"\n2,000 rows: {seen['elements']} elements, {frames}")
    assert seen["elements"] < ELEMENTS
    assert visit.names()[-1] == "initd-web"  # scrolled to the end
    expect(visit.page.locator("#rows [role=row]").last).to_have_attribute("aria-rowindex", str(ROWS))


def test_what_is_looked_at_stays_where_it_is_when_rows_above_it_go(visit: Visit, crowd: Scene) -> None:
    visit.open(None)
    visit.page.click("#unfold")
    visit.page.evaluate("document.getElementById('tree').scrollTop = 20_000")
    before = visit.page.evaluate(TOPMOST)
    for victim in crowd.get("/api/v1/processes?name=worker-0")["processes"][:6]:
        crowd.post(f"/api/v1/processes/{victim['id']}/signal", {"signal": "KILL"})
    expect(visit.page.locator("#zombies")).to_have_text("6")  # one fold of them, which is closed
    expect(visit.page.locator("#tree")).to_have_attribute("aria-rowcount", str(ROWS - 6 + 1))
    assert visit.page.evaluate(TOPMOST) == before


def test_looking_for_long_costs_no_memory(visit: Visit) -> None:
    visit.open(None)
    visit.page.click("#unfold")
    visit.more_pictures(4)
    before = visit.page.evaluate(HEAP)
    visit.more_pictures(20)
    after = visit.page.evaluate(HEAP)
    print(f"\n2,000 rows: heap {before / 1e6:.1f} MB, after 20 more pictures {after / 1e6:.1f} MB")
    assert after - before < LEAK
