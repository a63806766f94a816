from typing import Literal

import pytest

from providers.base import (
    Account,
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    CredentialsRejected,
    Evidence,
    Group,
    InvalidRequest,
    Member,
    MembershipStatus,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, CAT, outcomes, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own
ADD = "add-participant"


async def test_the_code_and_words_of_2chat_are_kept(twochat: TwoChatHarness) -> None:
    twochat.world.put_person(ANA, Disposition.BLOCKED)
    verdict = (await twochat.adapter.add(GROUP, people(ANA))).verdicts[0]
    assert (verdict.outcome, verdict.provider_code) == (Outcome.FAILED, "401")
    assert verdict.provider_message == "An unknown error occupied while adding a participant"


@pytest.mark.parametrize("style", ["strings", "objects"])
@pytest.mark.parametrize("place", ["top", "participants", "group", "data"])
async def test_unaccepted_numbers_are_found_wherever_they_sit(
    twochat: TwoChatHarness,
    place: Literal["top", "participants", "group", "data"],
    style: Literal["strings", "objects"],
) -> None:
    twochat.server.unaccepted_at = place
    twochat.server.unaccepted_as = style
    twochat.world.put_person(ANA, Disposition.NO_ACCOUNT)
    result = await twochat.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result) == {ANA: Outcome.INVALID, BEN: Outcome.ADDED}
    assert result.verdicts[0].provider_code == "unaccepted_numbers"


async def test_an_entry_says_more_than_the_unaccepted_list(twochat: TwoChatHarness) -> None:
    twochat.server.unaccepted_have_entries = True
    twochat.world.put_person(ANA, Disposition.NO_ACCOUNT)
    verdict = (await twochat.adapter.add(GROUP, people(ANA))).verdicts[0]
    assert (verdict.outcome, verdict.provider_code) == (Outcome.NOT_ON_WHATSAPP, "404")


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ('{"statusCode": 417, "message": "community", "isInviteV4Sent": false}', Outcome.REFUSED),
        ('{"statusCode": 408, "message": "The request timed out", "isInviteV4Sent": false}', Outcome.UNKNOWN),
        ('{"statusCode": 500, "message": "code 429: rate-overlimit", "isInviteV4Sent": false}', Outcome.RATE_LIMITED),
        ('{"statusCode": 202, "message": "accepted", "isInviteV4Sent": false}', Outcome.UNKNOWN),
        ('{"statusCode": 500, "message": "code 400: bad-request", "isInviteV4Sent": false}', Outcome.UNKNOWN),
        ('{"statusCode": 799, "message": "novel", "isInviteV4Sent": false}', Outcome.UNKNOWN),
        ('{"statusCode": 799, "message": "novel", "isInviteV4Sent": true}', Outcome.INVITED),
        ('{"statusCode": 200, "message": "which of both?", "isInviteV4Sent": true}', Outcome.UNKNOWN),
        ('{"statusCode": 409, "message": "a member", "isInviteV4Sent": true}', Outcome.ALREADY_DONE),
        ('{"statusCode": "200"}', Outcome.ADDED),
        ('{"statusCode": "fine", "message": "added"}', Outcome.UNKNOWN),
        ('{"message": "added"}', Outcome.UNKNOWN),
        ('"added"', Outcome.UNKNOWN),
        ("null", Outcome.UNKNOWN),
    ],
)
async def test_a_code_is_read_by_what_is_known_of_it_and_no_further(
    twochat: TwoChatHarness, entry: str, outcome: Outcome
) -> None:
    body = f'{{"success": true, "participants": {{"+{ANA}": {entry}, "{BEN}": {{"statusCode": 200}}, "note": 1}}}}'
    twochat.server.faults = [InjectedFault(ADD, status=200, body=body)]
    result = await twochat.adapter.add(GROUP, people(ANA, BEN, CAT))
    assert outcomes(result) == {ANA: outcome, BEN: Outcome.ADDED, CAT: Outcome.UNKNOWN}
    assert result.verdicts[2].evidence is Evidence.NONE
    assert isinstance(result.error, RateLimited) == (outcome is Outcome.RATE_LIMITED)


async def test_a_success_that_is_also_listed_as_unaccepted_is_unknown(twochat: TwoChatHarness) -> None:
    body = f'{{"success": true, "participants": {{"+{ANA}": {{"statusCode": 200}}}}, "unaccepted_numbers": ["{ANA}"]}}'
    twochat.server.faults = [InjectedFault(ADD, status=200, body=body)]
    assert outcomes(await twochat.adapter.add(GROUP, people(ANA))) == {ANA: Outcome.UNKNOWN}


