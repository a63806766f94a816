"""Every operation in the workflow, with a scripted provider."""

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.operations import GROUP_LABEL, LINK_LABEL, SETTING_LABELS
from bot.domain.requests import RequestItem, RequestOptions, RequestState
from bot.domain.send_limits import SendLimits
from bot.execution.throttle import Throttle
from bot.storage.database import Database
from providers.base import (
    AccountDisconnected,
    Action,
    Evidence,
    GroupChange,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    Operation,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    RateLimited,
)
from tests.bot.execution.scripted import Answer, LateProvider, ScriptedProvider
from tests.bot.execution.test_workflow import WorkflowHarness, harness
from tests.bot.storage.samples import people, person, request, rule

__all__ = ["harness"]
KEYS = [person(number).key for number in range(10)]


@pytest.fixture
def database(sqlite: Database) -> Database:
    return sqlite


def items_of(operation: Operation, count: int) -> list[RequestItem]:
    return [replace(p, operation=operation) for p in people(count)]


def things(operation: Operation, *labels: str) -> list[RequestItem]:
    return [RequestItem(place, Person(label), operation) for place, label in enumerate(labels)]


async def carry_out(
    harness: WorkflowHarness,
    provider: ScriptedProvider,
    operation: Operation,
    roster: Sequence[RequestItem],
    options: RequestOptions | None = None,
) -> list[RequestItem]:
    """Carry a request out to its end, and return its items."""
    id_ = await harness.ask(provider, roster, operation=operation, options=options or RequestOptions())
    await harness.engine.start("open", id_)
    await harness.notifier.until("finish", id_)
    return await harness.store.items(id_)


def outcomes(items: Sequence[RequestItem]) -> list[Outcome | None]:
    return [p.outcome for p in items]


async def test_only_members_are_removed(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside={KEYS[0], KEYS[2]})
    items = await carry_out(harness, provider, Operation.REMOVE, items_of(Operation.REMOVE, 3))
    assert outcomes(items) == [Outcome.REMOVED, Outcome.ALREADY_DONE, Outcome.REMOVED]
    assert provider.calls == [[KEYS[0], KEYS[2]]]
    assert provider.inside == set()


async def test_an_unreported_promotion_is_read_back(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside=set(KEYS[:2]), admins={KEYS[1]})
    items = await carry_out(harness, provider, Operation.PROMOTE, items_of(Operation.PROMOTE, 3))
    assert outcomes(items) == [Outcome.PROMOTED, Outcome.ALREADY_DONE, Outcome.FAILED]
    assert [p.evidence for p in items] == [Evidence.OBSERVED] * 3
    assert "aren't in the group" in items[2].provider_message
    assert provider.calls == [[KEYS[0]]]


async def test_a_demotion_leaves_members_alone(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside=set(KEYS[:2]), admins={KEYS[1]})
    items = await carry_out(harness, provider, Operation.DEMOTE, items_of(Operation.DEMOTE, 3))
    assert outcomes(items) == [Outcome.ALREADY_DONE, Outcome.DEMOTED, Outcome.ALREADY_DONE]


async def test_a_sync_adds_and_removes_in_one_request(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside={KEYS[2], KEYS[3]})
    roster = [*items_of(Operation.ADD, 2), *items_of(Operation.REMOVE, 4)[2:]]
    items = await carry_out(harness, provider, Operation.SYNC, roster)
    assert outcomes(items) == [Outcome.ADDED] * 2 + [Outcome.REMOVED] * 2
    assert provider.inside == set(KEYS[:2])


async def test_a_group_is_created_once_and_filled_in_batches(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    roster = [replace(p, before=MembershipStatus.ABSENT) for p in items_of(Operation.CREATE, 5)]
    items = await carry_out(harness, provider, Operation.CREATE, roster, RequestOptions(subject="Spring Fair"))
    assert outcomes(items) == [Outcome.ADDED] * 5
    assert provider.created == ["Spring Fair"]
    assert [len(call) for call in provider.calls] == [2, 2, 1]
    assert harness.notifier.finished


async def test_a_creation_with_an_unknown_result_is_not_repeated(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(failures={Action.CREATE: OutcomeUnknown("no answer")})
    roster = [replace(p, before=MembershipStatus.ABSENT) for p in items_of(Operation.CREATE, 4)]
    items = await carry_out(harness, provider, Operation.CREATE, roster, RequestOptions(subject="Spring Fair"))
    assert outcomes(items) == [Outcome.UNKNOWN] * 2 + [Outcome.NOT_ATTEMPTED] * 2
    assert len(provider.calls) == 1


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.SEND, Operation.INVITE])
async def test_an_unrepeatable_call_is_unknown_after_a_crash(harness: WorkflowHarness, operation: Operation) -> None:
    killed = asyncio.CancelledError()
    provider = ScriptedProvider()
    provider.failures = dict.fromkeys([Action.CREATE, Action.SEND_TO_PERSON], killed)  # type: ignore[arg-type]
    id_ = await harness.ask(
        provider, items_of(operation, 1), operation=operation, options=RequestOptions(text="hello", subject="S")
    )
    await harness.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await harness.workflow.batches.send(id_, 0)
    sent = len(provider.calls) + len(provider.texts)
    provider.failures.clear()
    await harness.workflow.batches.send(id_, 0)
    assert len(provider.calls) + len(provider.texts) == sent == 1
    assert outcomes(await harness.store.items(id_)) == [Outcome.UNKNOWN]


