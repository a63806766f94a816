import pytest

from providers.base import (
    AccountDisconnected,
    GroupNotFound,
    InvalidRequest,
    NumberCheck,
    Outcome,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    ProviderError,
    RateLimited,
    Usage,
    verdicts_for_error,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, people
from tests.providers.provider_cases import WAGATEWAY, WaGatewayHarness

GROUP = WAGATEWAY.group
ROOT = f"/api/v1/sessions/{WAGATEWAY.account}"
CHECK = f"GET {ROOT}/contacts/check"
CONTACTS = f"GET {ROOT}/contacts"

SEND = f"POST {ROOT}/messages"


async def test_a_number_is_told_in_the_form_and_with_the_lid_that_it_has(wagateway: WaGatewayHarness) -> None:
    listed = "5511987654321"
    wagateway.world.put_person("551187654321", Disposition.NO_ACCOUNT)
    wagateway.world.put_group(GROUP, "Launch team", [listed])
    known = Person("a", lid=wagateway.lid(listed))
    assert await wagateway.adapter.check_numbers([known]) == {known.key: NumberCheck(True, f"+{listed}", known.lid)}
    [check] = (await wagateway.adapter.check_numbers(people("551187654321"))).values()
    assert check == NumberCheck(True, f"+{listed}", known.lid)


@pytest.mark.parametrize("fault", [InjectedFault(CHECK, status=400), InjectedFault(CHECK, status=200, body="{}")])
async def test_a_check_that_says_nothing_leaves_it_open(wagateway: WaGatewayHarness, fault: InjectedFault) -> None:
    await wagateway.adapter.check_numbers(people(BEN))
    wagateway.server.faults = [fault]
    checks = await wagateway.adapter.check_numbers(people(ANA, BEN))
    assert checks == {f"+{ANA}": NumberCheck(None), f"+{BEN}": NumberCheck(True, f"+{BEN}")}


@pytest.mark.parametrize("jid", [f'"{ANA}@s.whatsapp.net"', '""', "null", '"77@lid"'])
@pytest.mark.parametrize("exists", [True, False])
async def test_the_check_tells_by_its_word_whatever_jid_it_names(
    wagateway: WaGatewayHarness, exists: bool, jid: str
) -> None:
    body = f'{{"isOnWhatsApp": {str(exists).lower()}, "jid": {jid}}}'
    wagateway.server.faults = [InjectedFault(CHECK, status=200, body=body)]
    [check] = (await wagateway.adapter.check_numbers(people(ANA))).values()
    assert (check.on_whatsapp, check.phone) == (exists, f"+{ANA}" if exists else "")


async def test_numbers_that_are_all_malformed_are_an_error(wagateway: WaGatewayHarness) -> None:
    wagateway.server.faults = [InjectedFault(CHECK, status=400, times=2)]
    with pytest.raises(InvalidRequest):
        await wagateway.adapter.check_numbers(people(ANA, BEN))


async def test_what_was_checked_before_an_error_is_not_asked_again(wagateway: WaGatewayHarness) -> None:
    phones = [f"141555504{number:02}" for number in range(12)]
    wagateway.server.faults = [InjectedFault(CHECK, status=501, skip=6)]
    with pytest.raises(AccountDisconnected):
        await wagateway.adapter.check_numbers(people(*phones))
    asked = len(wagateway.requests())
    assert 7 <= asked <= 10
    await wagateway.adapter.check_numbers(people(*phones))
    assert len(wagateway.requests()) == 1 + len(phones)


@pytest.mark.parametrize("field", ["waMessageId", "messageId"])
async def test_a_text_goes_to_a_group_or_a_person_in_one_call(wagateway: WaGatewayHarness, field: str) -> None:
    wagateway.server.message_id_field = field
    assert await wagateway.adapter.send_to_group(GROUP, "Welcome")
    assert await wagateway.adapter.send_to_person(people(ANA)[0], "Hello")
    assert [(sent.to, sent.text) for sent in wagateway.world.sent] == [(GROUP, "Welcome"), (ANA, "Hello")]
    assert wagateway.requests() == [SEND, CHECK, SEND]


async def test_a_text_to_nobody_is_not_sent(wagateway: WaGatewayHarness) -> None:
    wagateway.world.put_person(ANA, Disposition.NO_ACCOUNT)
    for person, outcome in ((people(ANA)[0], Outcome.NOT_ON_WHATSAPP), (Person("b", lid="77@lid"), Outcome.INVALID)):
        with pytest.raises(ProviderError) as caught:
            await wagateway.adapter.send_to_person(person, "Hello")
        assert [verdict.outcome for verdict in verdicts_for_error(caught.value, [person])] == [outcome]
    assert SEND not in wagateway.requests()


async def test_a_text_that_is_only_queued_is_not_called_sent(wagateway: WaGatewayHarness) -> None:
    for status in (202, 200):
        wagateway.server.faults = [InjectedFault(SEND, status=status, body='{"mode": "async", "outboxId": "outbox-1"}')]
        with pytest.raises(OutcomeUnknown) as caught:
            await wagateway.adapter.send_to_group(GROUP, "Welcome")
        assert caught.value.code == str(status)
    assert len(wagateway.requests()) == 2


async def test_a_text_over_the_sessions_rate_is_refused_and_not_sent_again(wagateway: WaGatewayHarness) -> None:
    wagateway.server.most_per_minute = 1
    await wagateway.adapter.send_to_group(GROUP, "One")
    with pytest.raises(RateLimited):
        await wagateway.adapter.send_to_group(GROUP, "Two")
    assert wagateway.requests() == [SEND, SEND]


async def test_a_person_who_is_not_found_does_not_stop_the_sender_but_a_session_does(
    wagateway: WaGatewayHarness,
) -> None:
    wagateway.server.faults = [InjectedFault(SEND, status=404, times=2)]
    with pytest.raises(ProviderError) as caught:
        await wagateway.adapter.send_to_person(people(ANA)[0], "Hello")
    assert not caught.value.stops_sending
    assert wagateway.requests() == [CHECK, SEND, CONTACTS]
    wagateway.server.session = "sess_2"
    with pytest.raises(AccountDisconnected):
        await wagateway.adapter.send_to_person(people(ANA)[0], "Hello")
    with pytest.raises(GroupNotFound):
        await wagateway.adapter.send_to_group(GROUP, "Hello")
    with pytest.raises(AccountDisconnected):
        await wagateway.adapter.check_numbers([Person("b", lid="77@lid")])


async def test_limits_are_the_sessions_and_take_manage(wagateway: WaGatewayHarness) -> None:
    assert await wagateway.adapter.limits() == [
        Usage("messages per minute", limit=20),
        Usage("messages per hour", limit=600),
    ]
    assert wagateway.requests() == [f"GET {ROOT}"]
    wagateway.server.permissions = frozenset({"read", "send"})
    with pytest.raises(PermissionMissing):
        await wagateway.adapter.limits()
