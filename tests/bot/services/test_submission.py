import asyncio
import time
from dataclasses import replace
from typing import cast

import pytest

from bot.domain.access import Actor, Allowed, Capability, DenialCode, Denied, Role
from bot.domain.approvals import ApprovalRule
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft, RequestOptions, RequestState
from bot.domain.roster import Roster, parse
from bot.domain.send_limits import SendLimits
from bot.execution.connections import Connection
from bot.execution.dispatcher import Dispatcher
from bot.execution.throttle import Throttle
from bot.services.authorization import Authorizer
from bot.services.submission import Rejected, Submissions, Submitted
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from bot.storage.work_queue import WorkQueue
from providers.base import Ability, Action, GroupChange, Operation, Outcome, Picture, PictureForm, ProviderCapability
from tests.bot.execution.scripted import ScriptedProvider
from tests.bot.storage.samples import LEAD, rule

TEAM = KnownGroup("support", "1@g.us", "launch-team", "Launch")
OTHER = KnownGroup("support", "2@g.us", "", "launch-party")
ALICE = Actor("U01ALICE")
SENDERS = Role("operator", frozenset({"U01ALICE", "S0OPS"}), frozenset({Capability.SEND}), ("launch-*",))
WRITERS = Role("writer", frozenset({"U03WRITES"}), frozenset({Capability.GROUPS_WRITE}))


class Woken:
    """Counts how often it was woken."""

    def __init__(self) -> None:
        self.times = 0

    def wake(self) -> None:
        self.times += 1


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def journal(database: Database) -> RequestStore:
    return RequestStore(database)


def _intake(database: Database, woken: Woken, *rules: ApprovalRule, max_open: int | None = None) -> Submissions:
    line = Connection(ScriptedProvider(), Throttle(database, "support", SendLimits()), [])
    dispatcher = cast("Dispatcher", woken)
    roles = [SENDERS, WRITERS, LEAD]
    return Submissions(
        RequestStore(database),
        dispatcher,
        AuditJournal(database),
        authorizer=Authorizer({"support": line.provider}, roles),
        rules=rules,
        max_open=max_open,
    )


@pytest.fixture
def intake(database: Database, woken: Woken) -> Submissions:
    return _intake(database, woken)


def _draft(
    text: str = "+1 415 555 0100, +1 415 555 0101", *, who: Actor = ALICE, group: KnownGroup = TEAM
) -> RequestDraft:
    return RequestDraft(
        "R1", Operation.ADD, group, parse(text, default_region=None), "they start on Monday", who, "C0TEAM"
    )


async def test_a_request_is_written_before_anybody_is_woken_and_everybody_has_a_line(
    intake: Submissions, journal: RequestStore, woken: Woken
) -> None:
    draft = _draft("+1 415 555 0100, nobody, +14155550101, (415) 555-0100, +1 415 555 0100")
    taken = await intake.submit(draft)
    assert isinstance(taken, Submitted)
    assert not taken.already_submitted
    assert woken.times == 1
    request = await journal.get("R1")
    assert request == taken.request
    assert (request.state, request.requester, request.group_name) == (RequestState.RECEIVED, "U01ALICE", "launch-team")
    assert request.duplicates == 1
    lines = await journal.items("R1")
    assert [p.position for p in lines] == [0, 1, 2, 3]
    assert [(p.person.phone, p.outcome) for p in lines[:2]] == [("+14155550100", None), ("+14155550101", None)]
    assert [p.person.raw for p in lines[2:]] == ["nobody", "(415) 555-0100"]
    assert [(p.person.is_person, p.outcome) for p in lines[2:]] == [(False, Outcome.INVALID)] * 2
    assert [p.provider_message for p in lines[2:]] == [entry.reason for entry in draft.roster.rejected]


async def test_the_same_draft_again_changes_nothing_and_says_so(intake: Submissions, journal: RequestStore) -> None:
    first = await intake.submit(_draft())
    again = await intake.submit(_draft("+1 415 555 0199"))
    assert isinstance(first, Submitted)
    assert isinstance(again, Submitted)
    assert again.already_submitted
    assert await journal.get("R1") == first.request
    assert len(await journal.items("R1")) == 2


async def test_a_double_click_is_one_request(intake: Submissions, database: Database) -> None:
    results = await asyncio.gather(*(intake.submit(_draft()) for _ in range(4)))
    assert sorted(r.already_submitted for r in results if isinstance(r, Submitted)) == [False, True, True, True]
    assert len((await WorkQueue(database).due(time.time())).work) == 1


