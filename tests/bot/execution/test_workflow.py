import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.requests import RequestItem, RequestState
from bot.domain.send_limits import SendLimits
from bot.execution.batches import MAX_SUBMISSIONS
from bot.execution.connections import Connection
from bot.execution.engine import Engine
from bot.execution.throttle import Throttle
from bot.execution.workflow import Workflow
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.work_queue import WorkQueue
from providers.base import (
    AccountDisconnected,
    Evidence,
    GroupFull,
    MembershipStatus,
    NotGroupAdmin,
    Operation,
    Outcome,
    OutcomeUnknown,
    ProviderError,
    ProviderFault,
    RateLimited,
    Unreachable,
)
from tests.bot.execution.scripted import Answer, RecordingNotifier, ScriptedProvider, collaborators
from tests.bot.storage.samples import people, person, request, rule

IN_GROUP = {Outcome.ADDED, Outcome.ALREADY_DONE}
_numbers = itertools.count(1)


@dataclass(repr=False)
class WorkflowHarness:
    """The workflow on its own engine, with connections that the test adds."""

    database: Database
    store: RequestStore
    notifier: RecordingNotifier
    connections: dict[str, Connection]
    workflow: Workflow
    engine: Engine
    pace: SendLimits = field(default_factory=lambda: SendLimits(batch=2, gap=0.0, jitter=0.0))

    @property
    def queue(self) -> WorkQueue:
        return WorkQueue(self.database)

    async def ask(
        self,
        provider: ScriptedProvider,
        roster: Sequence[RequestItem],
        *,
        pace: SendLimits | None = None,
        connection: str = "",
        **changes: object,
    ) -> str:
        """Create a request for a new connection to `provider`, or for an existing connection."""
        number = next(_numbers)
        id_ = f"R{number}"
        if not connection:
            connection = f"connection-{number}"
            throttle = Throttle(self.database, connection, pace or self.pace)
            self.connections[connection] = Connection(provider, throttle, verify_after=[0.0, 0.0])
        new = request(id_, connection=connection)
        if changes.get("operation") is Operation.CREATE:
            changes["group_id"] = ""
        await self.store.create(replace(new, **changes), roster)  # type: ignore[arg-type]
        return id_

    async def run(
        self, provider: ScriptedProvider, roster: Sequence[RequestItem], *, pace: SendLimits | None = None
    ) -> str:
        """Carry a new request out to its end."""
        id_ = await self.ask(provider, roster, pace=pace)
        await self.engine.start("open", id_)
        await self.notifier.until("finish", id_)
        return id_

    async def outcomes(self, id_: str) -> list[Outcome | None]:
        return [p.outcome for p in await self.store.items(id_)]


@pytest.fixture
async def harness(database: Database) -> AsyncIterator[WorkflowHarness]:
    store, notifier, connections = RequestStore(database), RecordingNotifier(), dict[str, Connection]()
    workflow = Workflow(collaborators(store, connections, notifier))
    engine = Engine(database.url, workflow.durable())
    await engine.launch()
    yield WorkflowHarness(database, store, notifier, connections, workflow, engine)
    await engine.aclose(grace=1)


@pytest.fixture
def database(sqlite: Database) -> Database:
    """A SQLite file; `test_a_request_is_carried_out_on_postgres` covers PostgreSQL."""
    return sqlite


async def test_people_are_added_in_batches(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside={person(1).key})
    id_ = await harness.run(provider, people(103))
    assert [len(call) for call in provider.calls] == [2] * 51
    assert harness.notifier.of(id_) == ["open", "finish"]
    assert harness.notifier.finished[id_] == await harness.store.items(id_)
    outcomes = await harness.outcomes(id_)
    assert outcomes == [Outcome.ALREADY_DONE if n == 1 else Outcome.ADDED for n in range(103)]
    assert provider.sent[person(1).key] == 0
    assert (await harness.store.get(id_)).state is RequestState.DONE


