"""What somebody reads before they approve: on the card, in the details, on their Home tab."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.commands.values import MAX_TEXT
from sandbox.slack.chat import texts
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message
from tests.handlers.commanding import BOB, LAUNCH, ONE, commanding, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
[[approvals]]
operations = ["add", "send", "settings", "invite"]
approvers = ["lead"]
"""
LONG = f"{'A' * 2000}\n{'&' * 400} SECRET-END {'B' * 500}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SlackServer]:
    async with commanding(tmp_path_factory.mktemp("approving"), ["wasend"], {}, RULES) as played:
        played.providers["wasend"].world.put_group("WAGone", "Spring", ["14155550771"])
        yield played.slack


async def asked(slack: SlackServer, line: str) -> Message:
    """Type a command that needs approval, and give its card."""
    before = len(cards(slack))
    assert "Waiting for approval" in await typed(slack, line)
    await slack.wait_for(lambda: len(cards(slack)) > before)
    return cards(slack)[-1]


def cards(slack: SlackServer) -> list[Message]:
    posted = [m for m in slack.messages(LAUNCH) if m.get("metadata")]
    return [m for m in posted if m["metadata"]["event_payload"]["name"] == "approval"]


async def details(slack: SlackServer, card: Message) -> str:
    """Open the details of a card, and give what stands there, part after part."""
    if opened := slack.open_view(BOB):
        await slack.close_view(BOB, opened.body["id"])
    assert (await slack.click(BOB, LAUNCH, card["ts"], "Details")).ok
    view = await slack.wait_for(lambda: slack.open_view(BOB))
    return "".join(block["text"]["text"] for block in view.body["blocks"] if block["type"] == "section")


@pytest.mark.parametrize(
    "line",
    [
        f"/wa-send wasend-team {LONG}",
        f"/wa-send wasend-team to: {ONE} text: {LONG}",
        f"/wa-invite wasend-team {ONE} text: {LONG}",
        f"/wa-settings wasend-team announce: on description: {LONG}",
    ],
)
async def test_the_whole_of_a_long_text_stands_in_the_details_and_the_card_says_that_there_is_more(
    slack: SlackServer, line: str
) -> None:
    card = await asked(slack, line)

    shown = "\n".join(texts(card["blocks"]))
    assert f"A” … {len(LONG) - 1000:,} more characters: see Details" in shown
    assert LONG in await details(slack, card)


async def test_a_short_text_stands_on_the_card_as_a_whole(slack: SlackServer) -> None:
    card = await asked(slack, "/wa-send wasend-team We meet\nat nine.")

    assert "Text: “We meet at nine.”" in card["text"]
    assert "We meet\nat nine." in await details(slack, card)


@pytest.mark.parametrize(
    "line",
    [
        "/wa-send wasend-team {}",
        "/wa-send wasend-team text: {}",
        f"/wa-invite wasend-team {ONE} text: {{}}",
        "/wa-settings wasend-team description: {}",
    ],
)
async def test_a_text_that_no_form_holds_is_refused_when_it_is_typed(slack: SlackServer, line: str) -> None:
    answer = await typed(slack, line.format("x" * (MAX_TEXT + 1)))

    assert "The text has 3,001 characters, and at most 3,000 are taken. Nothing was done." in answer
    assert "Waiting for approval" in await typed(slack, line.format("x" * MAX_TEXT))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/wa-send wasend-team We meet\nat nine.", "Text: “We meet at nine.”"),
        (f"/wa-send wasend-team {LONG}", "characters: see Details"),
        ("/wa-settings wasend-team name: Fair announce: on", "• Name: “Fair”\n• Who can send messages: only admins"),
        (f"/wa-add wasend-team {ONE} invite: yes", "Anyone we can't add directly gets an invite link."),
        ("/wa-sync wasend-team from: Spring mode: mirror", "ℹ️ "),
    ],
)
async def test_who_approves_on_their_home_tab_reads_what_they_approve(
    slack: SlackServer, line: str, words: str
) -> None:
    before = len(cards(slack))
    await typed(slack, line)
    await slack.wait_for(lambda: len(cards(slack)) > before)
    assert (await slack.open_home(BOB)).ok

    await slack.wait_for(lambda: words in waiting(slack))


def waiting(slack: SlackServer) -> str:
    """Give what the newest request that waits for Bob says on his Home tab."""
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
async def test_who_asks_is_told_what_will_be_sent(slack: SlackServer, line: str, words: str) -> None:
    assert words in await typed(slack, line)


async def test_an_option_inside_a_text_is_refused_with_what_to_do(slack: SlackServer) -> None:
    answer = await typed(slack, "/wa-send wasend-team Hello … reason: not a reason")

    assert "`reason:` stands inside the text, and nothing was sent." in answer
    assert "Usage: `/wa-send" in answer
