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
from tests.bot.execution.scripted import Answer, NoExclusions, RecordingNotifier, ScriptedProvider
from tests.bot.storage.samples import people, person, request, rule

IN_GROUP = {Outcome.ADDED, Outcome.ALREADY_DONE}
_numbers = itertools.count(1)


@dataclass(repr=False)
class Bench:
    """The workflow on an engine of its own, with connections that the test adds as it goes."""

    database: Database
    journal: RequestStore
    voice: RecordingNotifier
    lines: dict[str, Connection]
    workflow: Workflow
    engine: Engine
    pace: SendLimits = field(default_factory=lambda: SendLimits(batch=2, gap=0.0, jitter=0.0))

    async def ask(
        self,
        provider: ScriptedProvider,
        roster: Sequence[RequestItem],
        *,
        pace: SendLimits | None = None,
        connection: str = "",
        **changes: object,
    ) -> str:
        """Write a request for a new connection to `provider`, or for one that is there."""
        number = next(_numbers)
        id_ = f"R{number}"
        if not connection:
            connection = f"connection-{number}"
            sender = Throttle(self.database, connection, pace or self.pace)
            self.lines[connection] = Connection(provider, sender, verify_after=[0.0, 0.0])
        asked = request(id_, connection=connection)
        if changes.get("operation") is Operation.CREATE:
            changes["group_id"] = ""
        await self.journal.create(replace(asked, **changes), roster)  # type: ignore[arg-type]
        return id_

    async def run(
        self, provider: ScriptedProvider, roster: Sequence[RequestItem], *, pace: SendLimits | None = None
    ) -> str:
        """Carry a new request out to its end."""
        id_ = await self.ask(provider, roster, pace=pace)
        await self.engine.start("open", id_)
        await self.voice.until("finish", id_)
        return id_

    async def outcomes(self, id_: str) -> list[Outcome | None]:
        return [p.outcome for p in await self.journal.items(id_)]


@pytest.fixture
async def bench(database: Database) -> AsyncIterator[Bench]:
    journal, voice, lines = RequestStore(database), RecordingNotifier(), dict[str, Connection]()
    workflow = Workflow(journal, lines, voice, NoExclusions())
    engine = Engine(database.url, workflow.durable())
    await engine.launch()
    yield Bench(database, journal, voice, lines, workflow, engine)
    await engine.aclose(grace=1)


@pytest.fixture
def database(sqlite: Database) -> Database:
    """Here a SQLite file; `test_the_whole_way_on_postgres` goes the same way on the other kind."""
    return sqlite


async def test_everybody_is_added_chunk_by_chunk_and_told_page_by_page(bench: Bench) -> None:
    provider = ScriptedProvider(inside={person(1).key})
    id_ = await bench.run(provider, people(103))
    assert [len(call) for call in provider.calls] == [2] * 51
    assert bench.voice.of(id_) == ["open", "results 0", "results 1", "finish"]
    assert bench.voice.finished[id_] == bench.voice.pages[id_] == await bench.journal.items(id_)
    outcomes = await bench.outcomes(id_)
    assert outcomes == [Outcome.ALREADY_DONE if n == 1 else Outcome.ADDED for n in range(103)]
    assert provider.sent[person(1).key] == 0
    assert (await bench.journal.get(id_)).state is RequestState.DONE


async def test_a_chunk_is_no_larger_than_the_provider_allows(bench: Bench) -> None:
    provider = ScriptedProvider()
    await bench.run(provider, people(7), pace=SendLimits(batch=50, gap=0.0))
    assert [len(call) for call in provider.calls] == [3, 3, 1]


async def test_a_rejected_entry_keeps_its_verdict_and_is_never_sent(bench: Bench) -> None:
    rejected = replace(people(3)[2], outcome=Outcome.INVALID, provider_message="too short", at=datetime.now(UTC))
    provider = ScriptedProvider()
    id_ = await bench.run(provider, [*people(2), rejected])
    assert (await bench.journal.items(id_))[2] == rejected
    assert len(bench.voice.pages[id_]) == 3
    assert provider.sent[rejected.person.key] == 0


async def test_a_request_with_a_rule_waits_and_is_carried_out_when_approved(bench: Bench) -> None:
    provider = ScriptedProvider()
    bench.lines["support"] = Connection(provider, Throttle(bench.database, "support", bench.pace), [])
    await bench.journal.create(request("RA", needs=rule()), people(2))
    await bench.engine.start("open", "RA")
    await bench.voice.until("approval waiting", "RA")
    assert provider.calls == []
    assert await bench.journal.transition("RA", RequestState.APPROVED)
    await bench.engine.start("carry_out", "RA")
    await bench.voice.until("finish", "RA")
    assert bench.voice.of("RA") == ["open", "approval waiting", "approval running", "results 0", "finish"]
    assert await bench.outcomes("RA") == [Outcome.ADDED] * 2