async def test_a_batch_is_no_larger_than_the_provider_allows(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    await harness.run(provider, people(7), pace=SendLimits(batch=50, gap=0.0))
    assert [len(call) for call in provider.calls] == [3, 3, 1]


async def test_a_rejected_entry_keeps_its_verdict_and_is_never_sent(harness: WorkflowHarness) -> None:
    rejected = replace(people(3)[2], outcome=Outcome.INVALID, provider_message="too short", at=datetime.now(UTC))
    provider = ScriptedProvider()
    id_ = await harness.run(provider, [*people(2), rejected])
    assert (await harness.store.items(id_))[2] == rejected
    assert len(harness.notifier.finished[id_]) == 3
    assert provider.sent[rejected.person.key] == 0


async def test_a_request_with_a_rule_runs_when_approved(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    harness.connections["support"] = Connection(provider, Throttle(harness.database, "support", harness.pace), [])
    await harness.store.create(request("RA", needs=rule()), people(2))
    await harness.engine.start("open", "RA")
    await harness.notifier.until("approval waiting", "RA")
    assert provider.calls == []
    assert await harness.store.transition("RA", RequestState.APPROVED)
    await harness.engine.start("carry_out", "RA")
    await harness.notifier.until("finish", "RA")
    assert harness.notifier.of("RA") == ["open", "approval waiting", "approval running", "finish"]
    assert await harness.outcomes("RA") == [Outcome.ADDED] * 2


@pytest.mark.parametrize("end", [RequestState.DENIED, RequestState.EXPIRED])
async def test_a_denied_or_expired_request_sends_nothing(harness: WorkflowHarness, end: RequestState) -> None:
    await harness.store.create(request("RC", needs=rule(), state=end), people(2))
    await harness.engine.start("close", "RC")
    await harness.notifier.until(f"close {end}", "RC")
    assert harness.notifier.of("RC")[-1] == f"close {end}"
    assert (await harness.store.get("RC")).state is end


async def test_a_stopping_error_leaves_the_others_not_attempted(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(), Answer(joins=0, error=AccountDisconnected("gone", code="401"))])
    id_ = await harness.run(provider, people(6))
    assert len(provider.calls) == 2
    added, failed, left = [Outcome.ADDED] * 2, [Outcome.FAILED] * 2, [Outcome.NOT_ATTEMPTED] * 2
    assert await harness.outcomes(id_) == added + failed + left


async def test_an_error_in_one_batch_does_not_stop_the_others(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0, error=ProviderFault("500"))])
    id_ = await harness.run(provider, people(4))
    assert await harness.outcomes(id_) == [Outcome.FAILED] * 2 + [Outcome.ADDED] * 2


async def test_verdicts_beside_an_error_are_kept(harness: WorkflowHarness) -> None:
    beside = RateLimited("slow down")
    answer = Answer(joins=1, otherwise=Outcome.RATE_LIMITED, beside=beside)
    id_ = await harness.run(ScriptedProvider(answers=[answer]), people(4))
    limited, left = Outcome.RATE_LIMITED, Outcome.NOT_ATTEMPTED
    assert await harness.outcomes(id_) == [Outcome.ADDED, limited, left, left]


async def test_nothing_is_sent_when_the_account_is_lost_before(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(reads=[AccountDisconnected("gone", code="401", provider_text="session closed")])
    id_ = await harness.run(provider, people(3))
    assert provider.calls == []
    answers = [(p.outcome, p.provider_message) for p in harness.notifier.finished[id_]]
    assert answers == [(Outcome.NOT_ATTEMPTED, "gone Provider said: “session closed”")] * 3


async def test_people_are_added_even_if_the_group_cannot_be_read(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(inside={person(0).key}, reads=[ProviderFault("500")])
    id_ = await harness.run(provider, people(2))
    assert await harness.outcomes(id_) == [Outcome.ALREADY_DONE, Outcome.ADDED]


async def test_unknown_people_are_looked_up_in_the_group(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1, error=OutcomeUnknown("no answer"))])
    id_ = await harness.run(provider, people(2))
    first, second = await harness.store.items(id_)
    assert (first.outcome, first.evidence) == (Outcome.ADDED, Evidence.OBSERVED)
    assert (second.outcome, second.evidence) == (Outcome.UNKNOWN, Evidence.NONE)
    assert len(provider.calls) == 1


