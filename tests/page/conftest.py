"""One browser and one initd for all tests of the page; each test has a tab, and no error in its console."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.kernel.harness import PYTHON, Scene, scene

from .visit import CONTROL, PATIENCE_MS, READ, Visit

PROGRAMS = Path(__file__).with_name("programs")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
    "--js-flags=--expose-gc",
    "--enable-precise-memory-info",
]


def program(name: str, *arguments: object) -> tuple[str, ...]:
    """The command line of one of our programs."""
    return (*PYTHON, str(PROGRAMS / name), *map(str, arguments))


def tokens(home: Path, **roles: str) -> tuple[str, str]:
    """The options for these tokens, by role."""
    path = home / "tokens"
    path.write_text("".join(f"{role} {token}\n" for role, token in roles.items()))
    path.chmod(0o600)
    return ("--tokens", str(path))


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Debian's Chromium. It must end with these tests: its event loop keeps asyncio.run from working."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=shutil.which("chromium"),
            headless=True,
            args=FLAGS,
            viewport={"width": 1400, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE_MS)
        yield context
        context.close()


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """initd as PID 1 around stage.py. Without a token one may look; main comes again when it ends."""
    options = tokens(tmp_path_factory.mktemp("tokens"), control=CONTROL, read=READ)
    more = ("--anonymous", "read", "--restart", "always")
    with scene(*program("stage.py"), options=(*options, *more), listen="127.0.0.1:0") as made:
        made.ready()
        yield made


@pytest.fixture
def visit(browser: BrowserContext, stage: Scene) -> Iterator[Visit]:
    """A tab for the stage; the test opens the page in it."""
    yield from visiting(browser, stage.port)


def visiting(browser: BrowserContext, port: int) -> Iterator[Visit]:
    """A tab, and at its end the assertion that nothing went wrong in it unseen."""
    page = browser.new_page()
    made = Visit(page, port)
    yield made
    page.close()
    assert made.surprises == []