@pytest.mark.parametrize("end", [RequestState.DENIED, RequestState.EXPIRED])
async def test_a_request_that_ends_undecided_or_denied_says_so_and_sends_nobody(
    bench: Bench, end: RequestState
) -> None:
    await bench.journal.create(request("RC", needs=rule(), state=end), people(2))
    await bench.engine.start("close", "RC")
    await bench.voice.until(f"close {end}", "RC")
    assert bench.voice.of("RC")[-1] == f"close {end}"
    assert (await bench.journal.get("RC")).state is end


async def test_an_error_that_stops_the_sender_leaves_the_rest_not_attempted(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(), Answer(joins=0, error=AccountDisconnected("gone", code="401"))])
    id_ = await bench.run(provider, people(6))
    assert len(provider.calls) == 2
    added, failed, left = [Outcome.ADDED] * 2, [Outcome.FAILED] * 2, [Outcome.NOT_ATTEMPTED] * 2
    assert await bench.outcomes(id_) == added + failed + left


async def test_an_error_of_one_chunk_does_not_stop_the_others(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0, error=ProviderFault("500"))])
    id_ = await bench.run(provider, people(4))
    assert await bench.outcomes(id_) == [Outcome.FAILED] * 2 + [Outcome.ADDED] * 2


async def test_verdicts_that_came_before_an_error_are_kept(bench: Bench) -> None:
    beside = RateLimited("slow down")
    answer = Answer(joins=1, otherwise=Outcome.RATE_LIMITED, beside=beside)
    id_ = await bench.run(ScriptedProvider(answers=[answer]), people(4))
    limited, left = Outcome.RATE_LIMITED, Outcome.NOT_ATTEMPTED
    assert await bench.outcomes(id_) == [Outcome.ADDED, limited, left, left]


async def test_nobody_is_sent_when_the_account_is_lost_before(bench: Bench) -> None:
    provider = ScriptedProvider(reads=[AccountDisconnected("gone", code="401", provider_text="session closed")])
    id_ = await bench.run(provider, people(3))
    assert provider.calls == []
    told = [(p.outcome, p.provider_message) for p in bench.voice.pages[id_]]
    assert told == [(Outcome.NOT_ATTEMPTED, "gone Provider said: “session closed”")] * 3


async def test_a_group_that_cannot_be_read_before_is_written_all_the_same(bench: Bench) -> None:
    provider = ScriptedProvider(inside={person(0).key}, reads=[ProviderFault("500")])
    id_ = await bench.run(provider, people(2))
    assert await bench.outcomes(id_) == [Outcome.ALREADY_DONE, Outcome.ADDED]


async def test_the_unknown_are_looked_for_in_the_group(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1, error=OutcomeUnknown("no answer"))])
    id_ = await bench.run(provider, people(2))
    first, second = await bench.journal.items(id_)
    assert (first.outcome, first.evidence) == (Outcome.ADDED, Evidence.OBSERVED)
    assert (second.outcome, second.evidence) == (Outcome.UNKNOWN, Evidence.NONE)
    assert len(provider.calls) == 1


async def test_a_look_that_fails_is_followed_by_another(bench: Bench) -> None:
    unknown = Answer(error=OutcomeUnknown("no answer"))
    provider = ScriptedProvider(answers=[unknown], reads=[None, ProviderFault("500")])
    assert await bench.outcomes(await bench.run(provider, people(2))) == [Outcome.ADDED] * 2


async def test_who_may_have_been_there_before_is_not_called_added(bench: Bench) -> None:
    unknown = Answer(error=OutcomeUnknown("no answer"))
    provider = ScriptedProvider(inside={person(0).key}, answers=[unknown], reads=[ProviderFault("500")])
    id_ = await bench.run(provider, people(2))
    assert await bench.outcomes(id_) == [Outcome.ALREADY_DONE] * 2


