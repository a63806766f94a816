from collections import Counter

import pytest

from tests.app import RunningApp, group_id
from tests.slack_ui import CHANNEL, PRIVATE

SPOKEN = {"chat.postMessage", "chat.update", "files.completeUploadExternal"}


@pytest.mark.parametrize("size", [1, 20, 21, 100, 101, 1_000, 1_024])
async def test_a_thread_stays_within_slacks_limits_at_every_size(size: int, app: RunningApp) -> None:
    numbers = ", ".join(f"+1415555{n:04}" for n in range(1000, 1000 + size))
    await app.add(f"wasend-team {numbers}", channel=PRIVATE)
    thread = await app.finished(channel=PRIVATE)

    assert len(app.world().groups[group_id("wasend")].members) == size
    assert len(thread) == (3 if size > 20 else 2)
    assert len(app.slack.files) == (1 if size > 20 else 0)
    assert all(message["text"] for message in thread)
    assert app.slack.oddities == []
    assert f"✅ Done: {size:,} of {size:,} added." in thread[0]["text"]


async def test_a_thousand_people_make_at_most_twenty_messages_and_updates_in_a_minute(app: RunningApp) -> None:
    app.provider().latency = 0.03
    numbers = ", ".join(f"+1415555{n:04}" for n in range(1000, 2000))
    await app.add(f"wasend-team {numbers}")
    await app.finished()

    spoken = [call for call in app.slack.calls if call.method in SPOKEN and _channel(call.args) == CHANNEL]
    busiest = max(sum(1 for other in spoken if 0 <= other.at - call.at < 60) for call in spoken)
    assert busiest <= 20, Counter(call.method for call in spoken)
    assert len([call for call in spoken if call.method == "chat.update"]) >= 2


def _channel(args: dict[str, object]) -> object:
    return args.get("channel") or args.get("channel_id")
