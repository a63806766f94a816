from typing import Literal

import pytest

from providers.base import (
    Account,
    AccountRestricted,
    AccountState,
    Evidence,
    Group,
    Outcome,
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
