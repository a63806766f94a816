"""Every operation on its way through the workflow, with a provider that does what the test has written down."""

import asyncio
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
from tests.bot.execution.scripted import Answer, ScriptedProvider
from tests.bot.execution.test_workflow import Bench, bench
from tests.bot.storage.samples import people, person, request, rule

__all__ = ["bench"]
KEYS = [person(number).key for number in range(10)]


@pytest.fixture
def database(sqlite: Database) -> Database:
    return sqlite


def lines(operation: Operation, count: int) -> list[RequestItem]:
    return [replace(p, operation=operation) for p in people(count)]


def things(operation: Operation, *labels: str) -> list[RequestItem]:
    return [RequestItem(place, Person(label), operation) for place, label in enumerate(labels)]


async def carry_out(
    bench: Bench,
    provider: ScriptedProvider,
    operation: Operation,
    roster: Sequence[RequestItem],
    options: RequestOptions | None = None,
) -> list[RequestItem]:
    """Carry a request out to its end, and give its lines."""
    id_ = await bench.ask(provider, roster, operation=operation, options=options or RequestOptions())
    await bench.engine.start("open", id_)
    await bench.voice.until("finish", id_)
    return await bench.journal.items(id_)


def told(answered: Sequence[RequestItem]) -> list[Outcome | None]:
    return [p.outcome for p in answered]


async def test_only_members_are_removed_and_who_was_none_is_done_already(bench: Bench) -> None:
    provider = ScriptedProvider(inside={KEYS[0], KEYS[2]})
    answered = await carry_out(bench, provider, Operation.REMOVE, lines(Operation.REMOVE, 3))
    assert told(answered) == [Outcome.REMOVED, Outcome.ALREADY_DONE, Outcome.REMOVED]
    assert provider.calls == [[KEYS[0], KEYS[2]]]
    assert provider.inside == set()


async def test_a_promotion_that_nothing_is_said_of_is_read_back_from_the_roles(bench: Bench) -> None:
    provider = ScriptedProvider(inside=set(KEYS[:2]), admins={KEYS[1]})
    answered = await carry_out(bench, provider, Operation.PROMOTE, lines(Operation.PROMOTE, 3))
    assert told(answered) == [Outcome.PROMOTED, Outcome.ALREADY_DONE, Outcome.FAILED]
    assert [p.evidence for p in answered] == [Evidence.OBSERVED] * 3
    assert "not in the group" in answered[2].provider_message
    assert provider.calls == [[KEYS[0]]]


async def test_a_demotion_leaves_members_alone(bench: Bench) -> None:
    provider = ScriptedProvider(inside=set(KEYS[:2]), admins={KEYS[1]})
    answered = await carry_out(bench, provider, Operation.DEMOTE, lines(Operation.DEMOTE, 3))
    assert told(answered) == [Outcome.ALREADY_DONE, Outcome.DEMOTED, Outcome.ALREADY_DONE]


async def test_a_sync_adds_and_removes_in_one_request(bench: Bench) -> None:
    provider = ScriptedProvider(inside={KEYS[2], KEYS[3]})
    roster = [*lines(Operation.ADD, 2), *lines(Operation.REMOVE, 4)[2:]]
    answered = await carry_out(bench, provider, Operation.SYNC, roster)
    assert told(answered) == [Outcome.ADDED] * 2 + [Outcome.REMOVED] * 2
    assert provider.inside == set(KEYS[:2])


async def test_a_group_is_created_once_and_filled_chunk_by_chunk(bench: Bench) -> None:
    provider = ScriptedProvider()
    roster = [replace(p, before=MembershipStatus.ABSENT) for p in lines(Operation.CREATE, 5)]
    answered = await carry_out(bench, provider, Operation.CREATE, roster, RequestOptions(subject="Spring Fair"))
    assert told(answered) == [Outcome.ADDED] * 5
    assert provider.created == ["Spring Fair"]
    assert [len(call) for call in provider.calls] == [2, 2, 1]
    assert bench.voice.finished


