from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from bot.domain import roster
from bot.domain.access import Capability, Role
from bot.domain.groups import KnownGroup
from bot.domain.requests import Preview, RequestDraft
from bot.domain.send_limits import SendLimits
from bot.execution.connections import Connection
from bot.execution.dispatcher import Dispatcher
from bot.execution.throttle import Throttle
from bot.services.authorization import Authorizer
from bot.services.preview import PreviewService
from bot.services.submission import Submissions
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from providers.base import Group, Operation, ProviderFault
from tests.bot.execution.scripted import ScriptedProvider
from tests.bot.services.test_submission import Woken
from tests.bot.storage.samples import ASKED, LEAD, rule

ALL = Role("all", frozenset({ASKED.user_id}), frozenset(Capability))
GROUP = KnownGroup("support", "120363041234567890@g.us", "launch-team")
TEXT = "+14150000000, +14155550101, +14155550102, +14155550102, nobody"
ADMIN = "+14155550199"
SECOND, THIRD = "+14155550101", "+14155550102"


class Sized(ScriptedProvider):
    async def group(self, group_id: str) -> Group:
        return Group(group_id, "Launch", size=1023)


@pytest.fixture
def database(sqlite: Database) -> Database:
    return sqlite


async def look(
    database: Database, provider: ScriptedProvider, operation: Operation = Operation.ADD, text: str = TEXT
) -> Preview:
    sender = Throttle(database, "support", SendLimits(batch=2, gap=10.0, per_day=100))
    lines = {"support": Connection(provider, sender, ())}
    journal = RequestStore(database)
    rules = [replace(rule(), expires_after=timedelta(hours=1))]
    rights = Authorizer({name: line.provider for name, line in lines.items()}, [ALL, LEAD])
    intake = Submissions(journal, cast("Dispatcher", Woken()), AuditJournal(database), authorizer=rights, rules=rules)
    people = roster.parse(text, default_region="US")
    draft = RequestDraft("R1", operation, GROUP, people, "", ASKED, "C0TEAM")
    return await PreviewService(intake, lines).build(draft, max_wait=5.0)


async def test_a_preview_tells_who_is_new_and_what_cannot_be_used(database: Database) -> None:
    seen = await look(database, ScriptedProvider(inside={SECOND}))
    assert [p.phone for p in seen.already] == [SECOND]
    assert THIRD in [p.phone for p in seen.to_change]
    assert [r.raw for r in seen.rejected][-1] == "nobody"
    assert [d.first.phone for d in seen.duplicates] == [THIRD]
    assert seen.group_was_read
    assert seen.rule is not None
    assert (seen.cooldown, seen.remaining_today) == (None, 100)


async def test_it_tells_how_long_it_takes_and_who_has_no_place(database: Database) -> None:
    seen = await look(database, Sized())
    calls = -(-len(seen.to_change) // 2)
    assert seen.seconds == (calls - 1) * 10.0 + calls
    assert seen.over_capacity == len(seen.to_change) - 1


async def test_a_removal_is_about_those_who_are_there(database: Database) -> None:
    seen = await look(database, ScriptedProvider(inside={SECOND}), Operation.REMOVE)
    assert [p.phone for p in seen.to_change] == [SECOND]
    assert seen.over_capacity == 0


@pytest.mark.parametrize(
    ("operation", "to_do", "already"),
    [
        (Operation.PROMOTE, [SECOND], [ADMIN]),
        (Operation.DEMOTE, [ADMIN], [SECOND]),
        (Operation.REMOVE, [ADMIN, SECOND], []),
    ],
)
async def test_those_who_are_not_in_the_group_stand_apart(
    database: Database, operation: Operation, to_do: list[str], already: list[str]
) -> None:
    provider = ScriptedProvider(inside={ADMIN, SECOND}, admins={ADMIN})
    seen = await look(database, provider, operation, f"{ADMIN}, {SECOND}, {THIRD}")
    assert [p.phone for p in seen.to_change] == to_do
    assert [p.phone for p in seen.already] == already
    assert [p.phone for p in seen.absent] == [THIRD]


async def test_a_group_that_cannot_be_read_leaves_everybody_to_do(database: Database) -> None:
    seen = await look(database, ScriptedProvider(reads=[ProviderFault("500")]))
    assert not seen.group_was_read
    assert seen.already == ()
