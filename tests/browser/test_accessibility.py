"""The page on a wide and a narrow screen, light and dark: axe finds nothing, and nothing is wider than the screen."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import button, newest_request, send, violations

SIZES = (1280, 375)
THEMES = ("light", "dark")
Picture = Callable[[Page, str], None]


class Inspection:
    """Looks at one surface after the other, in every size and theme."""

    def __init__(self, page: Page, axe: str, picture: Picture) -> None:
        self.found: list[str] = []
        self._page = page
        self._axe = axe
        self._picture = picture

    def look(self, name: str) -> None:
        for width in SIZES:
            self._page.set_viewport_size({"width": width, "height": 800})
            for theme in THEMES:
                self._page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                self._picture(self._page, f"{width}-{theme}-{name}")
                self.found += [f"{name}, {width}, {theme}: {each}" for each in violations(self._page, self._axe)]
            if self._page.evaluate("document.documentElement.scrollWidth") > width:
                self.found.append(f"{name} is wider than {width}")

    @contextmanager
    def pane(self, name: str) -> Iterator[None]:
        """Show a pane, which a narrow screen shows alone."""
        self._page.locator("#panes").get_by_role("button", name=name).click()
        yield
        self._page.locator("#panes").get_by_role("button", name="Messages").click()


@pytest.mark.timeout(180)
def test_axe_finds_nothing_on_any_surface(page: Page, axe: str, picture: Picture) -> None:
    inspection = Inspection(page, axe, picture)
    inspection.look("empty")
    send(page, "/wa-add wuts-team +1 415 555 0101, +1 415 555 0104 reason: launch party")
    expect(newest_request(page)).to_contain_text("Waiting for approval")
    page.locator("#composer-text").fill("/wa-s")
    inspection.look("commands")
    page.locator("#composer-text").fill("")
    newest_request(page).get_by_label("More actions").click()
    inspection.look("menu")
    newest_request(page).locator(".replies").click()
    button(page.locator("#thread"), "Withdraw").wait_for()
    inspection.look("thread")
    page.get_by_label("Close thread").click()
    send(page, "/wa-add")
    dialog = page.get_by_role("dialog")
    button(dialog, "Preview").click()
    expect(dialog).to_contain_text("Please complete this required field.")
    dialog.get_by_label("Group").click()
    dialog.get_by_role("option", name=re.compile("^wasend-team")).wait_for()
    inspection.look("form")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with inspection.pane("Channels"):
        inspection.look("channels")
    with inspection.pane("Channels"):
        page.get_by_role("button", name="Rollcall", exact=True).click()
    button(page, "Home").click()
    expect(page.locator(".home")).to_contain_text("wasend-team")
    inspection.look("home")
    with inspection.pane("Simulators"):
        page.get_by_text("wuts-team · 1 member").click()
        page.locator("#tools").get_by_text("Account and faults").first.click()
        inspection.look("providers")
        page.get_by_role("tab", name="People").click()
        inspection.look("people")
        page.get_by_role("tab", name="Traffic").click()
        page.locator(".traffic summary").first.click()
        page.locator(".traffic pre").first.wait_for()
        inspection.look("traffic")
    assert inspection.found == []
