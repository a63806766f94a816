import json
from typing import Any, Literal

import pytest

from providers.base import (
    Action,
    ChangeResult,
    Evidence,
    Group,
    GroupChange,
    GroupNotFound,
    InvalidRequest,
    MembershipStatus,
    NotGroupAdmin,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    Person,
    Picture,
    ProviderError,
    RateLimited,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, CAT, outcomes, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own

PHOTO = Picture(url="https://example.com/group-photo.jpg")


@pytest.fixture
def twochat(twochat: TwoChatHarness) -> TwoChatHarness:
    twochat.world.put_group(GROUP, "Launch team", [NUMBER, ANA, BEN])
    return twochat


async def test_a_removal_is_reported_for_the_accepted_and_open_for_the_others(twochat: TwoChatHarness) -> None:
    result = await twochat.adapter.remove(GROUP, people(ANA, CAT))
    assert [(v.outcome, v.evidence, v.provider_code) for v in result.verdicts] == [
        (Outcome.REMOVED, Evidence.REPORTED, "accepted_numbers"),
        (Outcome.UNKNOWN, Evidence.NONE, "unaccepted_numbers"),
    ]
    assert [*twochat.group.members] == [NUMBER, BEN]


@pytest.mark.parametrize(
    ("style", "promoted", "demoted"),
    [
        ("success", Outcome.UNKNOWN, Outcome.UNKNOWN),
        ("map", Outcome.UNKNOWN, Outcome.UNKNOWN),
        ("lists", Outcome.UNKNOWN, Outcome.UNKNOWN),
    ],
)
async def test_a_role_is_never_taken_from_an_answer_because_no_page_says_what_it_means(
    twochat: TwoChatHarness, style: Literal["success", "map", "lists"], promoted: Outcome, demoted: Outcome
) -> None:
    twochat.server.roles_answer = style
    up = await twochat.adapter.promote(GROUP, people(ANA, CAT))
    assert (outcomes(up), up.error) == ({ANA: promoted, CAT: Outcome.UNKNOWN}, None)
    assert (await twochat.adapter.membership(GROUP, people(ANA))) == {f"+{ANA}": MembershipStatus.ADMIN}
    assert outcomes(await twochat.adapter.demote(GROUP, people(ANA, BEN))) == {ANA: demoted, BEN: Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"success": False, "participants": {"accepted_numbers": [f"+{ANA}"]}}, Outcome.UNKNOWN),
        (202, {"success": True, "participants": {"accepted_numbers": [f"+{ANA}"]}}, Outcome.UNKNOWN),
        (201, {"success": True, "data": {"accepted_numbers": [f"{ANA}@c.us"]}}, Outcome.REMOVED),
        (200, {"success": True, "participants": {f"+{ANA}": {"statusCode": 200}}}, Outcome.UNKNOWN),
        (200, {"success": True, "participants": {f"+{ANA}": {"statusCode": 404}}}, Outcome.UNKNOWN),
        (200, {"success": True, "participants": {f"+{ANA}": {"statusCode": 429}}}, Outcome.RATE_LIMITED),
        (200, {"success": True}, Outcome.UNKNOWN),
    ],
)
async def test_a_removal_is_read_in_every_shape_and_no_further(
    twochat: TwoChatHarness, status: int, body: dict[str, Any], outcome: Outcome
) -> None:
    twochat.server.faults = [InjectedFault("remove-participant", status=status, body=json.dumps(body))]
    result = await twochat.adapter.remove(GROUP, people(ANA))
    assert outcomes(result) == {ANA: outcome}
    assert isinstance(result.error, RateLimited) == (outcome is Outcome.RATE_LIMITED)


async def test_a_new_group_is_told_with_its_people(twochat: TwoChatHarness) -> None:
    twochat.server.sends_invites = True
    twochat.world.put_person(BEN, Disposition.PRIVATE)
    twochat.world.put_person(CAT, Disposition.NO_ACCOUNT)
    made = await twochat.adapter.create("New team", [*people(ANA, BEN, CAT), Person("7@lid", lid="7@lid")])
    new = next(group for group in twochat.world.groups.values() if group.id != GROUP)
    assert made.group == Group(new.id, "New team")
    told = [Outcome.ADDED, Outcome.INVITED, Outcome.INVALID, Outcome.INVALID]
    assert [verdict.outcome for verdict in made.verdicts] == told
    assert {*new.members} == {NUMBER, ANA}


async def test_a_new_group_shows_in_reads_only_later(twochat: TwoChatHarness) -> None:
    twochat.world.read_lag = 180.0
    made = await twochat.adapter.create("New team", people(ANA))
    assert made.group
    with pytest.raises(GroupNotFound, match="can take minutes"):
        await twochat.adapter.membership(made.group.id, people(ANA))
    twochat.clock.advance(181.0)
    assert await twochat.adapter.membership(made.group.id, people(ANA)) == {f"+{ANA}": MembershipStatus.MEMBER}


async def test_no_group_is_made_for_people_none_of_whom_has_a_phone(twochat: TwoChatHarness) -> None:
    made = await twochat.adapter.create("New team", [Person("7@lid", lid="7@lid")])
    assert (made.group, [v.outcome for v in made.verdicts]) == (None, [Outcome.INVALID])
    assert twochat.server.calls == []