@pytest.mark.parametrize(("status", "success"), [(202, "true"), (200, "false")])
async def test_an_entry_of_success_proves_nothing_where_the_whole_answer_leaves_it_open(
    twochat: TwoChatHarness, status: int, success: str
) -> None:
    entries = f'"+{ANA}": {{"statusCode": 200, "message": "added"}}, "+{BEN}": {{"statusCode": 403, "message": "no"}}'
    body = f'{{"success": {success}, "participants": {{{entries}}}}}'
    twochat.server.faults = [InjectedFault(ADD, status=status, body=body)]
    result = await twochat.adapter.add(GROUP, people(ANA, BEN))
    assert outcomes(result) == {ANA: Outcome.UNKNOWN, BEN: Outcome.REFUSED}
    assert (result.verdicts[0].evidence, result.verdicts[0].provider_code) == (Evidence.NONE, "200")


@pytest.mark.parametrize("status", [400, 403, 422, 503])
async def test_people_who_are_named_beside_an_error_status_are_judged_as_far_as_it_leaves_nothing_open(
    twochat: TwoChatHarness,
    status: int,
) -> None:
    entries = f'"+{ANA}": {{"statusCode": 200, "message": "added"}}, "+{BEN}": {{"statusCode": 403, "message": "no"}}'
    for named, told in (
        (f'"participants": {{{entries}}}', {ANA: Outcome.UNKNOWN, BEN: Outcome.REFUSED, CAT: Outcome.UNKNOWN}),
        (f'"accepted_numbers": ["+{ANA}"]', dict.fromkeys((ANA, BEN, CAT), Outcome.UNKNOWN)),
        (f'"unaccepted_numbers": ["+{CAT}"]', {ANA: Outcome.UNKNOWN, BEN: Outcome.UNKNOWN, CAT: Outcome.INVALID}),
    ):
        twochat.server.faults = [InjectedFault(ADD, when="after", status=status, body=f'{{"success": false, {named}}}')]
        assert outcomes(await twochat.adapter.add(GROUP, people(ANA, BEN, CAT))) == told


async def test_a_new_group_that_is_told_beside_an_error_status_is_known(twochat: TwoChatHarness) -> None:
    group = f'"group": {{"uuid": "{GROUP}", "name": "New", "unaccepted_numbers": ["+{BEN}"]}}'
    twochat.server.faults = [InjectedFault("group/create", status=422, body=f'{{"success": false, {group}}}')]
    created = await twochat.adapter.create("New", people(ANA, BEN))
    assert created.group == Group(GROUP, "New")
    assert [verdict.outcome for verdict in created.verdicts] == [Outcome.UNKNOWN, Outcome.INVALID]


async def test_an_account_that_2chat_has_blocked_is_restricted_though_its_number_is_connected(
    twochat: TwoChatHarness,
) -> None:
    twochat.server.blocked = True
    assert await twochat.adapter.account() == Account(AccountState.RESTRICTED, "2Chat has blocked the account.")
    with pytest.raises(AccountRestricted):
        await twochat.adapter.limits()


async def test_a_number_is_connected_where_nothing_more_can_be_read_of_the_account(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault("/info", status=403, times=-1)]
    assert await twochat.adapter.account() == Account(AccountState.CONNECTED, "connected")


async def test_the_number_is_looked_for_on_every_page(twochat: TwoChatHarness) -> None:
    twochat.server.numbers = [*(f"1415556{n:04}" for n in range(100)), NUMBER]
    assert (await twochat.adapter.account()).state is AccountState.CONNECTED
    twochat.server.numbers.pop()
    assert (await twochat.adapter.account()).state is AccountState.DISCONNECTED


PASSING = [409, 410, 486]
"""States of the phone that end within seconds."""


@pytest.mark.parametrize("shape", ["error_message", "message", "detail"])
async def test_the_text_of_an_error_is_found_in_every_shape(
    twochat: TwoChatHarness, shape: Literal["error_message", "message", "detail"]
) -> None:
    twochat.server.error_shape = shape
    twochat.server.faults = [InjectedFault(ADD, status=400)]
    error = await twochat.failed_add(ANA, BEN)
    assert (type(error), error.code) == (InvalidRequest, "400")
    assert error.provider_text
    assert "{" not in error.provider_text


