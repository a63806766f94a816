"""What people do in the workspace, from the empty page to the end of their request."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import (
    ALICE,
    BOB,
    LONG_MS,
    become,
    button,
    card,
    newest_request,
    open_thread,
    send,
    set_fault,
    tool,
)

Picture = Callable[[Page, str], None]
pytestmark = pytest.mark.timeout(150)


def test_a_first_request_is_approved_and_finished(page: Page, picture: Picture) -> None:
    picture(page, "empty")
    page.get_by_role("button", name="/wa-add wuts-team").click()
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.press("Enter")
    expect(newest_request(page)).to_contain_text("Waiting for approval")
    become(page, BOB)
    thread = open_thread(page)
    picture(page, "approval")
    button(thread, "Approve").click()
    expect(thread).to_contain_text("1 added")
    expect(newest_request(page)).to_contain_text("Done:")
    wuts = card(page, "WUTS")
    wuts.get_by_text("wuts-team").click()
    expect(wuts.get_by_text("+14155550101")).to_be_visible()
    picture(page, "finished")


def test_a_failure_is_retried(page: Page, picture: Picture) -> None:
    wasend = card(page, "Wasend")
    wasend.get_by_text("wasend-team").click()
    wasend.get_by_label("The account is an admin").uncheck()
    send(page, "/wa-add wasend-team +1 415 555 0101")
    thread = open_thread(page)
    expect(button(thread, "Retry failed")).to_be_visible()
    picture(page, "failed")
    wasend.get_by_label("The account is an admin").check()
    button(thread, "Retry failed").click()
    expect(newest_request(page)).to_contain_text("1 added")
    expect(wasend).to_contain_text("wasend-team · 2 members")


def test_a_lost_answer_is_found_out(page: Page) -> None:
    set_fault(page, "Wasend", "Lost answers (done, but not answered)", "once")
    send(page, "/wa-add wasend-team +1 415 555 0101")
    expect(newest_request(page)).to_contain_text("Done: 1 of 1")
    expect(card(page, "Wasend")).not_to_contain_text("⚠️")
    traffic = tool(page, "Traffic")
    expect(traffic.locator("li", has_text="no answer")).to_contain_text("Rollcall → wasend")


def test_an_undo_takes_back_what_was_done(page: Page, picture: Picture) -> None:
    send(page, "/wa-add wasend-team +1 415 555 0101, +1 415 555 0102")
    thread = open_thread(page)
    button(thread, "Undo").click()
    dialog = page.get_by_role("dialog")
    picture(page, "confirmation")
    dialog.locator("button.primary, button.danger").click()
    expect(newest_request(page)).to_contain_text("2 removed")
    wasend = card(page, "Wasend")
    expect(wasend).to_contain_text("wasend-team · 1 member")


def test_a_file_with_200_people_is_added(page: Page, tmp_path: Path, picture: Picture) -> None:
    people = tmp_path / "team.csv"
    people.write_text("Name,Mobile\n" + "".join(f"Person {n},+1 415 555 {n:04}\n" for n in range(1000, 1200)))
    send(page, "/wa-add")
    dialog = page.get_by_role("dialog")
    group = dialog.get_by_label("Group")
    group.fill("wase")
    dialog.get_by_role("option", name=re.compile("^wasend-team")).click()
    dialog.get_by_label("Or a file with numbers").set_input_files(people)
    picture(page, "form")
    button(dialog, "Preview").click()
    expect(dialog.get_by_role("heading", name="Preview")).to_be_visible()
    expect(dialog).to_contain_text("200")
    picture(page, "preview")
    dialog.locator("[type=submit]").click()
    expect(newest_request(page)).to_contain_text("Done: 200 of 200", timeout=LONG_MS)
    expect(card(page, "Wasend")).to_contain_text("wasend-team · 201 members")
    thread = open_thread(page)
    expect(thread).to_contain_text("200 added")
    picture(page, "results")


def test_a_killed_bot_finishes_when_it_is_started_again(page: Page, picture: Picture) -> None:
    numbers = ", ".join(f"+1 415 555 {n:04}" for n in range(1000, 1080))
    send(page, f"/wa-add wasend-team {numbers}")
    expect(newest_request(page)).to_contain_text(re.compile("[1-6]0 of 80"))
    panel = tool(page, "Providers")
    button(panel, "Kill the bot").click()
    expect(panel).to_contain_text("🔴 Killed")
    expect(newest_request(page)).not_to_contain_text("Done")
    send(page, "/wa help")
    expect(page.locator("#conversation")).to_contain_text('/wa failed with the error "dispatch_failed"')
    picture(page, "killed")
    button(panel, "Start in Socket Mode").click()
    expect(panel).to_contain_text("over Socket Mode")
    expect(newest_request(page)).to_contain_text("Done: 80 of 80", timeout=LONG_MS)
    expect(newest_request(page)).to_contain_text("80 added")


def test_a_form_shows_what_is_wrong_at_the_field(page: Page, picture: Picture) -> None:
    send(page, "/wa-add")
    dialog = page.get_by_role("dialog")
    button(dialog, "Preview").click()
    expect(dialog).to_contain_text("Please complete this required field.")
    expect(dialog.get_by_label("Group")).to_be_focused()
    dialog.get_by_label("Group").fill("wase")
    dialog.get_by_role("option", name=re.compile("^wasend-team")).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    numbers = dialog.get_by_label(re.compile("^Numbers"))
    numbers.fill("555-CALL")
    button(dialog, "Preview").click()
    expect(dialog.locator(".error:visible")).to_have_count(1)
    expect(numbers).to_have_value("555-CALL")
    picture(page, "field-error")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_home_tab_and_the_shortcuts_work(page: Page, picture: Picture) -> None:
    page.get_by_role("button", name="Rollcall", exact=True).click()
    button(page, "Home").click()
    expect(page.locator(".home")).to_contain_text("wasend-team")
    picture(page, "home")
    page.get_by_role("button", name="#launch").click()
    send(page, "Please add +1 415 555 0101 and +1 415 555 0102 to the group.")
    message = page.locator("#conversation .message").last
    expect(message).to_contain_text("Please add")
    message.get_by_label("More actions").click()
    message.get_by_role("button", name="Add numbers to a group").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label(re.compile("^Numbers"))).to_have_value(re.compile("0101"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_label("Shortcuts").click()
    page.get_by_role("button", name="WhatsApp groups").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    picture(page, "shortcut")


def test_everything_is_done_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the conversation")).to_be_focused()
    page.keyboard.press("Enter")
    composer = page.locator("#composer-text")
    while not composer.evaluate("node => node === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("/wa-ad")
    page.keyboard.press("Enter")
    expect(page.locator("#composer-text")).to_have_value("/wa-add ")
    page.keyboard.type("wuts-team +1 415 555 0101")
    page.keyboard.press("Enter")
    expect(newest_request(page)).to_contain_text("Waiting for approval")
    become(page, BOB)
    page.locator("#conversation .replies").last.focus()
    page.keyboard.press("Enter")
    button(page.locator("#thread"), "Approve").focus()
    page.keyboard.press("Space")
    expect(newest_request(page)).to_contain_text("Done:")
    become(page, ALICE)
    expect(page.locator("#thread")).to_contain_text("1 added")


def test_a_direct_message_and_a_mention_are_answered(page: Page, picture: Picture) -> None:
    page.get_by_role("button", name="Rollcall", exact=True).click()
    send(page, "help")
    expect(page.locator("#conversation .message").last).to_contain_text("/wa-add")
    picture(page, "direct-message")
    page.get_by_role("button", name="#launch").click()
    send(page, "@rollcall add wasend-team +1 415 555 0101")
    expect(page.locator("#conversation .message").first).to_contain_text("@rollcall add wasend-team")
    expect(newest_request(page)).to_contain_text("Done: 1 of 1")
    send(page, "/nothing")
    expect(page.get_by_role("alert")).to_contain_text("/nothing is not a valid command.")
