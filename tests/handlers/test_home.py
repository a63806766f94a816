import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from handlers.home.refresher import Refresher
from sandbox.slack.errors import SlackFault
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import SlackView, User
from tests.app import RunningApp, app_slack, approval_rule, module_app
from tests.handlers.views.test_home_view import labels, said
from tests.slack_ui import ALICE, BOB, CAROL, CHANNEL, DAVE, LATER, PHONE, command, modal_title, type_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUPS = {f"WAG{number:03}": f"Spring {number:03}" for number in range(24)}
MORE = (
    approval_rule("remove")
    + approval_rule("promote", approvers=["lead", "second"], quorum=2)
    + """
[roles.second]
members = ["U04DAVE"]
capabilities = ["approve"]
groups = ["twochat-*"]
[roles.chief]
members = ["U05CHIEF"]
capabilities = ["admin"]
[roles.sender]
members = ["U06SENDER"]
capabilities = ["groups:read", "send"]
"""
)
CHIEF, SENDER = "U05CHIEF", "U06SENDER"


app = module_app(
    ["twochat"], groups=GROUPS, rules=MORE, operators=(), patches={"handlers.home.pages.MIN_REDRAW_INTERVAL": 0.2}
)
slack = app_slack


def page(slack: SlackServer, user: str) -> SlackView:
    shown = slack.home(user)
    assert shown is not None
    return shown


def home_text(slack: SlackServer, user: str) -> str:
    shown = slack.home(user)
    return said(shown.body["blocks"]) if shown else ""


async def wait_for_text(slack: SlackServer, user: str, words: str) -> None:
    await slack.wait_for(lambda: words in home_text(slack, user))


async def open_home(slack: SlackServer, user: str) -> str:
    """Open the page, and give what it says then."""
    before = len(publications(slack, user))
    assert (await slack.open_home(user)).ok
    await slack.wait_for(lambda: len(publications(slack, user)) > before)
    return home_text(slack, user)


def publications(slack: SlackServer, user: str) -> list[object]:
    return [call for call in slack.calls if call.method == "views.publish" and call.args["user_id"] == user]


async def press(slack: SlackServer, user: str, name: str, *, value: str | None = None) -> None:
    ack = await slack.press(user, page(slack, user).body["id"], name, value=value)
    assert ack.ok, ack


async def test_a_slow_provider_delays_no_page(app: RunningApp) -> None:
    app.provider("twochat").latency = 0.3

    first = await open_home(app.slack, ALICE)

    assert "*twochat*: ⏳ checking the account; " in first
    await wait_for_text(app.slack, ALICE, "*twochat*: ✅ connected")
    app.provider("twochat").latency = 0


async def test_the_page_depends_on_the_role(slack: SlackServer) -> None:
    await asyncio.gather(*(open_home(slack, user) for user in (ALICE, BOB, DAVE, CAROL)))

    seen = {user: page(slack, user).body["blocks"] for user in (ALICE, BOB, DAVE, CAROL)}
    assert "You have: `groups:read`, `groups:write`, `send`." in said(seen[ALICE])
    assert {"New request", "Add", "Remove", "Send", "Next"} <= set(labels(seen[ALICE]))
    assert "which your roles don't have" not in said(seen[ALICE]) + said(seen[BOB])
    assert "`send`, which your roles don't have" in said(seen[DAVE])
    assert "`audit:read`" not in said(seen[DAVE])
    assert "*twochat*" in said(seen[DAVE])
    assert labels(seen[DAVE]) == []
    assert "You don't have access yet. Ask <@U01ALICE>" in said(seen[CAROL])
    assert "twochat" not in said(seen[CAROL])