async def test_a_full_day_leaves_the_rest_not_attempted_with_the_reason(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.run(provider, people(6), pace=SendLimits(batch=2, gap=0.0, per_day=4))
    rest = bench.voice.pages[id_][4:]
    assert [p.outcome for p in rest] == [Outcome.NOT_ATTEMPTED] * 2
    assert "4 of 4 people were sent today" in rest[0].provider_message
    assert len(provider.calls) == 2


async def test_an_error_in_our_own_code_after_sending_does_not_send_those_again_who_are_in(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1, error=KeyError("a field that was not there"))])
    id_ = await bench.run(provider, people(2))
    assert provider.sent == {person(0).key: 1, person(1).key: 2}
    assert await bench.outcomes(id_) == [Outcome.ADDED] * 2


async def test_two_requests_of_one_connection_take_turns(bench: Bench) -> None:
    provider = ScriptedProvider()
    ids = [await bench.ask(provider, people(6)), await bench.ask(provider, [replace(p) for p in people(6)])]
    shared = bench.lines[(await bench.journal.get(ids[0])).connection]
    bench.lines[(await bench.journal.get(ids[1])).connection] = shared
    for id_ in ids:
        await bench.engine.start("open", id_)
    for id_ in ids:
        await bench.voice.until("finish", id_)
    progress = [id_ for what, id_ in bench.voice.said if what == "progress"]
    assert set(progress[:3]) == set(ids)


async def test_nobody_else_is_sent_between_a_limit_and_the_rest_that_it_orders(postgres: Database) -> None:
    journal, voice, lines = RequestStore(postgres), RecordingNotifier(), dict[str, Connection]()
    engine = Engine(postgres.url, Workflow(journal, lines, voice, NoExclusions()).durable())
    await engine.launch()
    bench = Bench(postgres, journal, voice, lines, Workflow(journal, lines, voice, NoExclusions()), engine)
    provider = ScriptedProvider(answers=[Answer(joins=0, error=RateLimited("slow down"))])
    lines["one"] = Connection(provider, Throttle(postgres, "one", bench.pace), verify_after=[])
    ids = [await bench.ask(provider, people(1), connection="one") for _ in range(4)]
    for id_ in ids:
        await engine.start("open", id_)
    for id_ in ids:
        await voice.until("finish", id_)
    await engine.aclose(grace=1)
    assert len(provider.calls) == 1


async def test_the_whole_way_on_postgres(postgres: Database) -> None:
    journal, voice, lines = RequestStore(postgres), RecordingNotifier(), dict[str, Connection]()
    workflow = Workflow(journal, lines, voice, NoExclusions())
    engine = Engine(postgres.url, workflow.durable())
    await engine.launch()
    bench = Bench(postgres, journal, voice, lines, workflow, engine)
    provider = ScriptedProvider(answers=[Answer(joins=1, error=OutcomeUnknown("no answer"))])
    id_ = await bench.run(provider, people(5))
    assert await bench.outcomes(id_) == [Outcome.ADDED, Outcome.UNKNOWN, *[Outcome.ADDED] * 3]
    await engine.aclose(grace=1)


@dataclass(frozen=True)
class Script:
    """What a provider will do in one run."""

    inside: set[int]
    answers: list[Answer]
    reads: list[ProviderError | MembershipStatus | None]


def _passing() -> st.SearchStrategy[ProviderError]:
    return st.sampled_from([ProviderFault, Unreachable, GroupFull]).map(lambda kind: kind("it failed"))


def _stopping() -> st.SearchStrategy[ProviderError]:
    return st.sampled_from([AccountDisconnected, RateLimited, NotGroupAdmin]).map(lambda kind: kind("it is over"))


_OTHERWISE = st.sampled_from([Outcome.REFUSED, Outcome.UNKNOWN, Outcome.PENDING, Outcome.INVITED, Outcome.FAILED])
_JOINS = st.integers(0, 3)
_ERRORS = _passing() | _stopping()
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
async def test_everybody_gets_one_verdict_and_none_is_better_than_the_truth(
    bench: Bench, script: Script, count: int, batch: int
) -> None:
    before = {person(number).key for number in script.inside}
    provider = ScriptedProvider(set(before), list(script.answers), list(script.reads))
    id_ = await bench.run(provider, people(count), pace=SendLimits(batch=batch, gap=0.0))

    told = bench.voice.pages[id_]
    assert told == bench.voice.finished[id_] == await bench.journal.items(id_)
    assert [p.position for p in told] == list(range(count))
    assert (await bench.journal.get(id_)).state is RequestState.DONE
    assert max(provider.sent.values(), default=0) <= 1
    for p in told:
        key, sent = p.person.key, provider.sent[p.person.key]
        assert p.outcome is not None
        assert p.submissions == sent
        assert p.outcome not in IN_GROUP or key in provider.inside
        assert p.outcome is not Outcome.ADDED or key not in before
        assert (p.outcome is Outcome.NOT_ATTEMPTED) <= (sent == 0)
        assert sent or p.outcome in {Outcome.ALREADY_DONE, Outcome.NOT_ATTEMPTED}
        if len(script.reads) < 3 and p.outcome is Outcome.UNKNOWN:
            assert key not in provider.inside  # the last look, at the latest, told the truth
    _holds_after_a_stop(provider, script.answers, told)