async def test_each_setting_gets_its_own_verdict(harness: WorkflowHarness) -> None:
    change = GroupChange(subject="New", announce_only=True)
    provider = ScriptedProvider(failures={Action.ANNOUNCE_ONLY: InvalidRequest("not here", code="400")})
    roster = things(Operation.SETTINGS, *(SETTING_LABELS[action] for action in change.actions))
    items = await carry_out(harness, provider, Operation.SETTINGS, roster, RequestOptions(change=change))
    assert outcomes(items) == [Outcome.CHANGED, Outcome.FAILED]
    assert items[1].provider_code == "400"
    assert provider.changes == [change]


async def test_a_text_goes_to_the_group_once(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    roster = things(Operation.SEND, GROUP_LABEL)
    items = await carry_out(harness, provider, Operation.SEND, roster, RequestOptions(text="Doors open at nine"))
    assert outcomes(items) == [Outcome.SENT]
    assert provider.texts == [("120363041234567890@g.us", "Doors open at nine")]


async def test_each_person_is_invited_in_a_separate_call(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    items = await carry_out(
        harness, provider, Operation.INVITE, items_of(Operation.INVITE, 2), RequestOptions(text="Join us")
    )
    assert outcomes(items) == [Outcome.INVITED] * 2
    assert [key for key, _ in provider.texts] == KEYS[:2]
    text = "Join us\nYou are invited to the WhatsApp group “Launch”: https://chat.whatsapp.com/CODE"
    assert provider.texts[0][1] == text


async def test_an_invite_without_a_known_subject_names_no_group(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(failures={Action.READ_GROUP: PermissionMissing("the token may not")})
    await carry_out(harness, provider, Operation.INVITE, items_of(Operation.INVITE, 1))
    assert provider.texts == [(KEYS[0], "You are invited to a WhatsApp group: https://chat.whatsapp.com/CODE")]


async def test_a_reset_link_is_not_shown_in_the_results(harness: WorkflowHarness) -> None:
    items = await carry_out(harness, ScriptedProvider(), Operation.INVITE, things(Operation.INVITE, LINK_LABEL))
    assert outcomes(items) == [Outcome.CHANGED]
    assert "NEWCODE" not in items[0].provider_message


@pytest.mark.parametrize("invite", [True, False])
async def test_refusals_are_invited_only_if_the_request_says_so(harness: WorkflowHarness, invite: bool) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1)])
    items = await carry_out(harness, provider, Operation.ADD, people(2), RequestOptions(invite_refused=invite))
    assert outcomes(items) == [Outcome.ADDED, Outcome.INVITED if invite else Outcome.REFUSED]
    assert [key for key, _ in provider.texts] == ([KEYS[1]] if invite else [])


async def test_a_failed_invite_is_added_to_the_refusal(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0)], failures={Action.READ_INVITE: NotGroupAdmin("no admin")})
    items = await carry_out(harness, provider, Operation.ADD, people(1), RequestOptions(invite_refused=True))
    assert outcomes(items) == [Outcome.REFUSED]
    assert "not invited: no admin" in items[0].provider_message