async def test_a_waiting_request_appears_and_disappears_live(slack: SlackServer) -> None:
    await asyncio.gather(open_home(slack, ALICE), open_home(slack, BOB), open_home(slack, CAROL))
    unconcerned = len(publications(slack, CAROL))

    await type_command(slack, f"/wa-remove twochat-team {PHONE} at: {LATER} reason: left")
    await asyncio.gather(
        wait_for_text(slack, BOB, "*Remove 1 person from"),
        wait_for_text(slack, ALICE, "⏳ Waiting for approval, until"),
    )
    assert "Needs 1 approval by `lead`" in home_text(slack, BOB)
    await press(slack, BOB, "Approve")
    await wait_for_text(slack, ALICE, "🕓 Starts")

    await slack.wait_for(lambda: "Approve" not in labels(page(slack, BOB).body["blocks"]))
    assert "Your recent requests" in home_text(slack, ALICE)
    assert "\nRecent requests" in home_text(slack, BOB)
    assert "|thread>" in home_text(slack, ALICE)
    assert len(publications(slack, CAROL)) == unconcerned
    await press(slack, ALICE, "Withdraw")
    await wait_for_text(slack, ALICE, "Withdrawn: nothing is sent to the provider.")
    assert "🕓 Starts" not in home_text(slack, ALICE)


async def test_an_administrator_can_override_a_waiting_request(slack: SlackServer) -> None:
    slack.workspace.users.setdefault(CHIEF, User(CHIEF, "chief", "Chief Example"))
    assert "You have: `admin`." in await open_home(slack, CHIEF)
    await type_command(slack, f"/wa-remove twochat-team {PHONE} reason: emergency")
    await wait_for_text(slack, CHIEF, "Requested by")
    assert "Override" in labels(page(slack, CHIEF).body["blocks"])
    assert "Approve" not in labels(page(slack, CHIEF).body["blocks"])

    await press(slack, CHIEF, "override_request")
    await slack.wait_for(lambda: modal_title(slack, CHIEF).startswith("Override"))
    await open_home(slack, ALICE)
    await press(slack, ALICE, "Withdraw")
    await slack.wait_for(lambda: "Override" not in labels(page(slack, CHIEF).body["blocks"]))


async def test_a_vote_below_the_quorum_is_counted_on_the_page(slack: SlackServer) -> None:
    await type_command(slack, f"/wa-promote twochat-team {PHONE}")
    await slack.wait_for(lambda: any("make 1 person an admin" in m["text"] for m in slack.messages(CHANNEL)))
    await asyncio.gather(open_home(slack, BOB), open_home(slack, DAVE))
    assert "Needs 2 approvals" in home_text(slack, DAVE)

    await press(slack, BOB, "Approve")
    await wait_for_text(slack, BOB, "(1 so far)")
    await press(slack, BOB, "Approve")

    await wait_for_text(slack, BOB, "Your vote is already counted. The request needs another approver.")
    await press(slack, BOB, "Details")
    await slack.wait_for(lambda: slack.open_view(BOB))
    await slack.close_view(BOB, slack.open_view(BOB).body["id"])  # type: ignore[union-attr]
    await press(slack, DAVE, "Deny")
    reason = await slack.wait_for(lambda: slack.open_view(DAVE))
    assert (await slack.submit(DAVE, reason.body["id"], {"Reason": "no"})).ok
    await slack.wait_for(lambda: "Deny" not in labels(page(slack, DAVE).body["blocks"]))


async def test_a_running_request_shows_progress_and_can_be_stopped(app: RunningApp) -> None:
    slack = app.slack
    await open_home(slack, ALICE)
    app.provider("twochat").latency = 0.3

    await type_command(slack, f"/wa-add twochat-team {', '.join(f'+1415555{n}' for n in range(2000, 2030))}")
    await wait_for_text(slack, ALICE, "of 30 processed")
    await slack.wait_for(lambda: "Stop" in labels(page(slack, ALICE).body["blocks"]))
    await press(slack, ALICE, "Stop")

    await wait_for_text(slack, ALICE, "Stopping. What was sent stays as it is")
    app.provider("twochat").latency = 0
    await wait_for_text(slack, ALICE, "not attempted")
    assert "Stop" not in labels(page(slack, ALICE).body["blocks"])


