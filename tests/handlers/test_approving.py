"""What an approver reads before they approve: on the card, in the details, on their Home tab."""

import pytest

from bot.commands.values import MAX_TEXT
from sandbox.slack.chat import texts
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message
from tests.app import RunningApp, approval_rule, module_app
from tests.slack_ui import BOB, CHANNEL, PHONE, named_messages, run_command, type_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = approval_rule("add", "send", "settings", "invite")
LONG = f"{'A' * 2000}\n{'&' * 400} SECRET-END {'B' * 500}"


running = module_app(operators=(), rules=RULES)


@pytest.fixture
def slack(running: RunningApp) -> SlackServer:
    running.world().put_group("WAGone", "Spring", ["14155550771"])
    return running.slack


async def submit(slack: SlackServer, line: str) -> Message:
    """Type a command that needs approval, and return its card."""
    before = len(named_messages(slack, "approval"))
    assert "Waiting for approval" in await run_command(slack, line)
    await slack.wait_for(lambda: len(named_messages(slack, "approval")) > before)
    return named_messages(slack, "approval")[-1]


async def details(slack: SlackServer, card: Message) -> str:
    """Open the details of a card, and return their whole text."""
    if opened := slack.open_view(BOB):
        await slack.close_view(BOB, opened.body["id"])
    assert (await slack.click(BOB, CHANNEL, card["ts"], "Details")).ok
    view = await slack.wait_for(lambda: slack.open_view(BOB))
    return "".join(block["text"]["text"] for block in view.body["blocks"] if block["type"] == "section")


@pytest.mark.parametrize(
    "line",
    [
        f"/wa-send wasend-team {LONG}",
        f"/wa-send wasend-team to: {PHONE} text: {LONG}",
        f"/wa-invite wasend-team {PHONE} text: {LONG}",
        f"/wa-settings wasend-team announce: on description: {LONG}",
    ],
)
async def test_a_card_shortens_a_long_text_and_details_show_all_of_it(slack: SlackServer, line: str) -> None:
    card = await submit(slack, line)

    shown = "\n".join(texts(card["blocks"]))
    assert f"A” … {len(LONG) - 1000:,} more characters: see Details" in shown
    assert LONG in await details(slack, card)


async def test_a_card_shows_a_short_text_completely(slack: SlackServer) -> None:
    card = await submit(slack, "/wa-send wasend-team We meet\nat nine.")

    assert "Text: “We meet at nine.”" in card["text"]
    assert "We meet\nat nine." in await details(slack, card)


@pytest.mark.parametrize(
    "line",
    [
        "/wa-send wasend-team {}",
        "/wa-send wasend-team text: {}",
        f"/wa-invite wasend-team {PHONE} text: {{}}",
        "/wa-settings wasend-team description: {}",
    ],
)
async def test_a_typed_text_has_the_limit_of_the_form(slack: SlackServer, line: str) -> None:
    answer = await type_command(slack, line.format("x" * (MAX_TEXT + 1)))

    assert "The text has 3,001 characters; the maximum is 3,000. Nothing was done." in answer
    assert "Waiting for approval" in await run_command(slack, line.format("x" * MAX_TEXT))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/wa-send wasend-team We meet\nat nine.", "Text: “We meet at nine.”"),
        (f"/wa-send wasend-team {LONG}", "characters: see Details"),
        ("/wa-settings wasend-team name: Fair announce: on", "• Name: “Fair”\n• Who can send messages: only admins"),
        (f"/wa-add wasend-team {PHONE} invite: yes", "Anyone we can't add directly gets an invite link."),
        ("/wa-sync wasend-team from: Spring mode: mirror", "ℹ️ "),
    ],
)
async def test_the_home_tab_shows_what_an_approver_approves(slack: SlackServer, line: str, words: str) -> None:
    before = len(named_messages(slack, "approval"))
    await run_command(slack, line)
    await slack.wait_for(lambda: len(named_messages(slack, "approval")) > before)
    assert (await slack.open_home(BOB)).ok

    await slack.wait_for(lambda: words in waiting(slack))


def waiting(slack: SlackServer) -> str:
    """Return the text of the newest request that waits for Bob on his Home tab."""
    shown = slack.home(BOB)
    return next((said for said in texts(shown.body["blocks"]) if "Requested by" in said), "") if shown else ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/wa-send wasend-team We meet\nat <nine>.", "Text: “We meet at &lt;nine&gt;.”"),
        (f"/wa-send wasend-team text: {LONG}", f"A” … {len(LONG) - 200:,} more characters: see Details"),
        ("/wa-settings wasend-team name: Fair", "• Name: “Fair”"),
    ],
)
async def test_the_requester_sees_what_will_be_sent(slack: SlackServer, line: str, words: str) -> None:
    assert words in await run_command(slack, line)


async def test_an_option_inside_a_text_is_refused_with_what_to_do(slack: SlackServer) -> None:
    answer = await type_command(slack, "/wa-send wasend-team Hello … reason: not a reason")

    assert "`reason:` is inside the text, so nothing was sent." in answer
    assert "Usage: `/wa-send" in answer