async def test_an_interrupted_invite_is_not_repeated(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0)])
    provider.failures = {Action.SEND_TO_PERSON: asyncio.CancelledError()}  # type: ignore[dict-item]
    id_ = await harness.ask(provider, people(1), options=RequestOptions(invite_refused=True))
    await harness.workflow.prepare(id_)
    await harness.workflow.batches.send(id_, 0)
    with suppress(asyncio.CancelledError):
        await harness.workflow.invites.send(id_, 0)
    provider.failures.clear()
    await harness.workflow.invites.send(id_, 0)
    assert len(provider.texts) == 1
    [items] = await harness.store.items(id_)
    assert items.outcome is Outcome.REFUSED
    assert "may have been sent" in items.provider_message


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(RateLimited("slow", retry_after=120), 120), (RateLimited("slow"), 900), (AccountDisconnected("gone"), 60)],
)
async def test_a_limited_or_lost_account_cools_down_for_all_requests(
    harness: WorkflowHarness, error: RateLimited | AccountDisconnected, seconds: float
) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0, error=error)])
    first = await harness.run(provider, people(4))
    connection = (await harness.store.get(first)).connection
    cooldown = await harness.connections[connection].throttle.cooldown()
    assert cooldown is not None
    assert 0 < cooldown.until.timestamp() - (time.time() + seconds - 30) < 60
    second = await harness.ask(provider, people(2), connection=connection)
    await harness.engine.start("open", second)
    await harness.notifier.until("finish", second)
    assert len(provider.calls) == 1
    items = await harness.store.items(second)
    assert outcomes(items) == [Outcome.NOT_ATTEMPTED] * 2
    assert items[0].provider_message.startswith("Paused until ")
    fresh = Throttle(harness.database, connection, SendLimits())
    assert await fresh.cooldown() == cooldown  # it survives a restart


async def test_stopping_leaves_the_remaining_people_not_attempted(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.ask(provider, people(6))
    await harness.workflow.prepare(id_)
    assert await harness.workflow.batches.send(id_, 0)
    assert await harness.store.stop(id_, "U0ASKED")
    assert not await harness.store.stop(id_, "U1LEAD")
    assert not await harness.workflow.batches.send(id_, 1)
    assert outcomes(await harness.store.items(id_)) == [Outcome.ADDED] * 2 + [Outcome.NOT_ATTEMPTED] * 4
    assert (await harness.store.get(id_)).stopped_by == "U0ASKED"


async def test_stopping_reaches_a_batch_that_waits_for_its_slot(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.ask(provider, people(2))
    await harness.workflow.prepare(id_)
    connection = harness.connections[(await harness.store.get(id_)).connection]
    async with connection.throttle.slot(1):
        sending = asyncio.create_task(harness.workflow.batches.send(id_, 0))
        await asyncio.sleep(0)
        assert await harness.store.stop(id_, "U0ASKED")
    assert not await sending
    assert provider.calls == []
    assert outcomes(await harness.store.items(id_)) == [Outcome.NOT_ATTEMPTED] * 2


async def test_stopping_reaches_the_unsent_invites(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0)])
    id_ = await harness.ask(provider, people(2), options=RequestOptions(invite_refused=True))
    await harness.workflow.prepare(id_)
    await harness.workflow.batches.send(id_, 0)
    assert await harness.workflow.invites.pending_positions(id_) == [0, 1]
    connection = harness.connections[(await harness.store.get(id_)).connection]
    async with connection.throttle.slot(1):
        inviting = asyncio.create_task(harness.workflow.invites.send(id_, 0))
        await asyncio.sleep(0)
        assert await harness.store.stop(id_, "U0ASKED")
    await inviting
    await harness.workflow.invites.send(id_, 1)
    assert provider.texts == []
    items = await harness.store.items(id_)
    assert outcomes(items) == [Outcome.REFUSED] * 2
    assert all("not invited: The request was stopped" in p.provider_message for p in items)


async def test_a_setting_that_fails_when_repeated_is_unknown(
    harness: WorkflowHarness,
) -> None:
    provider = ScriptedProvider(failures={Action.ANNOUNCE_ONLY: InvalidRequest("not here", code="400")})
    change = GroupChange(subject="New", announce_only=True)
    roster = things(Operation.SETTINGS, *(SETTING_LABELS[action] for action in change.actions))
    id_ = await harness.ask(provider, roster, operation=Operation.SETTINGS, options=RequestOptions(change=change))
    await harness.workflow.prepare(id_)
    await harness.store.mark_submitted(id_, [0, 1])  # and the process was killed
    assert await harness.workflow.batches.send(id_, 0)
    assert outcomes(await harness.store.items(id_)) == [Outcome.CHANGED, Outcome.UNKNOWN]