async def test_a_422_to_several_leaves_open_who_was_dealt_with(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault("/group/", when="after", status=422, times=-1)]
    assert isinstance(await twochat.failed_add(ANA, BEN), OutcomeUnknown)
    assert [event.phone for event in twochat.world.events] == [ANA, BEN]
    with pytest.raises(InvalidRequest):
        await twochat.adapter.add(GROUP, people(ANA))
    with pytest.raises(OutcomeUnknown):
        await twochat.adapter.create("New team", people(ANA))
    assert len(twochat.world.groups) == 2


@pytest.mark.parametrize("status", PASSING)
async def test_a_number_in_a_passing_state_is_asked_again_until_it_is_ready(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault(ADD, status=status, times=2)]
    assert outcomes(await twochat.adapter.add(GROUP, people(ANA))) == {ANA: Outcome.ADDED}
    assert twochat.write_statuses() == [status, status, 200]


@pytest.mark.parametrize("status", PASSING)
async def test_a_new_group_and_a_text_are_sent_once_whatever_state_the_number_is_in(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault("POST", status=status, times=-1)]
    for call in (twochat.adapter.create("New team", people(ANA)), twochat.adapter.send_to_group(GROUP, "Hi")):
        with pytest.raises(ProviderError):
            await call
    assert twochat.write_statuses() == [status, status]


@pytest.mark.parametrize(
    ("state", "kind", "status"),
    [("busy", RateLimited, 486), ("booting", AccountDisconnected, 409), ("disconnected", AccountDisconnected, 410)],
)
async def test_a_number_that_stays_so_is_asked_three_times_and_rests_for_seconds(
    twochat: TwoChatHarness, state: str, kind: type[ProviderError], status: int
) -> None:
    twochat.server.account_state = state
    error = await twochat.failed_add(ANA, BEN)
    assert (type(error), error.code, error.cooldown) == (kind, str(status), 10.0)
    assert twochat.write_statuses() == [status] * 3
    assert twochat.world.events == []


@pytest.mark.parametrize("status", PASSING)
async def test_a_number_in_a_passing_state_that_then_loses_the_answer_is_not_asked_again(
    twochat: TwoChatHarness, status: int
) -> None:
    twochat.server.faults = [InjectedFault(ADD, status=status), InjectedFault(ADD, when="after", status=-1)]
    assert isinstance(await twochat.failed_add(ANA, BEN), OutcomeUnknown)
    assert [event.phone for event in twochat.world.events] == [ANA, BEN]


async def test_a_number_that_is_no_admin_is_told_so_in_a_200(twochat: TwoChatHarness) -> None:
    body = '{"success": false, "message": "You have no admin rights to add a participant to a group"}'
    twochat.server.faults = [InjectedFault(ADD, status=200, body=body)]
    assert isinstance(await twochat.failed_add(ANA, BEN), NotGroupAdmin)


async def test_a_missing_key_is_rejected_although_2chat_says_403(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault(status=403, body='{"detail": "Not authenticated"}')]
    with pytest.raises(CredentialsRejected):
        await twochat.adapter.group(GROUP)


async def test_the_groups_of_a_number_that_2chat_does_not_know_cannot_be_listed(twochat: TwoChatHarness) -> None:
    twochat.server.numbers = []
    with pytest.raises(AccountDisconnected):
        _ = [group async for group in twochat.adapter.groups()]


GONE = f'{{"phone_number": "+{ANA}", "role": "left"}}'


async def test_a_late_list_is_not_believed_where_it_lacks_an_own_change(twochat: TwoChatHarness) -> None:
    twochat.world.read_lag = 180.0
    twochat.world.put_group(GROUP, "Launch team", [NUMBER, BEN])

    async def seen() -> list[MembershipStatus]:
        return list((await twochat.adapter.membership(GROUP, people(ANA, BEN, CAT))).values())

    assert await seen() == [MembershipStatus.ABSENT, MembershipStatus.MEMBER, MembershipStatus.ABSENT]
    await twochat.adapter.add(GROUP, people(ANA))
    await twochat.adapter.promote(GROUP, people(BEN))
    assert await seen() == [MembershipStatus.UNKNOWN, MembershipStatus.PRESENT, MembershipStatus.ABSENT]
    twochat.clock.advance(181.0)
    assert await seen() == [MembershipStatus.MEMBER, MembershipStatus.ADMIN, MembershipStatus.ABSENT]
    await twochat.adapter.remove(GROUP, people(ANA))
    await twochat.adapter.demote(GROUP, people(BEN))
    assert await seen() == [MembershipStatus.UNKNOWN, MembershipStatus.PRESENT, MembershipStatus.ABSENT]
    twochat.clock.advance(181.0)
    assert await seen() == [MembershipStatus.ABSENT, MembershipStatus.MEMBER, MembershipStatus.ABSENT]