def _holds_after_a_stop(provider: ScriptedProvider, answers: list[Answer], told: Sequence[RequestItem]) -> None:
    """Nobody was sent after an error that stops, and all those are not attempted who were to come."""
    errors = [answer.error or answer.beside for answer in answers[: len(provider.calls)]]
    stops = [isinstance(e, ProviderError) and e.stops_sending for e in errors]
    assert True not in stops[:-1]
    if stops and stops[-1]:
        to_come = [p for p in told if not p.submissions and not p.before.is_member]
        assert all(p.outcome is Outcome.NOT_ATTEMPTED for p in to_come)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    crashes=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    reads=st.lists(_READS, max_size=4),
    members=st.sets(st.integers(0, 2), max_size=1),
)
async def test_a_chunk_that_is_killed_while_it_is_sent_is_sent_twice_at_most(
    bench: Bench, crashes: list[int], reads: list[ProviderError | MembershipStatus | None], members: set[int]
) -> None:
    """Each crash comes after so many have joined, and before the answer is kept."""
    before = {person(number).key for number in members}
    answers = [Answer(joins=joins, error=asyncio.CancelledError()) for joins in crashes]
    provider = ScriptedProvider(inside=set(before), answers=answers, reads=[None, *reads])
    id_ = await bench.ask(provider, people(3), pace=SendLimits(batch=3, gap=0.0))
    await bench.workflow.prepare(id_)
    for _ in range(len(crashes) + 1):
        in_group, live = set(provider.inside), not provider.reads
        calls = len(provider.calls)
        with suppress(asyncio.CancelledError):
            await bench.workflow.batches.send(id_, 0)
        if live and calls:
            assert in_group.isdisjoint(itertools.chain(*provider.calls[calls:]))

    told = await bench.journal.items(id_)
    assert max(provider.sent.values(), default=0) <= MAX_SUBMISSIONS
    for p in told:
        assert p.outcome is not None
        assert p.submissions == provider.sent[p.person.key]
        assert p.outcome not in IN_GROUP or p.person.key in provider.inside
        assert p.outcome is not Outcome.ADDED or p.person.key not in before


async def test_a_chunk_whose_verdicts_are_kept_is_not_sent_again(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.ask(provider, people(2))
    await bench.workflow.prepare(id_)
    assert await bench.workflow.batches.send(id_, 0)
    await bench.workflow.batches.send(id_, 0)
    assert len(provider.calls) == 1


async def test_a_connection_that_left_the_configuration_still_answers_everybody(bench: Bench) -> None:
    provider = ScriptedProvider()
    id_ = await bench.ask(provider, people(3))
    await bench.workflow.prepare(id_)
    gone = Workflow(bench.journal, {}, bench.voice, NoExclusions())
    assert not await gone.batches.send(id_, 0)
    assert await gone.batches.mark_unanswered(id_) == []
    assert not await gone.batches.verify(id_)
    assert provider.calls == []
    assert await bench.outcomes(id_) == [Outcome.NOT_ATTEMPTED] * 3


async def test_who_was_sent_once_is_not_called_not_attempted_when_the_day_is_full(bench: Bench) -> None:
    provider = ScriptedProvider(
        answers=[Answer(joins=2, error=asyncio.CancelledError())], reads=[None, MembershipStatus.UNKNOWN]
    )
    id_ = await bench.ask(provider, people(2), pace=SendLimits(batch=2, gap=0.0, per_day=2))
    await bench.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await bench.workflow.batches.send(id_, 0)
    await bench.workflow.batches.send(id_, 0)
    assert await bench.outcomes(id_) == [Outcome.UNKNOWN] * 2


async def test_who_may_have_been_added_by_an_interrupted_call_is_not_called_failed_by_the_second(bench: Bench) -> None:
    answers = [Answer(joins=2, error=asyncio.CancelledError()), Answer(joins=0, error=Unreachable("refused"))]
    provider = ScriptedProvider(answers=answers, reads=[None, MembershipStatus.UNKNOWN])
    id_ = await bench.ask(provider, people(2))
    await bench.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await bench.workflow.batches.send(id_, 0)
    await bench.workflow.batches.send(id_, 0)
    assert await bench.outcomes(id_) == [Outcome.UNKNOWN] * 2


async def test_without_a_read_back_an_interrupted_call_is_not_repeated(bench: Bench) -> None:
    provider = ScriptedProvider(
        answers=[Answer(joins=2, error=asyncio.CancelledError())], reads=[None, Unreachable("no answer to the look")]
    )
    id_ = await bench.ask(provider, people(3), pace=SendLimits(batch=2, gap=0.0))
    await bench.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await bench.workflow.batches.send(id_, 0)
    assert await bench.workflow.batches.send(id_, 0)
    assert len(provider.calls) == 1
    assert await bench.outcomes(id_) == [Outcome.UNKNOWN, Outcome.UNKNOWN, None]


async def test_a_read_back_that_meets_a_lost_account_stops_the_sender(bench: Bench) -> None:
    lost = AccountDisconnected("gone")
    provider = ScriptedProvider(answers=[Answer(joins=2, error=asyncio.CancelledError())], reads=[None, lost])
    id_ = await bench.ask(provider, people(3), pace=SendLimits(batch=2, gap=0.0))
    await bench.workflow.prepare(id_)
    with suppress(asyncio.CancelledError):
        await bench.workflow.batches.send(id_, 0)
    assert not await bench.workflow.batches.send(id_, 0)
    assert len(provider.calls) == 1
    assert await bench.outcomes(id_) == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED]
    (line,) = bench.lines.values()
    assert await line.throttle.cooldown() is not None