@pytest.mark.parametrize(
    ("when", "status", "body", "kind"),
    [
        ("before", 486, "", RateLimited),
        ("after", -1, "", OutcomeUnknown),
        ("after", 504, "", OutcomeUnknown),
        ("after", 200, '{"success": true}', OutcomeUnknown),
        ("after", 200, '{"success": false, "message": "no", "group": {}}', OutcomeUnknown),
    ],
)
async def test_a_group_is_never_asked_for_twice(
    twochat: TwoChatHarness, when: Literal["before", "after"], status: int, body: str, kind: type[ProviderError]
) -> None:
    twochat.server.faults = [InjectedFault("create", when=when, status=status, body=body)]
    with pytest.raises(kind):
        await twochat.adapter.create("New team", people(ANA))
    assert len(twochat.server.calls) == 1
    assert len(twochat.world.groups) == (2 if when == "after" else 1)


async def test_a_group_may_be_made_without_its_id_being_told(twochat: TwoChatHarness) -> None:
    body = {"success": True, "group": {"participants": {f"+{ANA}": {"statusCode": 200}}}}
    twochat.server.faults = [InjectedFault("create", when="after", status=200, body=json.dumps(body))]
    made = await twochat.adapter.create("New team", people(ANA))
    assert made.group is None
    assert [v.outcome for v in made.verdicts] == [Outcome.ADDED]


async def test_description_and_picture_take_a_call_each_and_nothing_else_is_called(twochat: TwoChatHarness) -> None:
    wanted = GroupChange("Name", "Rota", PHOTO, announce_only=True, locked=True, ephemeral=0)
    answer = await twochat.adapter.change(GROUP, wanted)
    assert answer.done == (Action.DESCRIBE, Action.PICTURE)
    assert {type(error) for error in answer.failed.values()} == {NotSupported}
    assert [call.path.rpartition("/")[2] for call in twochat.server.calls] == ["set-description", "set-picture"]
    group = twochat.group
    assert (group.description, group.picture) == ("Rota", PHOTO.url)


async def test_a_picture_without_an_address_cannot_be_set(twochat: TwoChatHarness) -> None:
    answer = await twochat.adapter.change(GROUP, GroupChange(picture=Picture(jpeg=b"\xff\xd8")))
    assert isinstance(answer.failed[Action.PICTURE], InvalidRequest)
    assert twochat.server.calls == []


async def changed(twochat: TwoChatHarness, *faults: InjectedFault) -> ChangeResult:
    twochat.server.faults = [*faults]
    return await twochat.adapter.change(GROUP, GroupChange(description="Rota", picture=PHOTO))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (InjectedFault("set-description", status=422), InvalidRequest),
        (InjectedFault("set-description", when="after", status=504), OutcomeUnknown),
        (InjectedFault("set-description", status=202, body='{"success": true}'), OutcomeUnknown),
        (InjectedFault("set-description", status=200, body='{"success": false, "message": "no"}'), OutcomeUnknown),
    ],
)
async def test_a_change_that_fails_leaves_the_other_alone(
    twochat: TwoChatHarness, fault: InjectedFault, kind: type[ProviderError]
) -> None:
    answer = await changed(twochat, fault)
    assert answer.done == (Action.PICTURE,)
    assert [type(error) for error in answer.failed.values()] == [kind]


async def test_a_change_that_no_admin_rights_allow_ends_the_others_too(twochat: TwoChatHarness) -> None:
    twochat.group.account_is_admin = False
    answer = await changed(twochat)
    assert {action: type(error) for action, error in answer.failed.items()} == {
        Action.DESCRIBE: NotGroupAdmin,
        Action.PICTURE: NotGroupAdmin,
    }
    assert twochat.write_statuses() == [403]


async def test_a_change_is_sent_again_while_the_number_is_busy(twochat: TwoChatHarness) -> None:
    answer = await changed(twochat, InjectedFault("set-description", status=486, times=2))
    assert answer.done == (Action.DESCRIBE, Action.PICTURE)
    assert twochat.write_statuses() == [486, 486, 200, 200]


@pytest.mark.parametrize(
    ("status", "body", "uuid"),
    [
        (202, '{"success": true}', ""),
        (200, '{"success": true, "message_uuid": null}', ""),
        (200, '{"success": true, "message_uuid": 7}', "7"),
    ],
)
async def test_a_text_is_queued_whatever_else_the_success_says(
    twochat: TwoChatHarness, status: int, body: str, uuid: str
) -> None:
    twochat.server.faults = [InjectedFault("send-message", status=status, body=body)]
    assert await twochat.adapter.send_to_group(GROUP, "one") == uuid


@pytest.mark.parametrize(
    ("fault", "kind", "sent"),
    [
        (InjectedFault("send-message", status=486), RateLimited, 0),
        (InjectedFault("send-message", when="after", status=-1), OutcomeUnknown, 1),
        (InjectedFault("send-message", when="after", status=200, body="{}"), OutcomeUnknown, 1),
        (InjectedFault("send-message", status=404), InvalidRequest, 0),
    ],
)
async def test_a_text_is_never_sent_twice(
    twochat: TwoChatHarness, fault: InjectedFault, kind: type[ProviderError], sent: int
) -> None:
    twochat.server.faults = [fault]
    with pytest.raises(kind):
        await twochat.adapter.send_to_person(people(ANA)[0], "one")
    assert (len(twochat.server.calls), len(twochat.world.sent)) == (1, sent)