async def test_a_late_list_is_believed_of_those_who_were_refused_and_of_all_after_ten_minutes(
    twochat: TwoChatHarness,
) -> None:
    twochat.world.put_person(ANA, Disposition.PRIVATE)
    twochat.server.faults = [InjectedFault(ADD, status=-1, skip=1)]
    await twochat.adapter.add(GROUP, people(ANA))
    with pytest.raises(OutcomeUnknown):
        await twochat.adapter.add(GROUP, people(BEN))
    absent = {f"+{ANA}": MembershipStatus.ABSENT, f"+{BEN}": MembershipStatus.ABSENT}
    assert await twochat.adapter.membership(GROUP, people(ANA, BEN)) == absent | {f"+{BEN}": MembershipStatus.UNKNOWN}
    twochat.clock.advance(601.0)
    assert await twochat.adapter.membership(GROUP, people(ANA, BEN)) == absent


async def test_an_unresolved_lid_leaves_the_absence_of_others_unknown(twochat: TwoChatHarness) -> None:
    twochat.world.put_group(GROUP, "Launch team", [ANA, BEN])
    twochat.server.lid_only = {BEN}
    hidden = Person("", lid=twochat.lid(BEN))
    found = await twochat.adapter.membership(GROUP, [*people(ANA, CAT), hidden, Person("", lid="77@lid")])
    assert found == {
        f"+{ANA}": MembershipStatus.MEMBER,
        f"+{CAT}": MembershipStatus.UNKNOWN,
        hidden.key: MembershipStatus.MEMBER,
        "77@lid": MembershipStatus.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("data", "presence"),
    [
        ('{"participants": [{"wa_participant_id": "14155550101@s.whatsapp.net"}]}', MembershipStatus.PRESENT),
        ('{"participants": [{"phone_number": "14155550101"}]}', MembershipStatus.PRESENT),
        ('{"participants": [{"phone_number": "+14155550101", "wa_is_admin": null}]}', MembershipStatus.PRESENT),
        ('{"participants": [{"phone_number": "+14155550101", "wa_is_admin": false}]}', MembershipStatus.MEMBER),
        ('{"participants": [{"phone_number": "+14155550101", "wa_is_super_admin": true}]}', MembershipStatus.ADMIN),
        (f'{{"participants": [{GONE}, {{"phone_number": "+595981048477"}}], "size": 1}}', MembershipStatus.ABSENT),
        (f'{{"participants": [{GONE}, {{"phone_number": "+595981048477"}}]}}', MembershipStatus.UNKNOWN),
        (f'{{"participants": [{GONE}]}}', MembershipStatus.UNKNOWN),
        ('{"participants": [], "size": 0}', MembershipStatus.UNKNOWN),
        ('{"participants": []}', MembershipStatus.UNKNOWN),
        ('{"participants": [], "size": 3}', MembershipStatus.UNKNOWN),
        ('{"participants": [{"wa_participant_id": "5@lid"}]}', MembershipStatus.UNKNOWN),
        (
            '{"participants": [{"wa_participant_id": "14155550101@lid", "phone_number": "+14155550101"}]}',
            MembershipStatus.UNKNOWN,
        ),
        ('{"wa_group_name": "no list"}', MembershipStatus.UNKNOWN),
    ],
)
async def test_presence_says_no_more_than_the_member_list(
    twochat: TwoChatHarness, data: str, presence: MembershipStatus
) -> None:
    twochat.server.faults = [InjectedFault("GET", status=200, body=f'{{"success": true, "data": {data}}}')]
    assert await twochat.adapter.membership(GROUP, people(ANA)) == {f"+{ANA}": presence}


async def test_members_that_were_listed_are_given_before_it_is_said_that_some_are_missing(
    twochat: TwoChatHarness,
) -> None:
    rows = f'{GONE}, {{"wa_participant_id": "5@lid", "wa_pushname": "Eve", "wa_is_admin": true}}, {{}}'
    body = f'{{"success": true, "data": {{"size": 3, "participants": [{rows}]}}}}'
    twochat.server.faults = [InjectedFault("GET", status=200, body=body)]
    listed = twochat.adapter.members(GROUP)
    assert await anext(listed) == Member(lid="5@lid", name="Eve", status=MembershipStatus.ADMIN)
    assert await anext(listed) == Member()
    with pytest.raises(ProviderFault, match="all members"):
        await anext(listed)
