"""The tree: whose zombies, whose orphans, what hides and what is hostile."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene

from .visit import TIMES, Visit


def order(stage: Scene, name: str) -> None:
    """Have the stage do what it does at this signal."""
    stage.post("/api/v1/main/signal", {"signal": name})


def test_a_zombie_appears_under_its_culprit_and_vanishes(visit: Visit, stage: Scene) -> None:
    visit.open()
    culprit = visit.row("stage")
    order(stage, "USR1")
    expect(culprit.locator(".chip.culprit")).to_contain_text("1 zombie")
    order(stage, "USR1")  # not before: two of a signal at once are one
    expect(culprit.locator(".chip.culprit")).to_contain_text("2 zombies")
    zombie = visit.row("git").first
    expect(zombie).to_have_attribute("aria-level", "3")
    expect(zombie.locator(".state")).to_have_text("zombie")
    expect(visit.page.locator("#zombies")).to_have_text("2")
    expect(visit.page.locator("#culprits")).to_contain_text(re.compile(r"stage\(\d+\)\s*2 zombies"))
    expect(visit.page.locator("#culprits p")).to_contain_text("SIGCHLD")  # why it does not reap
    expect(visit.event("zombie")).not_to_have_count(0)
    order(stage, "USR2")
    expect(visit.row("git")).to_have_count(0)
    expect(culprit.locator(".chip.culprit")).to_have_count(0)
    expect(visit.page.locator("#leaks-empty")).to_contain_text("No zombies")
    expect(visit.event("gone")).not_to_have_count(0)


def test_an_orphan_shows_its_former_parent(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "HUP")
    expect(visit.row("lost")).to_have_attribute("aria-level", "4")
    worker = visit.row("worker").locator(".pid").inner_text()
    wait_for(lambda: seen(stage, "worker"), "a scan that shows both")
    order(stage, "WINCH")
    expect(visit.row("lost")).to_have_attribute("aria-level", "2")
    expect(visit.row("lost").locator(".chip.adopted")).to_have_text(f"orphan of worker({worker})")
    expect(visit.event(f"adopted, orphan of worker({worker})")).to_have_count(1)
    expect(visit.page.locator("#parents")).to_contain_text("worker")
    visit.row("lost").click()
    expect(visit.page.locator("#detail dl")).to_contain_text(re.compile(rf"Orphan of\s*worker\({worker}\)"))


def seen(stage: Scene, name: str) -> bool:
    """Whether web's own scan is younger than this process."""
    taken = stage.status()["snapshot"]["taken_at"]
    found = stage.get(f"/api/v1/processes?name={name}")["processes"]
    return bool(found) and found[0]["started_at"] < taken


@contextmanager
def entered(stage: Scene) -> Iterator[None]:
    """A process from outside in the stage's namespace, as ``docker exec`` puts one there."""
    command = ["nsenter", "-t", str(stage.init), "-p", "-m", "sleep", "1000"]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            for inside in kernel.children(process.pid):
                subprocess.run(["kill", "-9", str(inside)], check=True)


def test_what_entered_from_outside_is_a_root_of_its_own(visit: Visit, stage: Scene) -> None:
    visit.open()
    with entered(stage):
        row = visit.row("sleep")
        order(stage, "URG")  # that nobody waits for the next picture of an idle init
        expect(row).to_have_attribute("aria-level", "1")
        expect(row.locator(".chip.entered")).to_have_text("entered from outside")
    order(stage, "URG")
    expect(visit.row("sleep")).to_have_count(0)


def test_equal_siblings_are_folded_until_they_are_opened(visit: Visit) -> None:
    visit.open()
    fold = visit.row("idler")
    expect(fold).to_have_count(1)
    expect(fold).to_contain_text(f"{TIMES} 6")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(visit.row("idler")).to_have_count(7)
    visit.more_pictures(2)
    expect(visit.row("idler")).to_have_count(7)  # and stay so
    visit.row("idler").first.click()
    expect(visit.row("idler")).to_have_count(1)


def test_the_filter_shows_what_is_looked_for_and_what_is_above_it(visit: Visit) -> None:
    visit.open()
    visit.page.fill("#filter", "idl")
    expect(visit.page.locator("#rows [role=row]")).to_have_count(3)
    assert visit.names() == ["initd", "stage", "idler"]
    visit.page.fill("#filter", "1")
    expect(visit.page.locator("#rows [role=row]")).to_have_count(1)
    visit.page.fill("#filter", "stopped")
    expect(visit.page.locator("#tree-empty")).to_have_text("No process is like that.")


def test_hostile_names_are_text(visit: Visit) -> None:
    visit.open()
    row = visit.row("<img src=x>\\u{202e}")
    expect(row).to_have_count(1)
    row.click()
    command = visit.page.locator("#detail dd code").first
    expect(command).to_contain_text("<img src=x onerror=\"document.title='owned'\">")
    expect(command).to_contain_text("\\u{202e}gpj.exe \\u{1b}[31m")
    assert visit.page.locator("#content img").count() == 0
    assert "owned" not in visit.page.title()


def test_a_process_that_ends_while_it_is_shown_says_so(visit: Visit, stage: Scene) -> None:
    visit.open()
    order(stage, "HUP")
    visit.row("worker").click()
    expect(visit.page.locator("#detail")).to_contain_text("Its orphans")
    expect(visit.page.locator("#detail")).to_contain_text("would go to")
    visit.page.locator("#detail .signal").focus()
    visit.expected.append("status of 404")
    order(stage, "WINCH")
    expect(visit.page.locator("#detail .lead")).to_have_text("It has ended.")
    told = visit.page.locator("#detail dl")
    expect(told).to_contain_text("Started")
    expect(told).not_to_contain_text("State")
    expect(told).not_to_contain_text(" ago")
    expect(visit.page.locator("#detail .close")).to_be_focused()  # its button to signal is gone


def test_the_tree_is_copied_as_text(visit: Visit) -> None:
    visit.open()
    visit.page.click("#copy")
    expect(visit.toast("in the clipboard")).to_have_count(1)
    text = visit.page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"├─stage\(\d+\)", text)


def test_where_the_clipboard_is_closed_the_text_is_there_to_be_copied(visit: Visit) -> None:
    visit.page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    visit.open()
    visit.press("c")
    expect(visit.page.locator("#text-body")).to_have_value(re.compile(r"├─stage\(\d+\)"))
