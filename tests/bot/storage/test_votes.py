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
def store(database: Database) -> RequestStore:
    return RequestStore(database)


@pytest.fixture
def votes(database: Database) -> Votes:
    return Votes(database, [LEAD])


async def _ask(store: RequestStore, quorum: int = 1, asked_at: datetime | None = None) -> None:
    await store.create(request(needs=rule(quorum=quorum), asked_at=asked_at), [])
    await store.hold_if_required("R1")


async def test_an_approval_approves_the_request(store: RequestStore, votes: Votes) -> None:
    await _ask(store)
    result = await votes.cast("R1", FIRST, Choice.APPROVE)
    assert isinstance(result, Accepted)
    assert result.approval.state is ApprovalState.APPROVED
    assert (await store.get("R1")).state is RequestState.APPROVED
    assert [(v.user_id, v.choice) for v in await votes.for_request("R1")] == [("U1LEAD", Choice.APPROVE)]


async def test_a_quorum_of_two_needs_two_different_people(store: RequestStore, votes: Votes) -> None:
    await _ask(store, quorum=2)
    first = await votes.cast("R1", FIRST, Choice.APPROVE)
    again = await votes.cast("R1", FIRST, Choice.APPROVE)
    assert isinstance(first, Accepted)
    assert isinstance(again, Refused)
    assert again.code is RefusalCode.ALREADY_COUNTED
    assert (await store.get("R1")).state is RequestState.WAITING
    await votes.cast("R1", SECOND, Choice.APPROVE)
    assert (await store.get("R1")).state is RequestState.APPROVED
    assert [v.user_id for v in await votes.for_request("R1")] == ["U1LEAD", "U2LEAD"]


async def test_one_denial_denies_whatever_the_quorum(store: RequestStore, votes: Votes) -> None:
    await _ask(store, quorum=2)
    await votes.cast("R1", FIRST, Choice.APPROVE)
    await votes.cast("R1", SECOND, Choice.DENY)
    assert (await store.get("R1")).state is RequestState.DENIED


@pytest.mark.parametrize(
    ("actor", "code"),
    [(ASKED, RefusalCode.OWN_REQUEST), (Actor("U9NOBODY"), RefusalCode.NOT_AN_APPROVER)],
)
async def test_a_vote_without_permission_changes_nothing(
    store: RequestStore, votes: Votes, actor: Actor, code: RefusalCode
) -> None:
    await _ask(store)
    result = await votes.cast("R1", actor, Choice.APPROVE)
    assert isinstance(result, Refused)
    assert result.code is code
    assert (await store.get("R1")).state is RequestState.WAITING
    assert await votes.for_request("R1") == ()


async def test_a_late_vote_is_refused_before_the_expiry_is_stored(store: RequestStore, votes: Votes) -> None:
    await _ask(store, asked_at=datetime.now(UTC) - timedelta(hours=25))
    result = await votes.cast("R1", FIRST, Choice.APPROVE)
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.CLOSED
    assert (await store.get("R1")).state is RequestState.WAITING


@pytest.mark.parametrize("end", [RequestState.APPROVED, RequestState.DENIED, RequestState.EXPIRED])
async def test_a_vote_after_the_decision_changes_nothing(store: RequestStore, votes: Votes, end: RequestState) -> None:
    await _ask(store)
    await store.transition("R1", end)
    result = await votes.cast("R1", FIRST, Choice.DENY)
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.CLOSED
    assert (await store.get("R1")).state is end
    assert await votes.for_request("R1") == ()


@pytest.mark.parametrize("id_", ["R1", "R404"])
async def test_a_request_that_is_not_waiting_takes_no_vote(store: RequestStore, votes: Votes, id_: str) -> None:
    await store.create(request("R1"), [])
    assert isinstance(await votes.cast(id_, FIRST, Choice.APPROVE), Refused)


async def test_a_vote_before_the_hold_is_refused(store: RequestStore, votes: Votes) -> None:
    await store.create(request(needs=rule()), [])
    assert isinstance(await votes.cast("R1", FIRST, Choice.APPROVE), Refused)
    await store.hold_if_required("R1")
    assert isinstance(await votes.cast("R1", FIRST, Choice.APPROVE), Accepted)


async def test_two_concurrent_clicks_of_one_person_are_one_vote(store: RequestStore, votes: Votes) -> None:
    await _ask(store, quorum=2)
    results = await asyncio.gather(*(votes.cast("R1", FIRST, Choice.APPROVE) for _ in range(4)))
    assert sorted(type(r).__name__ for r in results) == ["Accepted", "Refused", "Refused", "Refused"]
    assert (await store.get("R1")).state is RequestState.WAITING
    assert len(await votes.for_request("R1")) == 1


async def test_a_concurrent_approval_and_denial_have_one_effect(store: RequestStore, votes: Votes) -> None:
    await _ask(store)
    clicks = [(FIRST, Choice.APPROVE), (SECOND, Choice.DENY), (THIRD, Choice.APPROVE)]
    results = await asyncio.gather(*(votes.cast("R1", actor, choice) for actor, choice in clicks))
    [counted] = [r for r in results if isinstance(r, Accepted)]
    assert (await store.get("R1")).state.value == counted.approval.state.value
    assert len(await votes.for_request("R1")) == 1


async def test_two_concurrent_approvals_fill_a_quorum_of_two(store: RequestStore, votes: Votes) -> None:
    await _ask(store, quorum=2)
    results = await asyncio.gather(*(votes.cast("R1", actor, Choice.APPROVE) for actor in (FIRST, SECOND)))
    assert all(isinstance(r, Accepted) for r in results)
    assert (await store.get("R1")).state is RequestState.APPROVED
