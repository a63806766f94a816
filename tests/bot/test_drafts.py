from datetime import UTC, datetime, timedelta

from bot.domain import roster
from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import Details
from bot.drafts import KEPT, Drafts
from bot.intake import Draft
from bot.runtime.database import Database
from providers.base import GroupChange, Operation, Picture

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DRAFT = Draft(
    id="R1",
    operation=Operation.SETTINGS,
    group=KnownGroup("support", "1@g.us", "", "קבוצה \ud83d"),
    roster=roster.parse("+1 415 555 0100, +1 415 555 0100, 123@lid, nobody", default_region="US"),
    reason="why\0not",
    requester=Actor("U01ALICE", frozenset({"S0OPERATORS"})),
    channel="C0LAUNCH",
    details=Details(run_at=NOW, change=GroupChange(description="", picture=Picture(jpeg=b"\xff\xd8\xff"))),
)


async def test_a_draft_comes_back_as_it_was_until_it_is_too_old(sqlite: Database) -> None:
    now = NOW
    drafts = Drafts(sqlite, lambda: now)
    key = await drafts.keep(DRAFT)
    assert await drafts.find(key) == DRAFT
    assert await drafts.find("another") is None

    now += KEPT + timedelta(seconds=1)
    assert await drafts.find(key) is None
    later = await drafts.keep(DRAFT)
    now = NOW
    assert await drafts.find(key) is None
    assert later != key
