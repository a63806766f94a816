"""`rollcall demo` as a process, and what a person does in its page."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.bot.cli.test_cli import CLEAN

ROOT = Path(__file__).parents[2]
ALICE, BOB, ERIN, CAROL, DAVE = "Alice Archer", "Bob Baker", "Erin Ellis", "Carol Cole", "Dave Dale"
PATIENCE_MS = 30_000
"""How long a test waits for one thing to appear."""
LONG_MS = 90_000
"""How long a request for many people, or one that Rollcall tries again, takes at the demo's pace."""


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run the demo on free ports. Yield the address of its page."""
    process = subprocess.Popen(
        (sys.executable, "-m", "bot", "demo", "--port", "0"),
        cwd=folder,
        env={**CLEAN, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        printed = next((line for line in process.stdout if "http://" in line), "")
        address = re.search(r"http://127\.0\.0\.1:\d+", printed)
        assert address is not None, process.communicate()[1]
        yield address[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def become(page: Page, name: str) -> None:
    """Use the page as another person."""
    switcher = page.get_by_label("You are")
    person = switcher.locator("option", has_text=name).get_attribute("value")
    assert person is not None
    switcher.select_option(value=person)


def send(page: Page, text: str) -> None:
    """Type a message or a command into the channel, and send it."""
    page.locator("#composer-text").fill(text)
    page.keyboard.press("Enter")


def open_thread(page: Page) -> Locator:
    """Open the thread of the newest request in the channel when it has replies. Return the thread."""
    newest_request(page).locator(".replies").click(timeout=LONG_MS)
    thread = page.locator("#thread")
    expect(thread.get_by_role("heading", name="Thread")).to_be_focused()
    return thread


def button(place: Page | Locator, label: str) -> Locator:
    """Return the newest button with this visible label."""
    return place.locator("button", has_text=re.compile(f"^{re.escape(label)}$")).last


def newest_request(page: Page) -> Locator:
    """Return the newest request in the channel."""
    return page.locator("#conversation .message:not(.ephemeral)", has_text="requested by").last


def tool(page: Page, name: str) -> Locator:
    """Open a tab of the simulators. Return its panel."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel")


def card(page: Page, provider: str) -> Locator:
    """Return the card of a provider."""
    return tool(page, "Providers").locator(".card", has=page.get_by_role("heading", name=provider, exact=True))


def set_fault(page: Page, provider: str, fault: str, how_often: str) -> None:
    """Switch a fault of a provider on."""
    place = card(page, provider)
    place.get_by_text("Account and faults").click()
    place.get_by_label("Fault", exact=True).select_option(label=fault)
    place.get_by_label("How often").select_option(label=how_often)
    button(place, "Set fault").click()
    expect(place.get_by_text(f"⚠️ {fault}")).to_be_visible()


def violations(page: Page, axe: str) -> list[str]:
    """Check the page with axe. Return what violates its rules."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("() => axe.run()")
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
