import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.access import Actor
from bot.domain.approvals import Accepted, ApprovalState, Choice, RefusalCode, Refused
from bot.domain.requests import RequestState
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.votes import Votes
from tests.bot.storage.samples import ASKED, FIRST, LEAD, SECOND, THIRD, request, rule


@pytest.fixture
def journal(database: Database) -> RequestStore:
    return RequestStore(database)


@pytest.fixture
def decisions(database: Database) -> Votes:
    return Votes(database, [LEAD])


async def _ask(journal: RequestStore, quorum: int = 1, asked_at: datetime | None = None) -> None:
    await journal.create(request(needs=rule(quorum=quorum), asked_at=asked_at), [])
    await journal.hold_if_required("R1")


async def test_an_approval_moves_the_request_on(journal: RequestStore, decisions: Votes) -> None:
    await _ask(journal)
    result = await decisions.cast("R1", FIRST, Choice.APPROVE)
    assert isinstance(result, Accepted)
    assert result.approval.state is ApprovalState.APPROVED
    assert (await journal.get("R1")).state is RequestState.APPROVED
    assert [(v.user_id, v.choice) for v in await decisions.for_request("R1")] == [("U1LEAD", Choice.APPROVE)]


async def test_a_quorum_of_two_needs_two_different_people(journal: RequestStore, decisions: Votes) -> None:
    await _ask(journal, quorum=2)
    first = await decisions.cast("R1", FIRST, Choice.APPROVE)
    again = await decisions.cast("R1", FIRST, Choice.APPROVE)
    assert isinstance(first, Accepted)
    assert isinstance(again, Refused)
    assert again.code is RefusalCode.ALREADY_COUNTED
    assert (await journal.get("R1")).state is RequestState.WAITING
    await decisions.cast("R1", SECOND, Choice.APPROVE)
    assert (await journal.get("R1")).state is RequestState.APPROVED
    assert [v.user_id for v in await decisions.for_request("R1")] == ["U1LEAD", "U2LEAD"]


async def test_one_denial_denies_whatever_the_quorum(journal: RequestStore, decisions: Votes) -> None:
    await _ask(journal, quorum=2)
    await decisions.cast("R1", FIRST, Choice.APPROVE)
    await decisions.cast("R1", SECOND, Choice.DENY)
    assert (await journal.get("R1")).state is RequestState.DENIED


@pytest.mark.parametrize(
    ("actor", "code"),
    [(ASKED, RefusalCode.OWN_REQUEST), (Actor("U9NOBODY"), RefusalCode.NOT_AN_APPROVER)],
)
async def test_who_may_not_decide_decides_nothing(
    journal: RequestStore, decisions: Votes, actor: Actor, code: RefusalCode
) -> None:
    await _ask(journal)
    result = await decisions.cast("R1", actor, Choice.APPROVE)
    assert isinstance(result, Refused)
    assert result.code is code
    assert (await journal.get("R1")).state is RequestState.WAITING
    assert await decisions.for_request("R1") == ()


async def test_a_vote_after_the_time_is_over_is_refused_also_before_anybody_marked_it_expired(
    journal: RequestStore, decisions: Votes
) -> None:
    await _ask(journal, asked_at=datetime.now(UTC) - timedelta(hours=25))
    result = await decisions.cast("R1", FIRST, Choice.APPROVE)
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.CLOSED
    assert (await journal.get("R1")).state is RequestState.WAITING


@pytest.mark.parametrize("end", [RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED])
async def test_a_vote_after_the_decision_changes_nothing(
    journal: RequestStore, decisions: Votes, end: RequestState
) -> None:
    await _ask(journal)
    await journal.transition("R1", end)
    result = await decisions.cast("R1", FIRST, Choice.DENY)
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.CLOSED
    assert (await journal.get("R1")).state is end
    assert await decisions.for_request("R1") == ()


@pytest.mark.parametrize("id_", ["R1", "R404"])
async def test_nobody_can_decide_what_does_not_wait_for_a_decision(
    journal: RequestStore, decisions: Votes, id_: str
) -> None:
    await journal.create(request("R1"), [])
    assert isinstance(await decisions.cast(id_, FIRST, Choice.APPROVE), Refused)


async def test_a_vote_before_the_question_was_asked_is_not_swallowed(journal: RequestStore, decisions: Votes) -> None:
    await journal.create(request(needs=rule()), [])
    assert isinstance(await decisions.cast("R1", FIRST, Choice.APPROVE), Refused)
    await journal.hold_if_required("R1")
    assert isinstance(await decisions.cast("R1", FIRST, Choice.APPROVE), Accepted)


async def test_two_clicks_of_one_person_at_once_are_one_vote(journal: RequestStore, decisions: Votes) -> None:
    await _ask(journal, quorum=2)
    results = await asyncio.gather(*(decisions.cast("R1", FIRST, Choice.APPROVE) for _ in range(4)))
    assert sorted(type(r).__name__ for r in results) == ["Accepted", "Refused", "Refused", "Refused"]
    assert (await journal.get("R1")).state is RequestState.WAITING
    assert len(await decisions.for_request("R1")) == 1


async def test_an_approval_and_a_denial_at_once_have_one_effect(journal: RequestStore, decisions: Votes) -> None:
    await _ask(journal)
    votes = [(FIRST, Choice.APPROVE), (SECOND, Choice.DENY), (THIRD, Choice.APPROVE)]
    results = await asyncio.gather(*(decisions.cast("R1", actor, choice) for actor, choice in votes))
    [counted] = [r for r in results if isinstance(r, Accepted)]
    assert (await journal.get("R1")).state.value == counted.approval.state.value
    assert len(await decisions.for_request("R1")) == 1


async def test_two_approvals_at_once_fill_a_quorum_of_two(journal: RequestStore, decisions: Votes) -> None:
    await _ask(journal, quorum=2)
    results = await asyncio.gather(*(decisions.cast("R1", actor, Choice.APPROVE) for actor in (FIRST, SECOND)))
    assert all(isinstance(r, Accepted) for r in results)
    assert (await journal.get("R1")).state is RequestState.APPROVED
