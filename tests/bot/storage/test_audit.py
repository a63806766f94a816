import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.domain.access import Actor
from bot.domain.approvals import Choice
from bot.domain.audit import AuditEntry, EntryKind, refused_command_entry
from bot.domain.audit_chain import AuditGaps, ChainBreak, ChainFault, ChainHead
from bot.domain.requests import RequestItem, RequestState
from bot.domain.sync import SyncMode, SyncSchedule, SyncSource
from bot.storage.audit import AuditJournal, append_entries
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.sync_schedules import SyncSchedules
from bot.storage.votes import Votes
from bot.storage.work_queue import WorkQueue
from providers.base import Evidence, MembershipStatus, Outcome, Person, Verdict
from tests.bot.storage.databases import open_database, run
from tests.bot.storage.samples import ASKED, FIRST, LEAD, people, request, rule

NOON = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def audit(database: Database) -> AuditJournal:
    return AuditJournal(database)


def state(number: int, at: datetime = NOON) -> AuditEntry:
    return AuditEntry(EntryKind.STATE, at, f"U{number}", f"R{number}", details={"state": "stopped"})


async def tamper(database: Database, *statements: str) -> None:
    """Change rows as a database administrator can, without the triggers."""

    def change(connection: Connection) -> None:
        if database.is_sqlite:
            triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in connection.scalars(triggers).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))

    await database.write(change)


async def entries_of(audit: AuditJournal) -> list[tuple[Any, ...]]:
    return [(row.kind, row.actor, row.request_id, row.as_dict()["details"]) async for row in audit.rows()]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([], None),
        (["UPDATE audit SET actor = 'U0NOBODY' WHERE seq = 4"], ChainBreak(4, ChainFault.CHANGED)),
        (["UPDATE audit SET payload = payload || ' ' WHERE seq = 7"], ChainBreak(7, ChainFault.CHANGED)),
        (["DELETE FROM audit WHERE seq = 1"], ChainBreak(1, ChainFault.REMOVED)),
        (["DELETE FROM audit WHERE seq IN (3, 4)"], ChainBreak(3, ChainFault.REMOVED)),
        (["DELETE FROM audit WHERE seq >= 6"], ChainBreak(6, ChainFault.REMOVED)),
        (["DELETE FROM audit"], ChainBreak(1, ChainFault.REMOVED)),
        (["DELETE FROM audit_head", "DELETE FROM audit WHERE seq = 7"], ChainBreak(7, ChainFault.REMOVED)),
        (["UPDATE audit_head SET seq = 6"], ChainBreak(6, ChainFault.CHANGED)),
        (
            ["UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)"],
            ChainBreak(7, ChainFault.ADDED),
        ),
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 99",
            ],
            ChainBreak(3, ChainFault.REORDERED),
        ),
    ],
    ids=str,
)
async def test_the_first_broken_row_is_found(
    database: Database,
    audit: AuditJournal,
    monkeypatch: pytest.MonkeyPatch,
    statements: Sequence[str],
    found: ChainBreak | None,
) -> None:
    monkeypatch.setattr("bot.storage.audit.PAGE_SIZE", 3)
    await audit.add(*map(state, range(5)))
    await audit.add(state(5), state(6))
    [last] = await audit.search(limit=1)
    await tamper(database, *statements)

    assert await audit.verify() == (found or ChainHead(7, last.hash))


async def test_records_that_a_new_chain_lacks_are_counted(database: Database, audit: AuditJournal) -> None:
    store, votes, schedules = RequestStore(database), Votes(database, [LEAD]), SyncSchedules(database)
    for id_ in ("R1", "R2", "R3"):
        await store.create(request(id_, needs=rule()), people(2))
        await store.hold_if_required(id_)
    await votes.cast("R1", FIRST, Choice.APPROVE)
    await votes.withdraw("R2", ASKED)
    await store.save_verdicts("R1", {0: Verdict(people(1)[0].person.key, Outcome.ADDED)})
    await schedules.add(
        SyncSchedule(
            "S1", "support", "1@g.us", "U1", "C1", SyncSource(usergroup="S0TEAM"), SyncMode.MIRROR, "weekly", None, NOON
        )
    )
    assert isinstance(await audit.verify(), ChainHead)
    await tamper(database, "DELETE FROM audit", "DELETE FROM audit_head")
    await audit.add(state(0))

    assert await audit.verify() == AuditGaps(requests=3, decisions=1, answers=1, ends=1, syncs=1)


async def test_an_empty_journal_is_intact(audit: AuditJournal) -> None:
    assert await audit.verify() == ChainHead()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = ''",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = 0",
    ],
)
async def test_the_database_refuses_to_change_a_row(database: Database, audit: AuditJournal, statement: str) -> None:
    await audit.add(state(1))

    with pytest.raises(DBAPIError, match="append-only"):
        await run(database, statement)
    assert isinstance(await audit.verify(), ChainHead)


async def test_an_entry_is_rolled_back_with_its_change(database: Database, audit: AuditJournal) -> None:
    def change(connection: Connection) -> None:
        append_entries(connection, [state(1)])
        raise LookupError

    await audit.add(state(0))
    with pytest.raises(LookupError):
        await database.write(change)
    await audit.add(state(2))

    assert [row.actor async for row in audit.rows()] == ["U0", "U2"]
    assert isinstance(await audit.verify(), ChainHead)


