import pytest

from providers.base import (
    AccountDisconnected,
    GroupNotFound,
    InvalidRequest,
    Outcome,
    OutcomeUnknown,
    ProviderFault,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from tests.providers.harness import ANA, BEN, outcomes, people
from tests.providers.provider_cases import WASEND, WasendHarness

GROUP = WASEND.group
SESSION = WASEND.account
ADD = f"POST /{WASEND.account}/groups/{GROUP}/participants/add"
MEMBERS = f"GET /{WASEND.account}/groups/{GROUP}/participants"

STATE = f"GET /sessions/{SESSION}"


async def test_one_person_whom_a_422_refuses_was_not_added(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=422)]
    with pytest.raises(InvalidRequest):
        await wasend.adapter.add(GROUP, people(ANA))


async def test_an_error_inside_a_200_keeps_wasends_words(wasend: WasendHarness) -> None:
    body = '{"success": false, "error": "Session  not\\nready"}'
    wasend.server.faults = [InjectedFault(ADD, status=200, body=body), InjectedFault(MEMBERS, status=200, body=body)]
    assert (await wasend.failed_add(ANA, BEN)).provider_text == "Session not ready"
    error = await wasend.failed_read(ANA)
    assert (type(error), error.provider_text) == (ProviderFault, "Session not ready")


@pytest.mark.parametrize(
    "body", [" ", '{"success": true}', '{"success": true, "data": {"added": []}}', '{"message": "queued"}']
)
async def test_an_answer_that_names_nobody_judges_nobody(wasend: WasendHarness, body: str) -> None:
    wasend.server.faults = [InjectedFault(ADD, when="after", status=200, body=body)]
    assert outcomes(await wasend.adapter.add(GROUP, people(ANA, BEN))) == dict.fromkeys((ANA, BEN), Outcome.UNKNOWN)
    assert [event.phone for event in wasend.world.events] == [ANA, BEN]


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_is_explained_by_a_session_that_is_not_connected(wasend: WasendHarness, status: int) -> None:
    wasend.server.account_state = "disconnected"
    wasend.server.not_connected_status = status
    error = await wasend.failed_add(ANA, BEN)
    assert type(error) is AccountDisconnected
    assert (error.code, error.provider_text) == (str(status), "Session is not connected")
    assert type(await wasend.failed_read(ANA)) is AccountDisconnected
    assert wasend.world.events == []


@pytest.mark.parametrize(
    "fault",
    [
        InjectedFault(ADD, status=500),
        InjectedFault(ADD, status=-1),
        InjectedFault(ADD, status=200, body='{"success": false, "error": "Session is not connected"}'),
    ],
    ids=["500", "no answer", "a failure in a 200"],
)
async def test_an_add_of_open_effect_on_a_session_that_is_gone_stops_the_sender_and_stays_unknown(
    wasend: WasendHarness,
    fault: InjectedFault,
) -> None:
    wasend.server.account_state = "disconnected"
    wasend.server.faults = [fault]
    error = await wasend.failed_add(ANA, BEN)
    assert isinstance(error, OutcomeUnknown)
    assert (error.stops_sending, error.cooldown) == (True, AccountDisconnected.cooldown)
    assert {v.outcome for v in verdicts_for_error(error, people(ANA, BEN))} == {Outcome.UNKNOWN}
    assert [line for line in wasend.requests(with_status=True) if line.startswith("POST")] == [
        f"{ADD} {max(fault.status, 0)}"
    ]


@pytest.mark.parametrize("status", [200, 500])
async def test_a_text_of_open_effect_on_a_session_that_is_gone_stops_the_sender(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.account_state = "disconnected"
    body = '{"success": false, "error": "Session is not connected"}'
    wasend.server.faults = [InjectedFault("POST /sendText", status=status, body=body)]
    with pytest.raises(OutcomeUnknown) as caught:
        await wasend.adapter.send_to_person(people(ANA)[0], "Hi")
    assert caught.value.stops_sending


async def test_an_open_effect_on_a_session_that_is_connected_stops_nobody(wasend: WasendHarness) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=500)]
    assert not (await wasend.failed_add(ANA, BEN)).stops_sending


@pytest.mark.parametrize("status", [200, 401, 503])
async def test_a_refusal_keeps_its_own_meaning_when_the_session_explains_nothing(
    wasend: WasendHarness, status: int
) -> None:
    wasend.server.faults = [InjectedFault(ADD, status=400), InjectedFault(STATE, status=status, body="{}", times=-1)]
    assert type(await wasend.failed_add(ANA, BEN)) is InvalidRequest


async def test_a_clear_refusal_costs_one_call(wasend: WasendHarness) -> None:
    wasend.world.groups.clear()
    assert type(await wasend.failed_add(ANA, BEN)) is GroupNotFound
    assert wasend.requests(with_status=True) == [f"{ADD} 404"]
