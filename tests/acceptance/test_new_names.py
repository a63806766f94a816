"""A group that was made or renamed here is known by its new name as soon as the request has ended."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.desk import new
from tests.stage import ALICE, CHANNEL, Stage, stage


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as played:
        yield played


async def test_what_was_made_and_renamed_is_known_at_once(played: Stage) -> None:
    await played.slack.command(ALICE, CHANNEL, "/wa-create", f"“Spring Fair” +{new(1)[0]}")
    await played.finished(0)
    await played.slack.command(ALICE, CHANNEL, "/wa-group", "Spring Fair")
    await played.hears(ALICE, "Subject: Spring Fair")
    await played.slack.command(ALICE, CHANNEL, "/wa-settings", "“Spring Fair” name: Summer Fair")
    await played.finished(1)
    await played.slack.command(ALICE, CHANNEL, "/wa-group", "Summer Fair")
    await played.hears(ALICE, "Subject: Summer Fair")