async def test_concurrent_writers_keep_one_chain(database: Database, audit: AuditJournal) -> None:
    async with open_database(database.url) as other:
        await asyncio.gather(*(AuditJournal(d).add(state(n), state(n)) for n in range(8) for d in (database, other)))

    assert await audit.verify() == ChainHead(32, (await audit.search(limit=1))[0].hash)


async def test_a_request_its_votes_and_refused_clicks_are_recorded(database: Database, audit: AuditJournal) -> None:
    store, votes = RequestStore(database), Votes(database, [LEAD])
    rejected = RequestItem(1, Person("bogus"), outcome=Outcome.INVALID, at=NOON)
    new = request(needs=rule())
    await store.create(new, [*people(1), rejected])
    await store.create(new, people(1))
    await store.hold_if_required("R1")
    await votes.cast("R1", ASKED, Choice.APPROVE)
    await votes.withdraw("R1", FIRST)
    await votes.cast("R1", FIRST, Choice.APPROVE)
    await votes.cast("R404", Actor("U9"), Choice.DENY)

    first, *others = await entries_of(audit)
    assert first[:3] == ("request", "U0ASKED", "R1")
    assert others == [
        ("verdict", "U0ASKED", "R1", {}),
        ("refused_click", "U0ASKED", "R1", {"action": "approve", "code": "own_request"}),
        ("refused_click", "U1LEAD", "R1", {"action": "withdraw", "code": "not_yours"}),
        ("decision", "U1LEAD", "R1", {"choice": "approve", "reason": "", "state": "approved"}),
        ("refused_click", "U9", "R404", {"action": "deny", "code": "over"}),
    ]


async def test_every_new_verdict_is_recorded_once(database: Database, audit: AuditJournal) -> None:
    store = RequestStore(database)
    await store.create(request(), people(3))
    present = Verdict("", Outcome.ALREADY_DONE, Evidence.OBSERVED)
    unknown, added = Verdict("", Outcome.UNKNOWN), Verdict("", Outcome.ADDED, Evidence.OBSERVED)
    await store.save_plan("R1", dict.fromkeys(range(3), MembershipStatus.UNKNOWN), {1: 0, 2: 0}, {0: present})
    await store.save_verdicts("R1", {1: unknown, 2: added})
    await store.save_verdicts("R1", {1: added, 2: added})
    await store.save_verdicts("R1", {})

    verdicts = [row.entry async for row in audit.rows() if row.kind == EntryKind.VERDICT]
    assert [(v.phone[-1], v.outcome, v.evidence) for v in verdicts] == [
        ("0", "already_done", "observed"),
        ("1", "unknown", ""),
        ("2", "added", "observed"),
        ("1", "added", "observed"),
    ]
    assert verdicts[3].at == (await store.items("R1"))[1].at


async def test_expiry_stop_and_withdrawal_are_recorded(database: Database, audit: AuditJournal) -> None:
    store, votes = RequestStore(database), Votes(database, [LEAD])
    for id_, at in (("R1", EARLIER), ("R2", NOON)):
        await store.create(request(id_, needs=rule(), asked_at=at), [])
        await store.hold_if_required(id_)
    await store.create(request("R3", state=RequestState.RUNNING), [])
    await WorkQueue(database).expire(EARLIER.timestamp() + 86_400)
    await votes.withdraw("R2", ASKED)
    for _ in range(2):
        await store.stop("R3", "U7")

    assert [line for line in await entries_of(audit) if line[0] == "state"] == [
        ("state", "", "R1", {"state": "expired"}),
        ("state", "U0ASKED", "R2", {"state": "withdrawn"}),
        ("state", "U7", "R3", {"state": "stopped"}),
    ]


async def test_a_configuration_is_recorded_when_it_changes(audit: AuditJournal) -> None:
    for port in (3000, 3000, 3001, 3000):
        await audit.record_configuration({"server": {"port": port}})

    ports = [row.as_dict()["details"]["configuration"]["server"]["port"] async for row in audit.rows()]
    assert ports == [3000, 3001, 3000]


async def test_rows_are_found_by_person_group_and_time_newest_first(database: Database, audit: AuditJournal) -> None:
    store = RequestStore(database)
    await store.create(request("R1"), people(12))
    await store.save_verdicts("R1", {1: Verdict("", Outcome.ADDED), 11: Verdict("", Outcome.ADDED)})
    at = EARLIER + timedelta(hours=1)
    refused = {"operation": "add", "connection": "support", "code": "no_role"}
    await audit.add(refused_command_entry(actor="U9", group_id="1@g.us", at=EARLIER, **refused))
    await audit.add(refused_command_entry(actor="U8", group_id="1@g.us", at=at, **refused))

    async def found(**filters: Any) -> list[int]:
        return [row.seq for row in await audit.search(**filters)]

    assert await found() == [5, 4, 3, 2, 1]
    assert await found(person="+14150000001") == [2, 1]
    assert await found(person="+1415000000") == []
    assert await found(person="%") == []
    assert await found(person="U9") == [4]
    assert await found(person="U0ASKED", group=request().group_id) == [3, 2, 1]
    assert await found(group="1@g.us") == [5, 4]
    assert await found(since=at, until=at + timedelta(seconds=1)) == [5]
    assert await found(until=at) == [4]
    assert await found(limit=2) == [5, 4]
    assert await found(limit=2, before_seq=4) == [3, 2]
    assert [row.seq async for row in audit.rows(since=at)] == [1, 2, 3, 5]
