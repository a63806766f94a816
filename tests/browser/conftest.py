"""A browser, and the demo that it shows."""

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.browser.demo import PATIENCE_MS, demo

expect.set_options(timeout=PATIENCE_MS)
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PICTURES = "ROLLCALL_PICTURES"
"""The variable that names a folder for the pictures."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as the system has it: no browser is downloaded.

    Playwright's event loop runs until the end of the module. Tests that need a loop of their own run in other modules.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "Chromium is not installed: no chromium on the PATH (Debian: apt-get install chromium)"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def address(browser: Browser, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001 - no demo is started without a browser
    """The address of a demo."""
    with demo(tmp_path) as served:
        yield served


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page at 1280 px. At the end it must have logged no error, and loaded nothing from elsewhere."""
    problems: list[str] = []

    def note_request(request: Request) -> None:
        if not request.url.startswith((address, "data:")):
            problems.append(request.url)

    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", note_request)
    opened.goto(address)
    opened.locator("#composer-text").wait_for()
    yield opened
    context.close()
    assert problems == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Page, str], None]:
    """Take a picture of the page; ROLLCALL_PICTURES keeps them in a folder."""
    folder = Path(os.environ.get(_PICTURES, tmp_path))

    def take(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    return take
