"""Who may look: signing in, tokens that are withdrawn, and what is left to those who may nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.kernel.client import free_port
from tests.kernel.harness import Scene, scene

from .conftest import program, tokens, visiting
from .visit import CONTROL, CUT, REFUSED, Visit

METRICS = "metrics-metrics-metrics"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An init that shows nothing to strangers."""
    options = tokens(tmp_path_factory.mktemp("closed"), control=CONTROL, metrics=METRICS)
    with scene(*program("stage.py"), options=options, listen="127.0.0.1:0") as made:
        made.ready()
        yield made


@pytest.fixture
def stranger(browser: BrowserContext, closed: Scene) -> Iterator[Visit]:
    for made in visiting(browser, closed.port):
        made.expected.append(REFUSED)
        yield made


def sign_in(visit: Visit, token: str) -> None:
    visit.page.fill("#token", token)
    visit.press("Enter")


def test_a_stranger_sees_the_probes_and_may_sign_in(stranger: Visit) -> None:
    stranger.page.goto(stranger.address)
    expect(stranger.page.locator("#signin")).to_be_visible()
    expect(stranger.page.locator("#probes")).to_have_text("live, ready")
    expect(stranger.page.locator("#content")).not_to_be_visible()
    sign_in(stranger, CONTROL)
    expect(stranger.row("stage")).to_have_count(1)
    expect(stranger.page.locator("#signin")).not_to_be_visible()


def test_a_token_in_the_address_is_used_and_taken_out_of_it(stranger: Visit) -> None:
    stranger.open(CONTROL)
    assert stranger.page.url == stranger.address
    assert CONTROL not in stranger.page.evaluate("JSON.stringify(history.state) + location.href")
    stranger.page.reload()  # and the tab remembers it
    expect(stranger.row("stage")).to_have_count(1)
    assert stranger.complaints == []


def test_a_wrong_token_is_refused_in_the_words_of_the_init(stranger: Visit) -> None:
    stranger.page.goto(stranger.address)
    sign_in(stranger, "wrong-wrong-wrong-wrong")
    expect(stranger.page.locator("#signin-why")).to_contain_text("cannot accept this token")
    sign_in(stranger, METRICS)
    expect(stranger.page.locator("#signin-why")).to_contain_text("it needs read")
    sign_in(stranger, CONTROL)
    expect(stranger.row("stage")).to_have_count(1)


def test_what_cannot_be_a_token_is_refused_at_once_and_not_kept(stranger: Visit) -> None:
    stranger.page.goto(stranger.address)
    why = stranger.page.locator("#signin-why")
    kept = "sessionStorage.getItem('initd.token')"
    sign_in(stranger, "p\N{LATIN SMALL LETTER A WITH DIAERESIS}ssword")
    expect(why).to_contain_text("This is no token")
    stranger.page.evaluate("location.hash = 'token=two%0Alines'")
    expect(why).to_contain_text("This is no token")
    assert stranger.page.evaluate(kept) is None
    stranger.page.evaluate("sessionStorage.setItem('initd.token', 'two\\nlines')")  # by an earlier page
    for address in (stranger.address, f"{stranger.address}#token=a%20b"):
        stranger.page.goto("about:blank")
        stranger.page.goto(address)
        expect(why).to_contain_text("This is no token")
        expect(stranger.page.locator("#link-text")).to_have_text("no access")
        assert stranger.page.evaluate(kept) is None
    late = "import('/static/access.js').then(({admitted, access}) => (admitted(null), access.denied))"
    assert stranger.page.evaluate(late)  # an answer to who we were before
    stranger.page.click("#signin-without")
    expect(why).to_contain_text("To look you need a token")
    sign_in(stranger, "with+plus")
    assert stranger.page.evaluate(kept) == "with+plus"
    stranger.page.evaluate("location.hash = 'token=a+plus'")
    stranger.until(f"{kept} === 'a+plus'", "the plus to be kept")
    sign_in(stranger, CONTROL)
    expect(stranger.row("stage")).to_have_count(1)


def test_signing_out_forgets_the_token(stranger: Visit) -> None:
    stranger.open(CONTROL)
    stranger.page.click("#sign")
    expect(stranger.page.locator("#signin")).to_be_visible()
    assert stranger.page.evaluate("sessionStorage.length") == 0


def test_a_token_that_expires_is_explained_and_asked_for_again(
    browser: BrowserContext, tmp_path: Path
) -> None:
    """The init comes back with other tokens, as after a deployment that rotated them."""
    place = f"127.0.0.1:{free_port()}"
    with scene(*program("stage.py"), options=tokens(tmp_path, control=CONTROL), listen=place) as before:
        before.ready()
        visits = visiting(browser, before.port)
        visit = next(visits)
        visit.expected += [REFUSED, CUT]
        visit.open(CONTROL)
        visit.page.fill("#filter", "stage")
    rotated = tokens(tmp_path, control=CONTROL[::-1])
    with scene(*program("stage.py"), options=rotated, listen=place) as after:
        after.ready()
        expect(visit.page.locator("#signin-why")).to_contain_text("It was good until now")
        sign_in(visit, CONTROL[::-1])
        expect(visit.row("stage")).to_have_count(1)
        expect(visit.page.locator("#filter")).to_have_value("stage")  # nothing of ours is lost
        started = visit.event(re.compile(r"^\S+python\(\d+\) started$"))
        expect(started).to_have_count(1)  # nor is the history of the one before taken for its own
        assert next(visits, None) is None