async def test_a_failed_verification_is_repeated(harness: WorkflowHarness) -> None:
    unknown = Answer(error=OutcomeUnknown("no answer"))
    provider = ScriptedProvider(answers=[unknown], reads=[None, ProviderFault("500")])
    assert await harness.outcomes(await harness.run(provider, people(2))) == [Outcome.ADDED] * 2


async def test_a_possible_earlier_member_is_not_called_added(harness: WorkflowHarness) -> None:
    unknown = Answer(error=OutcomeUnknown("no answer"))
    provider = ScriptedProvider(inside={person(0).key}, answers=[unknown], reads=[ProviderFault("500")])
    id_ = await harness.run(provider, people(2))
    assert await harness.outcomes(id_) == [Outcome.CONFIRMED] * 2


async def test_the_daily_limit_leaves_the_others_not_attempted(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.run(provider, people(6), pace=SendLimits(batch=2, gap=0.0, per_day=4))
    unsent = harness.notifier.finished[id_][4:]
    assert [p.outcome for p in unsent] == [Outcome.NOT_ATTEMPTED] * 2
    assert "4 of 4 people were sent today" in unsent[0].provider_message
    assert len(provider.calls) == 2


async def test_a_bug_after_a_call_does_not_resend_members(
    harness: WorkflowHarness,
) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1, error=KeyError("a field that was not there"))])
    id_ = await harness.run(provider, people(2))
    assert provider.sent == {person(0).key: 1, person(1).key: 2}
    assert await harness.outcomes(id_) == [Outcome.ADDED] * 2