async def test_an_interrupted_creation_creates_no_second_group(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.ask(
        provider, items_of(Operation.CREATE, 2), operation=Operation.CREATE, options=RequestOptions(subject="S")
    )
    await harness.workflow.prepare(id_)
    await harness.store.mark_submitted(
        id_, [0]
    )  # the day had room for one; the process was killed, and the day is over
    assert not await harness.workflow.batches.send(id_, 0)
    assert provider.created == []
    assert outcomes(await harness.store.items(id_)) == [Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED]


async def test_the_daily_limit_does_not_stop_calls_about_the_group(harness: WorkflowHarness) -> None:
    provider, change = ScriptedProvider(), GroupChange(subject="New", announce_only=True)
    first = await harness.ask(
        provider, items_of(Operation.SEND, 2), operation=Operation.SEND, options=RequestOptions(text="hello")
    )
    connection = (await harness.store.get(first)).connection
    harness.connections[connection] = replace(
        harness.connections[connection], throttle=Throttle(harness.database, connection, SendLimits(gap=0.0, per_day=1))
    )
    roster = things(Operation.SETTINGS, *(SETTING_LABELS[action] for action in change.actions))
    second = await harness.ask(
        provider, roster, connection=connection, operation=Operation.SETTINGS, options=RequestOptions(change=change)
    )
    for id_ in (first, second):
        await harness.engine.start("open", id_)
        await harness.notifier.until("finish", id_)
    assert outcomes(await harness.store.items(first)) == [Outcome.SENT, Outcome.NOT_ATTEMPTED]
    assert outcomes(await harness.store.items(second)) == [Outcome.CHANGED] * 2
    assert await harness.connections[connection].throttle.remaining_today() == 0


async def test_verifying_sends_nothing(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside={KEYS[0], KEYS[1]})
    roster = people(3)
    roster = [
        replace(roster[0], before=MembershipStatus.ABSENT),
        roster[1],
        replace(roster[2], before=MembershipStatus.ABSENT),
    ]
    items = await carry_out(harness, provider, Operation.ADD, roster, RequestOptions(look_only=True))
    assert outcomes(items) == [Outcome.ADDED, Outcome.CONFIRMED, Outcome.FAILED]
    assert provider.calls == []


async def test_verifying_by_a_list_that_may_be_late_fails_no_one(harness: WorkflowHarness) -> None:
    provider = LateProvider(inside={KEYS[0]})
    roster = [replace(p, before=MembershipStatus.ABSENT) for p in people(2)]
    items = await carry_out(harness, provider, Operation.ADD, roster, RequestOptions(look_only=True))
    assert outcomes(items) == [Outcome.ADDED, Outcome.UNKNOWN]
    assert re.search(r"read at \d\d:\d\d UTC, doesn't show it", items[1].provider_message)


async def test_a_list_that_may_be_late_stops_no_call_and_proves_no_past(harness: WorkflowHarness) -> None:
    provider = LateProvider(inside={KEYS[0]}, answers=[Answer(outcome=Outcome.UNKNOWN)])
    items = await carry_out(harness, provider, Operation.ADD, people(2))
    assert provider.sent == {KEYS[0]: 1, KEYS[1]: 1}
    assert outcomes(items) == [Outcome.CONFIRMED, Outcome.ADDED]


async def test_a_request_runs_at_its_time(harness: WorkflowHarness) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    id_ = await harness.ask(ScriptedProvider(), people(1), options=RequestOptions(run_at=later))
    await harness.engine.start("open", id_)
    await harness.notifier.until("open", id_)
    assert await harness.workflow._open(id_)
    assert (await harness.store.get(id_)).state is RequestState.APPROVED
    assert id_ not in [due.request_id for due in (await harness.queue.due(time.time())).work]
    assert id_ in [due.request_id for due in (await harness.queue.due(later.timestamp())).work]
    assert (await harness.queue.due(time.time())).next_at == pytest.approx(later.timestamp())


async def test_a_withdrawn_request_does_nothing(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.ask(provider, people(1), state=RequestState.WITHDRAWN)
    assert await harness.workflow.prepare(id_) is None
    assert provider.calls == []


async def test_reminders_end_with_the_request(harness: WorkflowHarness) -> None:
    asked_at = datetime.now(UTC) - timedelta(hours=2)
    await harness.store.create(request("RR", needs=rule(remind=timedelta(hours=1)), asked_at=asked_at), people(1))
    await harness.store.hold_if_required("RR")
    [due] = (await harness.queue.due(time.time())).reminders
    assert due.number == 0
    await harness.queue.mark_reminded(due, time.time() + 60)
    await harness.queue.mark_reminded(due, time.time() - 60)  # a second time changes nothing
    assert (await harness.queue.due(time.time())).reminders == []
    await harness.engine.start("remind", "RR", 0)
    await harness.notifier.until("remind 0", "RR")
    await harness.store.transition("RR", RequestState.DENIED)
    await harness.workflow._remind("RR", 1)
    assert ("remind 1", "RR") not in harness.notifier.posts
