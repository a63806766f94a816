import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.groups import GroupRef
from bot.domain.send_limits import SendLimits
from bot.domain.sync import SyncMode, SyncSchedule, SyncSource
from bot.execution.throttle import Throttle
from bot.storage.database import Database
from bot.storage.postgres import ReplicaFenced
from bot.storage.replicas import Replica, Replicas
from bot.storage.sync_schedules import SyncSchedules
from tests.bot.storage.databases import A_SENDER, open_database, open_transaction, run, scalar

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


async def seen(replicas: Replicas, replica: str, by: str = "other") -> Replica:
    """Return a replica as another one sees it."""
    return next(r for r in await replicas.others(by) if r.id == replica)


async def test_a_replica_that_renews_its_row_is_not_fenced(postgres: Database) -> None:
    replicas = Replicas(postgres)
    await replicas.join("one")
    before = await seen(replicas, "one")
    assert await replicas.renew("one")
    assert not await replicas.fence(before)
    assert not (await seen(replicas, "one")).fenced


async def test_a_silent_replica_is_fenced_once(postgres: Database) -> None:
    replicas = Replicas(postgres)
    await replicas.join("one")
    row = await seen(replicas, "one")
    assert await replicas.fence(row)
    assert not await replicas.fence(row)
    assert not await replicas.renew("one")
    assert (await seen(replicas, "one")).fenced


async def test_a_fenced_replica_writes_nothing(postgres: Database) -> None:
    replicas = Replicas(postgres)
    async with open_database(postgres.url) as own:
        await replicas.join("one")
        own.replica = "one"
        await run(own, A_SENDER)
        await replicas.leave("one")
        with pytest.raises(ReplicaFenced):
            await run(own, "DELETE FROM senders")
    assert await scalar(postgres, "SELECT count(*) FROM senders") == 1


async def test_a_replica_without_a_row_writes_nothing(postgres: Database) -> None:
    async with open_database(postgres.url) as own:
        own.replica = "removed long ago"
        with pytest.raises(ReplicaFenced):
            await run(own, "SELECT 1")


async def test_an_open_transaction_delays_fencing_but_no_renewal(postgres: Database) -> None:
    replicas = Replicas(postgres)
    async with open_database(postgres.url) as own:
        await replicas.join("one")
        own.replica = "one"
        async with open_transaction(own, last=A_SENDER):
            assert await replicas.renew("one")
            fencing = asyncio.create_task(replicas.fence(await seen(replicas, "one")))
            done, _ = await asyncio.wait([fencing], timeout=0.3)
            assert not done
        assert await fencing


async def test_fencing_frees_what_the_replica_reserved(postgres: Database) -> None:
    replicas, schedules = Replicas(postgres), SyncSchedules(postgres)
    source = SyncSource(group=GroupRef("support", "2@g.us"))
    await schedules.add(
        SyncSchedule(
            id="S1",
            connection="support",
            group_id="1@g.us",
            requester="U1",
            channel="C1",
            source=source,
            mode=SyncMode.ADD,
            reason="",
            every=timedelta(days=1),
            next_at=NOON,
        )
    )
    async with open_database(postgres.url) as first:
        await replicas.join("first")
        first.replica = "first"
        [claimed] = await SyncSchedules(first).claim_due(NOON)
        assert [claimed] == await SyncSchedules(first).claim_due(NOON)  # after an error it runs again here
        await replicas.join("second")
        postgres.replica = "second"
        assert await schedules.claim_due(NOON) == []
        assert await replicas.fence(await seen(replicas, "first"))
        assert await schedules.claim_due(NOON) == [claimed]


async def test_calls_of_two_replicas_never_overlap(postgres: Database) -> None:
    replicas = Replicas(postgres)
    running, most = 0, 0

    async def send(database: Database) -> None:
        nonlocal running, most
        throttle = Throttle(database, "support", SendLimits(gap=0.0, jitter=0.0))
        for _ in range(4):
            async with throttle.slot(1):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0)
                running -= 1

    async with open_database(postgres.url) as one, open_database(postgres.url) as other:
        for database, name in ((one, "one"), (other, "other")):
            await replicas.join(name)
            database.replica = name
        async with asyncio.timeout(30):
            await asyncio.gather(send(one), send(other))
    assert most == 1


async def test_a_dead_replicas_call_blocks_no_other_after_it_is_fenced(postgres: Database) -> None:
    replicas = Replicas(postgres)
    limits = SendLimits(gap=0.0, jitter=0.0)
    async with open_database(postgres.url) as dead:
        await replicas.join("dead")
        await replicas.join("living")
        dead.replica, postgres.replica = "dead", "living"
        async with Throttle(dead, "support", limits).slot(1):
            waiting = asyncio.create_task(_one_call(Throttle(postgres, "support", limits)))
            done, _ = await asyncio.wait([waiting], timeout=0.5)
            assert not done
            await replicas.fence(await seen(replicas, "dead"))
            async with asyncio.timeout(10):
                await waiting


async def _one_call(throttle: Throttle) -> None:
    async with throttle.slot(1):
        pass