async def test_two_requests_of_one_connection_alternate(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    ids = [await harness.ask(provider, people(6)), await harness.ask(provider, [replace(p) for p in people(6)])]
    shared = harness.connections[(await harness.store.get(ids[0])).connection]
    harness.connections[(await harness.store.get(ids[1])).connection] = shared
    for id_ in ids:
        await harness.engine.start("open", id_)
    for id_ in ids:
        await harness.notifier.until("finish", id_)
    progress = [id_ for what, id_ in harness.notifier.posts if what == "progress"]
    assert set(progress[:3]) == set(ids)


async def test_no_call_is_made_between_a_rate_limit_and_its_cooldown(postgres: Database) -> None:
    store, notifier, connections = RequestStore(postgres), RecordingNotifier(), dict[str, Connection]()
    engine = Engine(postgres.url, Workflow(collaborators(store, connections, notifier)).durable())
    await engine.launch()
    harness = WorkflowHarness(
        postgres, store, notifier, connections, Workflow(collaborators(store, connections, notifier)), engine
    )
    provider = ScriptedProvider(answers=[Answer(joins=0, error=RateLimited("slow down"))])
    connections["one"] = Connection(provider, Throttle(postgres, "one", harness.pace), verify_after=[])
    ids = [await harness.ask(provider, people(1), connection="one") for _ in range(4)]
    for id_ in ids:
        await engine.start("open", id_)
    for id_ in ids:
        await notifier.until("finish", id_)
    await engine.aclose(grace=1)
    assert len(provider.calls) == 1


async def test_a_request_is_carried_out_on_postgres(postgres: Database) -> None:
    store, notifier, connections = RequestStore(postgres), RecordingNotifier(), dict[str, Connection]()
    workflow = Workflow(collaborators(store, connections, notifier))
    engine = Engine(postgres.url, workflow.durable())
    await engine.launch()
    harness = WorkflowHarness(postgres, store, notifier, connections, workflow, engine)
    provider = ScriptedProvider(answers=[Answer(joins=1, error=OutcomeUnknown("no answer"))])
    id_ = await harness.run(provider, people(5))
    assert await harness.outcomes(id_) == [Outcome.ADDED, Outcome.UNKNOWN, *[Outcome.ADDED] * 3]
    await engine.aclose(grace=1)


@dataclass(frozen=True)
class Script:
    """What a provider will do in one run."""

    inside: set[int]
    answers: list[Answer]
    reads: list[ProviderError | MembershipStatus | None]


def _transient() -> st.SearchStrategy[ProviderError]:
    return st.sampled_from([ProviderFault, Unreachable, GroupFull]).map(lambda kind: kind("it failed"))


def _stopping() -> st.SearchStrategy[ProviderError]:
    return st.sampled_from([AccountDisconnected, RateLimited, NotGroupAdmin]).map(lambda kind: kind("it is over"))


_OTHERWISE = st.sampled_from([Outcome.REFUSED, Outcome.UNKNOWN, Outcome.PENDING, Outcome.INVITED, Outcome.FAILED])
_JOINS = st.integers(0, 3)
_ERRORS = _transient() | _stopping()
_ANSWERS = st.one_of(
    st.builds(Answer, _JOINS, st.sampled_from([Outcome.ADDED, Outcome.UNKNOWN]), _OTHERWISE),
    st.builds(Answer, _JOINS, otherwise=st.just(Outcome.FAILED), beside=_ERRORS),
    st.builds(Answer, _JOINS, error=st.builds(OutcomeUnknown, st.just("no answer"))),
    st.builds(Answer, st.just(0), error=_ERRORS),
)
_READS: st.SearchStrategy[ProviderError | MembershipStatus | None] = st.one_of(
    st.none(), st.just(MembershipStatus.UNKNOWN), st.builds(ProviderFault, st.just("500"))
)


_SCRIPTS = st.builds(
    Script, st.sets(st.integers(0, 6), max_size=3), st.lists(_ANSWERS, max_size=4), st.lists(_READS, max_size=3)
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=_SCRIPTS, count=st.integers(1, 7), batch=st.integers(1, 3))
async def test_every_person_gets_one_true_verdict(
    harness: WorkflowHarness, script: Script, count: int, batch: int
) -> None:
    before = {person(number).key for number in script.inside}
    provider = ScriptedProvider(set(before), list(script.answers), list(script.reads))
    id_ = await harness.run(provider, people(count), pace=SendLimits(batch=batch, gap=0.0))

    items = harness.notifier.finished[id_]
    assert items == await harness.store.items(id_)
    assert [p.position for p in items] == list(range(count))
    assert (await harness.store.get(id_)).state is RequestState.DONE
    assert max(provider.sent.values(), default=0) <= 1
    for p in items:
        key, sent = p.person.key, provider.sent[p.person.key]
        assert p.outcome is not None
        assert p.submissions == sent
        assert p.outcome not in IN_GROUP or key in provider.inside
        assert p.outcome is not Outcome.ADDED or key not in before
        assert (p.outcome is Outcome.NOT_ATTEMPTED) <= (sent == 0)
        assert sent or p.outcome in {Outcome.ALREADY_DONE, Outcome.NOT_ATTEMPTED}
        if len(script.reads) < 3 and p.outcome is Outcome.UNKNOWN:
            assert key not in provider.inside  # the last look, at the latest, was true
    _check_stop(provider, script.answers, items)


def _check_stop(provider: ScriptedProvider, answers: list[Answer], items: Sequence[RequestItem]) -> None:
    """Check that nothing was sent after a stopping error, and that the remaining people are not attempted."""
    errors = [answer.error or answer.beside for answer in answers[: len(provider.calls)]]
    stops = [isinstance(e, ProviderError) and e.stops_sending for e in errors]
    assert True not in stops[:-1]
    if stops and stops[-1]:
        remaining = [p for p in items if not p.submissions and not p.before.is_member]
        assert all(p.outcome is Outcome.NOT_ATTEMPTED for p in remaining)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    crashes=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    reads=st.lists(_READS, max_size=4),
    members=st.sets(st.integers(0, 2), max_size=1),
)
async def test_a_killed_batch_is_sent_twice_at_most(
    harness: WorkflowHarness,
    crashes: list[int],
    reads: list[ProviderError | MembershipStatus | None],
    members: set[int],
) -> None:
    """Each crash happens after some people have joined, and before the answer is stored."""
    before = {person(number).key for number in members}
    answers = [Answer(joins=joins, error=asyncio.CancelledError()) for joins in crashes]
    provider = ScriptedProvider(inside=set(before), answers=answers, reads=[None, *reads])
    id_ = await harness.ask(provider, people(3), pace=SendLimits(batch=3, gap=0.0))
    await harness.workflow.prepare(id_)
    for _ in range(len(crashes) + 1):
        in_group, live = set(provider.inside), not provider.reads
        calls = len(provider.calls)
        with suppress(asyncio.CancelledError):
            await harness.workflow.batches.send(id_, 0)
        if live and calls:
            assert in_group.isdisjoint(itertools.chain(*provider.calls[calls:]))

    items = await harness.store.items(id_)
    assert max(provider.sent.values(), default=0) <= MAX_SUBMISSIONS
    for p in items:
        assert p.outcome is not None
        assert p.submissions == provider.sent[p.person.key]
        assert p.outcome not in IN_GROUP or p.person.key in provider.inside
        assert p.outcome is not Outcome.ADDED or p.person.key not in before