async def test_a_creation_that_nobody_knows_of_is_not_sent_again(bench: Bench) -> None:
    provider = ScriptedProvider(failures={Action.CREATE: OutcomeUnknown("no answer")})
    roster = [replace(p, before=MembershipStatus.ABSENT) for p in lines(Operation.CREATE, 4)]
    answered = await carry_out(bench, provider, Operation.CREATE, roster, RequestOptions(subject="Spring Fair"))
    assert told(answered) == [Outcome.UNKNOWN] * 2 + [Outcome.NOT_ATTEMPTED] * 2
    assert len(provider.calls) == 1


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.SEND, Operation.INVITE])
async def test_what_must_not_happen_twice_is_unknown_after_a_crash_in_the_call(
    bench: Bench, operation: Operation
) -> None:
    killed = asyncio.CancelledError()
    provider = ScriptedProvider()
    provider.failures = dict.fromkeys([Action.CREATE, Action.SEND_TO_PERSON], killed)  # type: ignore[arg-type]
    id_ = await bench.ask(
        provider, lines(operation, 1), operation=operation, options=RequestOptions(text="hello", subject="S")
    )
    await bench.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await bench.workflow.batches.send(id_, 0)
    sent = len(provider.calls) + len(provider.texts)
    provider.failures.clear()
    await bench.workflow.batches.send(id_, 0)
    assert len(provider.calls) + len(provider.texts) == sent == 1
    assert told(await bench.journal.items(id_)) == [Outcome.UNKNOWN]


async def test_each_setting_has_an_answer_of_its_own(bench: Bench) -> None:
    change = GroupChange(subject="New", announce_only=True)
    provider = ScriptedProvider(failures={Action.ANNOUNCE_ONLY: InvalidRequest("not here", code="400")})
    roster = things(Operation.SETTINGS, *(SETTING_LABELS[action] for action in change.actions))
    answered = await carry_out(bench, provider, Operation.SETTINGS, roster, RequestOptions(change=change))
    assert told(answered) == [Outcome.CHANGED, Outcome.FAILED]
    assert answered[1].provider_code == "400"
    assert provider.changes == [change]


async def test_a_text_goes_to_the_group_once(bench: Bench) -> None:
    provider = ScriptedProvider()
    roster = things(Operation.SEND, GROUP_LABEL)
    answered = await carry_out(bench, provider, Operation.SEND, roster, RequestOptions(text="Doors open at nine"))
    assert told(answered) == [Outcome.SENT]
    assert provider.texts == [("120363041234567890@g.us", "Doors open at nine")]


async def test_an_invite_goes_to_each_person_in_a_call_of_their_own(bench: Bench) -> None:
    provider = ScriptedProvider()
    answered = await carry_out(
        bench, provider, Operation.INVITE, lines(Operation.INVITE, 2), RequestOptions(text="Join us")
    )
    assert told(answered) == [Outcome.INVITED] * 2
    assert [key for key, _ in provider.texts] == KEYS[:2]
    text = "Join us\nYou are invited to the WhatsApp group “Launch”: https://chat.whatsapp.com/CODE"
    assert provider.texts[0][1] == text


async def test_an_invite_names_no_group_whose_subject_nobody_tells(bench: Bench) -> None:
    provider = ScriptedProvider(failures={Action.READ_GROUP: PermissionMissing("the token may not")})
    await carry_out(bench, provider, Operation.INVITE, lines(Operation.INVITE, 1))
    assert provider.texts == [(KEYS[0], "You are invited to a WhatsApp group: https://chat.whatsapp.com/CODE")]


async def test_the_link_is_reset_and_not_told_in_the_results(bench: Bench) -> None:
    answered = await carry_out(bench, ScriptedProvider(), Operation.INVITE, things(Operation.INVITE, LINK_LABEL))
    assert told(answered) == [Outcome.CHANGED]
    assert "NEWCODE" not in answered[0].provider_message


@pytest.mark.parametrize("asked", [True, False])
async def test_who_refuses_is_invited_only_where_that_was_asked_for(bench: Bench, asked: bool) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1)])
    answered = await carry_out(bench, provider, Operation.ADD, people(2), RequestOptions(invite_refused=asked))
    assert told(answered) == [Outcome.ADDED, Outcome.INVITED if asked else Outcome.REFUSED]
    assert [key for key, _ in provider.texts] == ([KEYS[1]] if asked else [])


async def test_an_invite_that_fails_leaves_the_refusal_and_says_so(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0)], failures={Action.READ_INVITE: NotGroupAdmin("no admin")})
    answered = await carry_out(bench, provider, Operation.ADD, people(1), RequestOptions(invite_refused=True))
    assert told(answered) == [Outcome.REFUSED]
    assert "not invited: no admin" in answered[0].provider_message