async def test_a_person_can_have_so_many_open_requests(database: Database, woken: Woken, journal: RequestStore) -> None:
    intake = _intake(database, woken, max_open=2)
    for id_ in ("R1", "R2"):
        assert isinstance(await intake.submit(replace(_draft(), id=id_)), Submitted)
    third = replace(_draft(), id="R3")
    rejected = await intake.submit(third)
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("You have 2 open requests, which is the limit.")
    with pytest.raises(LookupError):
        await journal.get("R3")
    assert isinstance(await intake.submit(replace(_draft(), id="R1")), Submitted)  # it is one of the two
    await journal.transition("R1", RequestState.RUNNING)
    await journal.transition("R1", RequestState.DONE)
    assert isinstance(await intake.submit(third), Submitted)


@pytest.mark.parametrize(
    ("form", "picture", "words"),
    [
        (PictureForm.JPEG, Picture(url="https://x.example/a.jpg"), "only as a JPEG file"),
        (PictureForm.ADDRESS, Picture(jpeg=b"x"), "only by its address"),
        (PictureForm.JPEG, Picture(jpeg=b"x"), ""),
        (PictureForm.ADDRESS, Picture(url="https://x.example/a.jpg"), ""),
    ],
)
async def test_a_picture_in_a_form_that_the_provider_does_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, intake: Submissions, form: PictureForm, picture: Picture, words: str
) -> None:
    taking = {Action.PICTURE: Ability(ProviderCapability.SEND, picture=form)}
    monkeypatch.setattr(ScriptedProvider, "abilities", {**ScriptedProvider.abilities, **taking})
    details = RequestOptions(change=GroupChange(picture=picture))
    refused = intake.check(replace(_draft(), operation=Operation.SETTINGS, roster=Roster(), options=details))
    assert words in (refused.reason if refused else "")
    assert bool(refused) == bool(words)


async def test_the_capability_is_the_providers_own_word(database: Database) -> None:
    """To add through this provider takes `send`; `groups:write` alone does not do."""
    line = Connection(ScriptedProvider(), Throttle(database, "support", SendLimits()), [])
    rights = Authorizer({"support": line.provider}, [SENDERS, WRITERS, LEAD])
    assert rights.check(ALICE, Action.ADD, TEAM) == Allowed()
    denied = rights.check(Actor("U03WRITES"), Action.ADD, TEAM)
    assert isinstance(denied, Denied)
    assert denied.code is DenialCode.NO_CAPABILITY
    assert "This needs the capability `send`" in denied.reason


@pytest.mark.parametrize(
    ("who", "group", "words"),
    [
        (Actor("U03WRITES"), TEAM, "capability `send`"),
        (Actor("U9NOBODY"), TEAM, "You don't have access yet"),
        (ALICE, OTHER, "not for this group"),
    ],
)
async def test_who_may_not_is_told_why_and_nothing_is_written(
    intake: Submissions, database: Database, who: Actor, group: KnownGroup, words: str
) -> None:
    refused = await intake.submit(_draft(who=who, group=group))
    assert isinstance(refused, Rejected)
    assert words in refused.reason
    assert (await WorkQueue(database).due(time.time())).work == []


async def test_a_member_of_a_user_group_may(intake: Submissions) -> None:
    taken = await intake.submit(_draft(who=Actor("U7", frozenset({"S0OPS"}))))
    assert isinstance(taken, Submitted)


async def test_a_roster_without_anybody_is_refused(intake: Submissions, database: Database) -> None:
    refused = await intake.submit(_draft("nobody, 12"))
    assert isinstance(refused, Rejected)
    assert (await WorkQueue(database).due(time.time())).work == []


async def test_the_first_rule_that_matches_is_kept_with_the_request(
    database: Database, journal: RequestStore, woken: Woken
) -> None:
    first, second = rule(quorum=2), rule(quorum=1)
    taken = await _intake(database, woken, first, second).submit(_draft())
    assert isinstance(taken, Submitted)
    assert (await journal.get("R1")).rule == first


async def test_rejected_entries_do_not_count_towards_the_least_number_of_a_rule(
    database: Database, journal: RequestStore, woken: Woken
) -> None:
    taken = await _intake(database, woken, rule()).submit(_draft("+1 415 555 0100, nobody, 12"))
    assert isinstance(taken, Submitted)
    assert (await journal.get("R1")).rule is None