async def test_a_batch_with_verdicts_is_not_sent_again(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.ask(provider, people(2))
    await harness.workflow.prepare(id_)
    assert await harness.workflow.batches.send(id_, 0)
    await harness.workflow.batches.send(id_, 0)
    assert len(provider.calls) == 1


async def test_a_removed_connection_still_answers_everyone(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider()
    id_ = await harness.ask(provider, people(3))
    await harness.workflow.prepare(id_)
    gone = Workflow(collaborators(harness.store, {}, harness.notifier))
    assert not await gone.batches.send(id_, 0)
    assert await gone.batches.mark_unanswered(id_) == []
    assert not await gone.batches.verify(id_)
    assert provider.calls == []
    assert await harness.outcomes(id_) == [Outcome.NOT_ATTEMPTED] * 3


async def test_a_sent_person_is_never_not_attempted(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(
        answers=[Answer(joins=2, error=asyncio.CancelledError())], reads=[None, MembershipStatus.UNKNOWN]
    )
    id_ = await harness.ask(provider, people(2), pace=SendLimits(batch=2, gap=0.0, per_day=2))
    await harness.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await harness.workflow.batches.send(id_, 0)
    await harness.workflow.batches.send(id_, 0)
    assert await harness.outcomes(id_) == [Outcome.UNKNOWN] * 2


async def test_a_failed_repetition_leaves_people_unknown(
    harness: WorkflowHarness,
) -> None:
    answers = [Answer(joins=2, error=asyncio.CancelledError()), Answer(joins=0, error=Unreachable("refused"))]
    provider = ScriptedProvider(answers=answers, reads=[None, MembershipStatus.UNKNOWN])
    id_ = await harness.ask(provider, people(2))
    await harness.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await harness.workflow.batches.send(id_, 0)
    await harness.workflow.batches.send(id_, 0)
    assert await harness.outcomes(id_) == [Outcome.UNKNOWN] * 2


async def test_an_interrupted_call_is_not_repeated_unread(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(
        answers=[Answer(joins=2, error=asyncio.CancelledError())], reads=[None, Unreachable("no answer to the look")]
    )
    id_ = await harness.ask(provider, people(3), pace=SendLimits(batch=2, gap=0.0))
    await harness.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await harness.workflow.batches.send(id_, 0)
    assert await harness.workflow.batches.send(id_, 0)
    assert len(provider.calls) == 1
    assert await harness.outcomes(id_) == [Outcome.UNKNOWN, Outcome.UNKNOWN, None]


async def test_a_lost_account_at_recovery_stops_sending(harness: WorkflowHarness) -> None:
    lost = AccountDisconnected("gone")
    provider = ScriptedProvider(answers=[Answer(joins=2, error=asyncio.CancelledError())], reads=[None, lost])
    id_ = await harness.ask(provider, people(3), pace=SendLimits(batch=2, gap=0.0))
    await harness.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await harness.workflow.batches.send(id_, 0)
    assert not await harness.workflow.batches.send(id_, 0)
    assert len(provider.calls) == 1
    assert await harness.outcomes(id_) == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED]
    (connection,) = harness.connections.values()
    assert await connection.throttle.cooldown() is not None


async def test_a_rate_limit_at_verification_starts_a_cooldown(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1, forgets=1)], reads=[None, RateLimited("slow down"), None])
    await harness.run(provider, people(2))
    (connection,) = harness.connections.values()
    assert await connection.throttle.cooldown() is not None


@pytest.mark.parametrize(
    ("first", "then", "inside", "late", "outcome"),
    [
        (Operation.REMOVE, Operation.ADD, True, MembershipStatus.MEMBER, Outcome.ADDED),
        (Operation.ADD, Operation.REMOVE, False, MembershipStatus.ABSENT, Outcome.REMOVED),
        (Operation.DEMOTE, Operation.REMOVE, True, MembershipStatus.MEMBER, Outcome.REMOVED),
    ],
)
async def test_a_late_member_list_does_not_decide_verdicts(
    harness: WorkflowHarness, first: Operation, then: Operation, inside: bool, late: MembershipStatus, outcome: Outcome
) -> None:
    key = person(0).key
    provider = ScriptedProvider(
        inside={key} if inside else set(), admins={key} if inside else set(), reads=[None, late]
    )
    harness.connections["late"] = Connection(
        provider, Throttle(harness.database, "late", harness.pace), verify_after=[3600.0]
    )
    ids = []
    for operation in (first, then):
        roster = [replace(p, operation=operation) for p in people(1)]
        ids.append(await harness.ask(provider, roster, connection="late", operation=operation))
        await harness.engine.start("open", ids[-1])
        await harness.notifier.until("finish", ids[-1])
    assert len(provider.calls) == 2
    assert await harness.outcomes(ids[1]) == [outcome]


async def test_a_sent_person_without_a_verdict_is_unknown(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(
        answers=[Answer(joins=1, forgets=1)], reads=[None, MembershipStatus.UNKNOWN, MembershipStatus.UNKNOWN]
    )
    id_ = await harness.run(provider, people(2))
    assert await harness.outcomes(id_) == [Outcome.ADDED, Outcome.UNKNOWN]


async def test_a_daily_limit_below_the_batch_size_is_used_up(harness: WorkflowHarness) -> None:
    id_ = await harness.run(ScriptedProvider(), people(3), pace=SendLimits(batch=3, gap=0.0, per_day=2))
    assert await harness.outcomes(id_) == [Outcome.ADDED, Outcome.ADDED, Outcome.NOT_ATTEMPTED]


async def test_a_crash_after_a_stop_does_not_forget_it(harness: WorkflowHarness) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0, error=AccountDisconnected("gone"))])
    id_ = await harness.ask(provider, people(4))
    await harness.workflow.prepare(id_)
    assert not await harness.workflow.batches.send(id_, 0)
    assert not await harness.workflow.batches.send(id_, 0)