async def test_an_invite_that_a_crash_interrupts_is_not_sent_again(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0)])
    provider.failures = {Action.SEND_TO_PERSON: asyncio.CancelledError()}  # type: ignore[dict-item]
    id_ = await bench.ask(provider, people(1), options=RequestOptions(invite_refused=True))
    await bench.workflow.prepare(id_)
    await bench.workflow.batches.send(id_, 0)
    with suppress(asyncio.CancelledError):
        await bench.workflow.invites.send(id_, 0)
    provider.failures.clear()
    await bench.workflow.invites.send(id_, 0)
    assert len(provider.texts) == 1
    [answered] = await bench.journal.items(id_)
    assert answered.outcome is Outcome.REFUSED
    assert "may have gone out" in answered.provider_message


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(RateLimited("slow", retry_after=120), 120), (RateLimited("slow"), 900), (AccountDisconnected("gone"), 60)],
)
async def test_an_account_that_is_limited_or_lost_rests_for_every_request(
    bench: Bench, error: RateLimited | AccountDisconnected, seconds: float
) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0, error=error)])
    first = await bench.run(provider, people(4))
    connection = (await bench.journal.get(first)).connection
    rest = await bench.lines[connection].throttle.cooldown()
    assert rest is not None
    assert 0 < rest.until.timestamp() - (time.time() + seconds - 30) < 60
    second = await bench.ask(provider, people(2), connection=connection)
    await bench.engine.start("open", second)
    await bench.voice.until("finish", second)
    assert len(provider.calls) == 1
    answered = await bench.journal.items(second)
    assert told(answered) == [Outcome.NOT_ATTEMPTED] * 2
    assert answered[0].provider_message.startswith("The sender rests until ")
    fresh = Throttle(bench.database, connection, SendLimits())
    assert await fresh.cooldown() == rest  # it holds across restarts


async def test_a_request_that_is_stopped_leaves_the_rest_not_attempted(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.ask(provider, people(6))
    await bench.workflow.prepare(id_)
    assert await bench.workflow.batches.send(id_, 0)
    assert await bench.journal.stop(id_, "U0ASKED")
    assert not await bench.journal.stop(id_, "U1LEAD")
    assert not await bench.workflow.batches.send(id_, 1)
    assert told(await bench.journal.items(id_)) == [Outcome.ADDED] * 2 + [Outcome.NOT_ATTEMPTED] * 4
    assert (await bench.journal.get(id_)).stopped_by == "U0ASKED"


async def test_a_stop_reaches_a_chunk_that_waits_for_its_turn(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.ask(provider, people(2))
    await bench.workflow.prepare(id_)
    line = bench.lines[(await bench.journal.get(id_)).connection]
    async with line.throttle.slot(1):
        sending = asyncio.create_task(bench.workflow.batches.send(id_, 0))
        await asyncio.sleep(0)
        assert await bench.journal.stop(id_, "U0ASKED")
    assert not await sending
    assert provider.calls == []
    assert told(await bench.journal.items(id_)) == [Outcome.NOT_ATTEMPTED] * 2


async def test_a_stop_reaches_the_invites_that_have_not_gone_out(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0)])
    id_ = await bench.ask(provider, people(2), options=RequestOptions(invite_refused=True))
    await bench.workflow.prepare(id_)
    await bench.workflow.batches.send(id_, 0)
    assert await bench.workflow.invites.pending_positions(id_) == [0, 1]
    line = bench.lines[(await bench.journal.get(id_)).connection]
    async with line.throttle.slot(1):
        inviting = asyncio.create_task(bench.workflow.invites.send(id_, 0))
        await asyncio.sleep(0)
        assert await bench.journal.stop(id_, "U0ASKED")
    await inviting
    await bench.workflow.invites.send(id_, 1)
    assert provider.texts == []
    answered = await bench.journal.items(id_)
    assert told(answered) == [Outcome.REFUSED] * 2
    assert all("not invited: The request was stopped" in p.provider_message for p in answered)


async def test_a_setting_that_fails_at_the_second_try_may_have_been_changed_by_the_first(bench: Bench) -> None:
    provider = ScriptedProvider(failures={Action.ANNOUNCE_ONLY: InvalidRequest("not here", code="400")})
    change = GroupChange(subject="New", announce_only=True)
    roster = things(Operation.SETTINGS, *(SETTING_LABELS[action] for action in change.actions))
    id_ = await bench.ask(provider, roster, operation=Operation.SETTINGS, options=RequestOptions(change=change))
    await bench.workflow.prepare(id_)
    await bench.journal.mark_submitted(id_, [0, 1])  # and the process was killed
    assert await bench.workflow.batches.send(id_, 0)
    assert told(await bench.journal.items(id_)) == [Outcome.CHANGED, Outcome.UNKNOWN]


