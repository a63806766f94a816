import csv
import io
from pathlib import Path

import pytest

from sandbox.providers.world import Disposition, Effect, World
from sandbox.sandbox import SIMULATORS
from sandbox.slack.errors import SlackFault
from tests.app import RunningApp, group_id, put_people, running_app
from tests.slack_ui import CHANNEL, PRIVATE

MIX = {
    f"1415555{number:04}": disposition
    for number, disposition in enumerate(
        [
            *[Disposition.OPEN] * 12,
            *[Disposition.PRIVATE] * 6,
            *[Disposition.NO_ACCOUNT] * 6,
            *[Disposition.RECENTLY_LEFT] * 3,
            *[Disposition.BLOCKED] * 3,
        ],
        start=100,
    )
}
MEMBERS = ["14155550100", "14155550101", "14155550102"]

REPORTED: dict[str, dict[Effect, set[str]]] = {
    "wacr": {},
    "wagateway": {
        Effect.NO_ACCOUNT: {"not_on_whatsapp"},
        Effect.PRIVATE: {"unknown"},
        Effect.RECENTLY_LEFT: {"unknown"},
        Effect.BLOCKED: {"unknown"},
    },
    "wasend": {
        Effect.NO_ACCOUNT: {"not_on_whatsapp"},
        Effect.PRIVATE: {"failed"},
        Effect.RECENTLY_LEFT: {"failed"},
        Effect.BLOCKED: {"failed"},
    },
    "wuts": {
        Effect.NO_ACCOUNT: {"not_on_whatsapp"},
        Effect.PRIVATE: {"unknown"},
        Effect.RECENTLY_LEFT: {"unknown"},
        Effect.BLOCKED: {"unknown"},
    },
    "twochat": {
        Effect.NO_ACCOUNT: {"invalid"},
        Effect.PRIVATE: {"refused", "invited"},
        Effect.RECENTLY_LEFT: {"recently_left"},
        Effect.BLOCKED: {"failed"},
    },
}
"""The outcomes that each provider can report for people it didn't add. WA.cr's lists accept all people."""

REFUSALS = {
    Disposition.PRIVATE: Effect.PRIVATE,
    Disposition.NO_ACCOUNT: Effect.NO_ACCOUNT,
    Disposition.RECENTLY_LEFT: Effect.RECENTLY_LEFT,
    Disposition.BLOCKED: Effect.BLOCKED,
}


def rows(app: RunningApp) -> list[dict[str, str]]:
    """Read the CSV in the thread."""
    content = app.slack.files[0].content
    assert content is not None
    return list(csv.DictReader(io.StringIO(content.decode())))


def expected(provider: str, world: World, phone: str) -> set[str]:
    """Return the outcomes that are true for a person, according to the simulator alone."""
    if phone in MEMBERS:
        return {"confirmed"} if provider == "wagateway" else {"already_done"}  # its stored list may be late
    if phone in world.groups[group_id(provider)].members:
        return {"added"}
    return REPORTED[provider][REFUSALS[MIX[phone]]]


@pytest.mark.parametrize("provider", SIMULATORS)
async def test_thirty_people_get_true_results(provider: str, tmp_path: Path) -> None:
    async with running_app(tmp_path, providers=[provider]) as app:
        world = app.world(provider)
        typed = put_people(world, MIX)
        world.put_group(group_id(provider), "Team", MEMBERS)

        ack = await app.add(f"{provider}-team {typed} reason: launch", channel=PRIVATE)
        thread = await app.finished(channel=PRIVATE)

        assert ack.ok
        assert len({row["phone"] for row in rows(app)}) == len(rows(app)) == 30
        for row in rows(app):
            phone = row["phone"].removeprefix("+")
            assert row["outcome"] in expected(provider, world, phone), row
        added = [row for row in rows(app) if row["outcome"] == "added"]
        assert len(added) == len(world.groups[group_id(provider)].members) - len(MEMBERS) > 0
        assert len(thread) == 3
        assert app.slack.oddities == []


async def test_a_redelivered_command_is_the_same_request(app: RunningApp) -> None:
    first = await app.add("wasend-team +1 415 555 0101")
    again = await app.slack.redeliver(first)
    await app.finished()

    assert "has already requested this" in str(again.body)
    assert len(app.parents()) == 1
    assert len(app.world().events) == 1


async def test_invalid_numbers_do_not_stop_the_valid_ones(app: RunningApp) -> None:
    await app.add("wasend-team +1 415 555 0101, 555-CALL; +1 415 555 0102\n+1 (415) 555-0101")
    thread = await app.finished()

    assert "555-CALL" in app.last_ephemeral("U01ALICE")
    assert "1 duplicate ignored" in app.last_ephemeral("U01ALICE")
    assert "⚠️ 2 of 2 added; 1 entry couldn't be read." in thread[0]["text"]
    assert sorted(app.world().groups[group_id("wasend")].members) == ["14155550101", "14155550102"]


async def test_a_request_completes_in_socket_mode(tmp_path: Path) -> None:
    async with running_app(tmp_path, socket_mode=True) as app:
        await app.slack.wait_for(lambda: app.slack.sockets.listening)
        await app.add("wasend-team +1 415 555 0101")
        await app.finished()

        assert app.slack.deliveries[-1].payload["command"] == "/wa-add"
        assert list(app.world().groups[group_id("wasend")].members) == ["14155550101"]


async def test_a_message_whose_blocks_slack_refuses_is_posted_as_plain_text(app: RunningApp) -> None:
    app.slack.faults.append(SlackFault(method="chat.postMessage", error="invalid_blocks", times=1))
    await app.add("wasend-team +1 415 555 0101")
    await app.slack.wait_for(lambda: len(app.slack.messages(CHANNEL)) >= 2)

    assert "Add 1 person" in app.slack.messages(CHANNEL)[0]["text"]
    assert len(app.world().events) == 1