async def test_groups_are_searched_and_listed_in_pages(slack: SlackServer) -> None:
    await open_home(slack, ALICE)
    assert "1 to 10 of 25 groups" in home_text(slack, ALICE)

    await press(slack, ALICE, "Next")
    await wait_for_text(slack, ALICE, "11 to 20 of 25 groups")
    await press(slack, ALICE, "Next")
    await wait_for_text(slack, ALICE, "21 to 25 of 25 groups")
    await press(slack, ALICE, "Previous")
    await wait_for_text(slack, ALICE, "11 to 20 of 25 groups")
    await press(slack, ALICE, "Find a group", value="spring 02")
    await wait_for_text(slack, ALICE, "*Spring 021* on `twochat`")
    assert "1 to 4 of 4 groups with “spring 02” in a name" in home_text(slack, ALICE)
    await press(slack, ALICE, "Find a group", value="")
    await wait_for_text(slack, ALICE, "1 to 10 of 25 groups")


@pytest.mark.parametrize(
    ("pressed", "value", "opened"),
    [("Add", None, "Add to a group"), ("home_more", "Settings", "Change a group"), ("Send", None, "Send a message")],
)
async def test_a_groups_buttons_open_the_forms_for_it(
    slack: SlackServer, pressed: str, value: str | None, opened: str
) -> None:
    await open_home(slack, ALICE)
    await press(slack, ALICE, "Find a group", value="Spring 007")
    await wait_for_text(slack, ALICE, "1 to 1 of 1 group")

    await press(slack, ALICE, pressed, value=value)

    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    assert modal_title(slack, ALICE) == opened
    assert "Spring 007" in str(view.body["blocks"])
    assert "D0ALICE" in view.body["private_metadata"]
    await slack.close_view(ALICE, view.body["id"])


async def test_a_failed_click_is_answered_on_the_page(slack: SlackServer) -> None:
    await open_home(slack, ALICE)
    before = len(slack.messages("D0ALICE"))
    slack.faults.append(SlackFault("views.open", error="internal_error"))

    await press(slack, ALICE, "New request")

    await wait_for_text(slack, ALICE, "⚠️ Something went wrong. Nothing was changed")
    assert home_text(slack, ALICE).startswith("⚠️")
    assert len(slack.messages("D0ALICE")) == before


async def test_a_new_request_starts_with_a_choice_of_operations(slack: SlackServer) -> None:
    await open_home(slack, ALICE)

    await press(slack, ALICE, "New request")

    view = await slack.wait_for(lambda: slack.open_view(ALICE))
    assert modal_title(slack, ALICE) == "WhatsApp groups"
    await slack.press(ALICE, view.body["id"], "chooser_create")
    await slack.wait_for(lambda: modal_title(slack, ALICE) == "Create a group")


async def test_a_request_without_a_channel_is_approved_in_direct_messages(slack: SlackServer) -> None:
    before = len(slack.messages("D0BOB"))
    await command(slack, f"twochat-team {PHONE} at: {LATER} reason: left", name="/wa-remove", channel="D0ALICE")
    asked = (await slack.wait_for(lambda: slack.messages("D0BOB")[before:]))[0]
    assert "asks to remove 1 person" in asked["text"]

    assert (await slack.click(BOB, "D0BOB", asked["ts"], "Approve")).ok

    await slack.wait_for(lambda: "Approved" in slack.messages("D0BOB")[before]["text"])


async def test_a_repeated_sync_is_shown_to_the_people_it_concerns(slack: SlackServer) -> None:
    await type_command(slack, "/wa-sync twochat-team from: WAG001 mode: report every: 36h")

    await asyncio.gather(open_home(slack, ALICE), open_home(slack, BOB), open_home(slack, DAVE))

    for user in (ALICE, BOB):
        await wait_for_text(slack, user, "*twochat-team* every 36 hours, next")
    assert "every 36 hours" not in home_text(slack, DAVE)

    await press(slack, ALICE, "End: twochat-team")
    await wait_for_text(slack, ALICE, "Ended 1 repeated sync.")
    assert "every 36 hours" not in home_text(slack, ALICE)
    await press(slack, BOB, "End: twochat-team")  # on a page that shows it still
    await wait_for_text(slack, BOB, "This group has no repeated sync.")