async def test_a_group_is_not_made_for_those_whom_an_interrupted_creation_left_out(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.ask(
        provider, lines(Operation.CREATE, 2), operation=Operation.CREATE, options=RequestOptions(subject="S")
    )
    await bench.workflow.prepare(id_)
    await bench.journal.mark_submitted(
        id_, [0]
    )  # the day had room for one; the process was killed, and the day is over
    assert not await bench.workflow.batches.send(id_, 0)
    assert provider.created == []
    assert told(await bench.journal.items(id_)) == [Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED]


async def test_a_full_day_keeps_people_back_and_not_what_is_about_the_group_itself(bench: Bench) -> None:
    provider, change = ScriptedProvider(), GroupChange(subject="New", announce_only=True)
    first = await bench.ask(
        provider, lines(Operation.SEND, 2), operation=Operation.SEND, options=RequestOptions(text="hello")
    )
    connection = (await bench.journal.get(first)).connection
    bench.lines[connection] = replace(
        bench.lines[connection], throttle=Throttle(bench.database, connection, SendLimits(gap=0.0, per_day=1))
    )
    roster = things(Operation.SETTINGS, *(SETTING_LABELS[action] for action in change.actions))
    second = await bench.ask(
        provider, roster, connection=connection, operation=Operation.SETTINGS, options=RequestOptions(change=change)
    )
    for id_ in (first, second):
        await bench.engine.start("open", id_)
        await bench.voice.until("finish", id_)
    assert told(await bench.journal.items(first)) == [Outcome.SENT, Outcome.NOT_ATTEMPTED]
    assert told(await bench.journal.items(second)) == [Outcome.CHANGED] * 2
    assert await bench.lines[connection].throttle.remaining_today() == 0


async def test_looking_only_tells_what_became_of_people_and_sends_nobody(bench: Bench) -> None:
    provider = ScriptedProvider(inside={KEYS[0], KEYS[1]})
    roster = people(3)
    roster = [
        replace(roster[0], before=MembershipStatus.ABSENT),
        roster[1],
        replace(roster[2], before=MembershipStatus.ABSENT),
    ]
    answered = await carry_out(bench, provider, Operation.ADD, roster, RequestOptions(look_only=True))
    assert told(answered) == [Outcome.ADDED, Outcome.ALREADY_DONE, Outcome.FAILED]
    assert provider.calls == []


async def test_a_request_runs_when_its_time_has_come(bench: Bench) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    id_ = await bench.ask(ScriptedProvider(), people(1), options=RequestOptions(run_at=later))
    await bench.engine.start("open", id_)
    await bench.voice.until("open", id_)
    assert await bench.workflow._open(id_)
    assert (await bench.journal.get(id_)).state is RequestState.APPROVED
    assert id_ not in [due.request_id for due in await bench.journal.due(time.time())]
    assert id_ in [due.request_id for due in await bench.journal.due(later.timestamp())]
    assert await bench.journal.next_due_at(time.time()) == pytest.approx(later.timestamp())


async def test_a_request_that_was_withdrawn_before_it_began_does_nothing(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.ask(provider, people(1), state=RequestState.WITHDRAWN)
    assert await bench.workflow.prepare(id_) is None
    assert provider.calls == []


async def test_reminders_come_after_growing_waits_and_end_with_the_request(bench: Bench) -> None:
    asked = datetime.now(UTC) - timedelta(hours=2)
    await bench.journal.create(request("RR", needs=rule(remind=timedelta(hours=1)), asked_at=asked), people(1))
    await bench.journal.hold_if_required("RR")
    [due] = await bench.journal.reminders_due(time.time())
    assert due.number == 0
    await bench.journal.mark_reminded(due, time.time() + 60)
    await bench.journal.mark_reminded(due, time.time() - 60)  # a second time changes nothing
    assert await bench.journal.reminders_due(time.time()) == []
    await bench.engine.start("remind", "RR", 0)
    await bench.voice.until("remind 0", "RR")
    await bench.journal.transition("RR", RequestState.DENIED)
    await bench.workflow._remind("RR", 1)
    assert ("remind 1", "RR") not in bench.voice.said
