from datetime import UTC, datetime, timedelta

from bot.domain import roster
from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft, RequestOptions
from bot.storage.database import Database
from bot.storage.drafts import DRAFT_TTL, DraftStore
from providers.base import GroupChange, Operation, Picture

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DRAFT = RequestDraft(
    id="R1",
    operation=Operation.SETTINGS,
    group=KnownGroup("support", "1@g.us", "", "קבוצה \ud83d"),
    roster=roster.parse("+1 415 555 0100, +1 415 555 0100, 123@lid, nobody", default_region="US"),
    reason="why\0not",
    requester=Actor("U01ALICE", frozenset({"S0OPERATORS"})),
    channel="C0LAUNCH",
    options=RequestOptions(run_at=NOW, change=GroupChange(description="", picture=Picture(jpeg=b"\xff\xd8\xff"))),
)


async def test_a_draft_is_found_until_it_is_too_old(sqlite: Database) -> None:
    now = NOW
    drafts = DraftStore(sqlite, lambda: now)
    key = await drafts.save(DRAFT)
    assert await drafts.find(key) == DRAFT
    assert await drafts.find("another") is None

    now += DRAFT_TTL + timedelta(seconds=1)
    assert await drafts.find(key) is None
    later = await drafts.save(DRAFT)
    now = NOW
    assert await drafts.find(key) is None
    assert later != key