async def test_a_look_for_the_unknown_that_meets_a_limit_stops_the_sender(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=1, forgets=1)], reads=[None, RateLimited("slow down"), None])
    await bench.run(provider, people(2))
    (line,) = bench.lines.values()
    assert await line.throttle.cooldown() is not None


@pytest.mark.parametrize(
    ("first", "then", "inside", "late", "outcome"),
    [
        (Operation.REMOVE, Operation.ADD, True, MembershipStatus.MEMBER, Outcome.ADDED),
        (Operation.ADD, Operation.REMOVE, False, MembershipStatus.ABSENT, Outcome.REMOVED),
        (Operation.DEMOTE, Operation.REMOVE, True, MembershipStatus.MEMBER, Outcome.REMOVED),
    ],
)
async def test_a_list_that_does_not_show_yet_what_was_done_a_moment_ago_settles_nobody(
    bench: Bench, first: Operation, then: Operation, inside: bool, late: MembershipStatus, outcome: Outcome
) -> None:
    key = person(0).key
    provider = ScriptedProvider(
        inside={key} if inside else set(), admins={key} if inside else set(), reads=[None, late]
    )
    bench.lines["late"] = Connection(provider, Throttle(bench.database, "late", bench.pace), verify_after=[3600.0])
    ids = []
    for operation in (first, then):
        lines = [replace(p, operation=operation) for p in people(1)]
        ids.append(await bench.ask(provider, lines, connection="late", operation=operation))
        await bench.engine.start("open", ids[-1])
        await bench.voice.until("finish", ids[-1])
    assert len(provider.calls) == 2
    assert await bench.outcomes(ids[1]) == [outcome]


async def test_who_was_sent_and_forgotten_by_the_adapter_is_unknown(bench: Bench) -> None:
    provider = ScriptedProvider(
        answers=[Answer(joins=1, forgets=1)], reads=[None, MembershipStatus.UNKNOWN, MembershipStatus.UNKNOWN]
    )
    id_ = await bench.run(provider, people(2))
    assert await bench.outcomes(id_) == [Outcome.ADDED, Outcome.UNKNOWN]


async def test_a_daily_number_smaller_than_a_batch_is_still_used_up(bench: Bench) -> None:
    id_ = await bench.run(ScriptedProvider(), people(3), pace=SendLimits(batch=3, gap=0.0, per_day=2))
    assert await bench.outcomes(id_) == [Outcome.ADDED, Outcome.ADDED, Outcome.NOT_ATTEMPTED]


async def test_a_stop_is_not_forgotten_when_the_process_dies_right_after_keeping_it(bench: Bench) -> None:
    provider = ScriptedProvider(answers=[Answer(joins=0, error=AccountDisconnected("gone"))])
    id_ = await bench.ask(provider, people(4))
    await bench.workflow.prepare(id_)
    assert not await bench.workflow.batches.send(id_, 0)
    assert not await bench.workflow.batches.send(id_, 0)
