"""Whatever Slack refuses or answers wrongly, a request ends, and its thread points to nothing that doesn't exist."""

from sandbox.slack.workspace import Message
from tests.app import RunningApp
from tests.slack_ui import ALICE, CHANNEL, named_messages


async def named(app: RunningApp, name: str, channel: str = CHANNEL) -> Message:
    """Wait for the bot's message with this name."""
    return await app.slack.wait_for(lambda: next(iter(named_messages(app.slack, name, channel)), None))


async def test_half_an_emoji_in_a_text_is_sent_as_a_replacement_character(app: RunningApp) -> None:
    await app.slack.say(ALICE, CHANNEL, "<@U0ROLLCALL> send wasend-team See you at nine \ud83d")
    summary = await named(app, "summary")

    assert "1 of 1" in summary["text"]
    sent = [call.body for call in app.provider().calls if call.method == "POST" and "nine" in str(call.body)]
    assert "See you at nine \ufffd" in str(sent)
