import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.access import Actor
from bot.domain.approvals import Accepted, ApprovalState, Choice, Refused, RefusedFor
from bot.domain.requests import State
from bot.runtime.database import Database
from bot.runtime.decisions import Decisions
from bot.runtime.journal import Journal
from tests.bot.runtime.making import ASKED, FIRST, LEAD, SECOND, THIRD, request, rule


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


@pytest.fixture
def decisions(database: Database) -> Decisions:
    return Decisions(database, [LEAD])


async def _ask(journal: Journal, quorum: int = 1, asked_at: datetime | None = None) -> None:
    await journal.create(request(needs=rule(quorum=quorum), asked_at=asked_at), [])
    await journal.hold_back("R1")


async def test_an_approval_moves_the_request_on(journal: Journal, decisions: Decisions) -> None:
    await _ask(journal)
    result = await decisions.vote("R1", FIRST, Choice.APPROVE)
    assert isinstance(result, Accepted)
    assert result.approval.state is ApprovalState.APPROVED
    assert (await journal.request("R1")).state is State.APPROVED
    assert [(v.user_id, v.choice) for v in await decisions.of("R1")] == [("U1LEAD", Choice.APPROVE)]


async def test_a_quorum_of_two_needs_two_different_people(journal: Journal, decisions: Decisions) -> None:
    await _ask(journal, quorum=2)
    first = await decisions.vote("R1", FIRST, Choice.APPROVE)
    again = await decisions.vote("R1", FIRST, Choice.APPROVE)
    assert isinstance(first, Accepted)
    assert isinstance(again, Refused)
    assert again.code is RefusedFor.COUNTED_ALREADY
    assert (await journal.request("R1")).state is State.WAITING
    await decisions.vote("R1", SECOND, Choice.APPROVE)
    assert (await journal.request("R1")).state is State.APPROVED
    assert [v.user_id for v in await decisions.of("R1")] == ["U1LEAD", "U2LEAD"]


async def test_one_denial_denies_whatever_the_quorum(journal: Journal, decisions: Decisions) -> None:
    await _ask(journal, quorum=2)
    await decisions.vote("R1", FIRST, Choice.APPROVE)
    await decisions.vote("R1", SECOND, Choice.DENY)
    assert (await journal.request("R1")).state is State.DENIED


@pytest.mark.parametrize(
    ("actor", "code"),
    [(ASKED, RefusedFor.OWN_REQUEST), (Actor("U9NOBODY"), RefusedFor.NOT_AN_APPROVER)],
)
async def test_who_may_not_decide_decides_nothing(
    journal: Journal, decisions: Decisions, actor: Actor, code: RefusedFor
) -> None:
    await _ask(journal)
    result = await decisions.vote("R1", actor, Choice.APPROVE)
    assert isinstance(result, Refused)
    assert result.code is code
    assert (await journal.request("R1")).state is State.WAITING
    assert await decisions.of("R1") == ()


async def test_a_vote_after_the_time_is_over_is_refused_also_before_anybody_marked_it_expired(
    journal: Journal, decisions: Decisions
) -> None:
    await _ask(journal, asked_at=datetime.now(UTC) - timedelta(hours=25))
    result = await decisions.vote("R1", FIRST, Choice.APPROVE)
    assert isinstance(result, Refused)
    assert result.code is RefusedFor.OVER
    assert (await journal.request("R1")).state is State.WAITING


@pytest.mark.parametrize("end", [State.APPROVED, State.DENIED, State.EXPIRED])
async def test_a_vote_after_the_decision_changes_nothing(journal: Journal, decisions: Decisions, end: State) -> None:
    await _ask(journal)
    await journal.advance("R1", end)
    result = await decisions.vote("R1", FIRST, Choice.DENY)
    assert isinstance(result, Refused)
    assert result.code is RefusedFor.OVER
    assert (await journal.request("R1")).state is end
    assert await decisions.of("R1") == ()


@pytest.mark.parametrize("id_", ["R1", "R404"])
async def test_nobody_can_decide_what_does_not_wait_for_a_decision(
    journal: Journal, decisions: Decisions, id_: str
) -> None:
    await journal.create(request("R1"), [])
    assert isinstance(await decisions.vote(id_, FIRST, Choice.APPROVE), Refused)


async def test_a_vote_before_the_question_was_asked_is_not_swallowed(journal: Journal, decisions: Decisions) -> None:
    await journal.create(request(needs=rule()), [])
    assert isinstance(await decisions.vote("R1", FIRST, Choice.APPROVE), Refused)
    await journal.hold_back("R1")
    assert isinstance(await decisions.vote("R1", FIRST, Choice.APPROVE), Accepted)


async def test_two_clicks_of_one_person_at_once_are_one_vote(journal: Journal, decisions: Decisions) -> None:
    await _ask(journal, quorum=2)
    results = await asyncio.gather(*(decisions.vote("R1", FIRST, Choice.APPROVE) for _ in range(4)))
    assert sorted(type(r).__name__ for r in results) == ["Accepted", "Refused", "Refused", "Refused"]
    assert (await journal.request("R1")).state is State.WAITING
    assert len(await decisions.of("R1")) == 1


async def test_an_approval_and_a_denial_at_once_have_one_effect(journal: Journal, decisions: Decisions) -> None:
    await _ask(journal)
    votes = [(FIRST, Choice.APPROVE), (SECOND, Choice.DENY), (THIRD, Choice.APPROVE)]
    results = await asyncio.gather(*(decisions.vote("R1", actor, choice) for actor, choice in votes))
    [counted] = [r for r in results if isinstance(r, Accepted)]
    assert (await journal.request("R1")).state.value == counted.approval.state.value
    assert len(await decisions.of("R1")) == 1


async def test_two_approvals_at_once_fill_a_quorum_of_two(journal: Journal, decisions: Decisions) -> None:
    await _ask(journal, quorum=2)
    results = await asyncio.gather(*(decisions.vote("R1", actor, Choice.APPROVE) for actor in (FIRST, SECOND)))
    assert all(isinstance(r, Accepted) for r in results)
    assert (await journal.request("R1")).state is State.APPROVED
