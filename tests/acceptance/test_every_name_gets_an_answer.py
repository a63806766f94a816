import csv
import io
from pathlib import Path

import pytest

from sandbox.providers.world import Disposition, Effect, World
from sandbox.sandbox import SIMULATORS
from sandbox.slack.errors import SlackFault
from tests.stage import CHANNEL, Stage, group_id, people, stage

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

TOLD: dict[str, dict[Effect, set[str]]] = {
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
"""What each provider lets a caller know about those whom it did not add; WA.cr's lists take everybody."""

REFUSALS = {
    Disposition.PRIVATE: Effect.PRIVATE,
    Disposition.NO_ACCOUNT: Effect.NO_ACCOUNT,
    Disposition.RECENTLY_LEFT: Effect.RECENTLY_LEFT,
    Disposition.BLOCKED: Effect.BLOCKED,
}


def rows(played: Stage) -> list[dict[str, str]]:
    """Read the CSV in the thread."""
    content = played.slack.files[0].content
    assert content is not None
    return list(csv.DictReader(io.StringIO(content.decode())))


def expected(provider: str, world: World, phone: str) -> set[str]:
    """Give the outcomes that are true for a person, judged from the simulator alone."""
    if phone in MEMBERS:
        return {"already_done"}
    if phone in world.groups[group_id(provider)].members:
        return {"added"}
    return TOLD[provider][REFUSALS[MIX[phone]]]


@pytest.mark.parametrize("provider", SIMULATORS)
async def test_thirty_people_of_mixed_disposition_get_the_simulators_truth(provider: str, tmp_path: Path) -> None:
    async with stage(tmp_path, providers=[provider]) as played:
        world = played.world(provider)
        typed = people(world, MIX)
        world.put_group(group_id(provider), "Team", MEMBERS)

        ack = await played.add(f"{provider}-team {typed} reason: launch")
        thread = await played.finished()

        assert ack.ok
        assert len({row["phone"] for row in rows(played)}) == len(rows(played)) == 30
        for row in rows(played):
            phone = row["phone"].removeprefix("+")
            assert row["outcome"] in expected(provider, world, phone), row
        added = [row for row in rows(played) if row["outcome"] == "added"]
        assert len(added) == len(world.groups[group_id(provider)].members) - len(MEMBERS) > 0
        assert any(block["type"] == "table" for message in thread for block in message.get("blocks", []))
        assert played.slack.oddities == []


async def test_a_redelivered_command_is_the_same_request(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        first = await played.add("wasend-team +1 415 555 0101")
        again = await played.slack.redeliver(first)
        await played.finished()

        assert "already submitted" in str(again.body)
        assert len(played.parents()) == 1
        assert len(played.world("wasend").events) == 1


async def test_invalid_numbers_do_not_stop_the_valid_ones(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        await played.add("wasend-team +1 415 555 0101, 555-CALL; +1 415 555 0102\n+1 (415) 555-0101")
        thread = await played.finished()

        assert "555-CALL" in played.told("U01ALICE")
        assert "1 duplicate ignored" in played.told("U01ALICE")
        assert "3 of 3 processed" in thread[0]["text"]
        assert sorted(played.world("wasend").groups[group_id("wasend")].members) == ["14155550101", "14155550102"]


async def test_the_same_way_leads_through_socket_mode(tmp_path: Path) -> None:
    async with stage(tmp_path, socket_mode=True) as played:
        await played.slack.wait_for(lambda: played.slack.sockets.listening)
        await played.add("wasend-team +1 415 555 0101")
        await played.finished()

        assert played.slack.deliveries[-1].payload["command"] == "/wa-add"
        assert list(played.world("wasend").groups[group_id("wasend")].members) == ["14155550101"]


async def test_a_message_whose_blocks_slack_refuses_is_posted_as_plain_text(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        played.slack.faults.append(SlackFault(method="chat.postMessage", error="invalid_blocks", times=1))
        await played.add("wasend-team +1 415 555 0101")
        await played.slack.wait_for(lambda: len(played.slack.messages(CHANNEL)) >= 3)

        assert "Add 1 person" in played.slack.messages(CHANNEL)[0]["text"]
        assert len(played.world("wasend").events) == 1