async def test_a_repeated_sync_shows_its_list_and_last_run(app: RunningApp) -> None:
    slack = app.slack
    app.world("twochat").put_group("WAG003", "Spring 003", members=["14155550177"])
    await type_command(slack, "/wa-sync WAG002 from: WAG003 mode: report every: 36h")
    await slack.wait_for(lambda: any("Would add 1 person" in m["text"] for m in slack.messages(CHANNEL)))
    slack.workspace.users.setdefault(SENDER, User(SENDER, "sender", "Sender Example"))
    await asyncio.gather(open_home(slack, ALICE), open_home(slack, SENDER))

    for user in (ALICE, SENDER):
        await wait_for_text(slack, user, "report, with the members of Spring 003; requested by <@U01ALICE>")
        await wait_for_text(slack, user, "last request: <!date^")
        await wait_for_text(slack, user, "done, 1 of 1 processed: ⏸️ 1 not attempted · <https://")
    assert "End: Spring 002" in labels(page(slack, ALICE).body["blocks"])
    assert "End: Spring 002" not in labels(page(slack, SENDER).body["blocks"])
    await press(slack, ALICE, "End: Spring 002")
    await wait_for_text(slack, ALICE, "Ended 1 repeated sync.")


async def test_a_repeated_sync_says_what_it_waits_for(app: RunningApp) -> None:
    slack = app.slack
    app.world("twochat").put_group("WAG004", "Spring 004", members=["14155550178"])
    await type_command(slack, "/wa-sync WAG005 from: WAG004 every: 36h")
    await slack.wait_for(
        lambda: any("Spring 005" in m["text"] and "asks to" in m["text"] for m in slack.messages(CHANNEL))
    )
    await open_home(slack, ALICE)

    await wait_for_text(slack, ALICE, "waits for the request of its last run to end")
    await press(slack, ALICE, "End: Spring 005")
    await wait_for_text(slack, ALICE, "Ended 1 repeated sync. Withdrew 1 request that hadn't started.")


async def test_the_messages_tab_draws_nothing(slack: SlackServer) -> None:
    before = len(publications(slack, CAROL))

    event = {"type": "app_home_opened", "user": CAROL, "channel": "D0CAROL", "tab": "messages", "event_ts": "1.0"}
    assert (await slack.event(event)).ok
    await open_home(slack, CAROL)

    assert len(publications(slack, CAROL)) == before + 1


@pytest_asyncio.fixture(loop_scope="module")
async def refresher() -> AsyncIterator[Callable[[Callable[[str], Awaitable[None]]], Refresher]]:
    made: list[Refresher] = []

    def make(draw: Callable[[str], Awaitable[None]]) -> Refresher:
        made.append(Refresher(draw, every=0.02))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def test_many_refresh_requests_draw_the_last_state_once(
    refresher: Callable[[Callable[[str], Awaitable[None]]], Refresher],
) -> None:
    state, shown, done = 0, list[int](), asyncio.Event()

    async def draw(_: str) -> None:
        seen = state
        await asyncio.sleep(0)
        shown.append(seen)
        if seen == 100:
            done.set()

    made = refresher(draw)
    for _ in range(100):
        state += 1
        made.request(ALICE)
        await asyncio.sleep(0)
    await done.wait()

    assert shown[-1] == 100
    assert len(shown) < 10


async def test_a_page_that_failed_is_drawn_at_the_next_request(
    refresher: Callable[[Callable[[str], Awaitable[None]]], Refresher],
) -> None:
    drawn_again = asyncio.Event()
    failures = [ConnectionError("once")]

    async def draw(_: str) -> None:
        if failures:
            raise failures.pop()
        drawn_again.set()

    made = refresher(draw)
    await made.draw_now(ALICE)
    made.request(ALICE)

    await drawn_again.wait()
