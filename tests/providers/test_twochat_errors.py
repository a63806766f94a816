from typing import Literal

import pytest

from providers.base import (
    AccountDisconnected,
    CredentialsRejected,
    InvalidRequest,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
)
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, outcomes, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own
ADD = "add-participant"

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
