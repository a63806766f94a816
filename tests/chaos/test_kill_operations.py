import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.requests import RequestItem, RequestOptions, RequestState
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from providers.base import MembershipStatus, Operation, Outcome, Person
from sandbox.providers.world import Disposition, Membership
from sandbox.sandbox import serve_sandbox
from tests.app import group_id
from tests.bot.storage.samples import request
from tests.chaos.process import Deployment
from tests.slack_ui import PRIVATE

pytestmark = pytest.mark.timeout(300)  # processes start and are killed, one after another

KILLS = 3
LATENCY = 0.15
LIFETIME = (0.6, 1.6)
PEOPLE = {
    operation: [f"1415{555}{1000 + 100 * number + place}" for place in range(8)]
    for number, operation in enumerate(
        [Operation.REMOVE, Operation.PROMOTE, Operation.CREATE, Operation.SEND, Operation.INVITE]
    )
}
DONE = {
    Operation.REMOVE: Outcome.REMOVED,
    Operation.PROMOTE: Outcome.PROMOTED,
    Operation.CREATE: Outcome.ADDED,
    Operation.SEND: Outcome.SENT,
    Operation.INVITE: Outcome.INVITED,
}


async def test_every_operation_survives_repeated_kills(tmp_path: Path) -> None:
    rng = random.Random(1)
    async with serve_sandbox(["wuts"]) as sandbox:
        server, world, group = sandbox.providers["wuts"], sandbox.providers["wuts"].world, group_id("wuts")
        server.latency = LATENCY
        for operation, phones in PEOPLE.items():
            for phone in phones:
                world.put_person(phone, Disposition.OPEN)
                if operation in {Operation.REMOVE, Operation.PROMOTE}:
                    world.groups[group].members[phone] = Membership(phone)
        deployment = Deployment(sandbox, tmp_path, pace='batch = 3, gap = "0s"')
        database = Database(deployment.storage_url)
        await database.upgrade()
        store = RequestStore(database)
        for operation, phones in PEOPLE.items():
            made = operation is Operation.CREATE
            new = replace(
                request(operation, connection="wuts"),
                operation=operation,
                group_id="" if made else group,
                requester="U01ALICE",
                channel=PRIVATE,
                options=RequestOptions(subject="Spring Fair" if made else "", text=f"text of {operation}"),
            )
            before = MembershipStatus.ABSENT if made else MembershipStatus.UNKNOWN
            roster = [RequestItem(n, Person(p, f"+{p}"), operation, before) for n, p in enumerate(phones)]
            await store.create(new, roster)

        for _ in range(KILLS):
            async with deployment.bot() as bot:
                await bot.ready()
                await bot.kill_after(rng.uniform(*LIFETIME))
        await deployment.finish(len(DONE))

        effects = Counter((event.phone, str(event.effect)) for event in world.events)
        texts = Counter((sent.to.partition("@")[0], sent.text.partition("\n")[0]) for sent in world.sent)
        assert sum(g.subject == "Spring Fair" for g in world.groups.values()) <= 1
        for operation, done in DONE.items():
            assert (await store.get(operation)).state is RequestState.DONE
            answered = await store.items(operation)
            assert [p.person.digits for p in answered] == PEOPLE[operation]
            for p in answered:
                sent = texts[p.person.digits, f"text of {operation}"]
                times = sent if operation in {Operation.SEND, Operation.INVITE} else effects[p.person.digits, str(done)]
                assert times <= 1, p
                assert p.outcome is Outcome.UNKNOWN or (p.outcome is done) == (times == 1), p
        await database.aclose()
