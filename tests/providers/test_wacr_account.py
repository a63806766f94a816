import pytest

from providers.base import (
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    InvalidRequest,
    OutcomeUnknown,
    PermissionMissing,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
    Usage,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, people
from tests.providers.provider_cases import WACR, WacrHarness

PATH = WACR.prefix

TEXT = f"POST {PATH}/messages/text"


async def test_what_is_used_and_what_there_is_are_told_by_the_providers_names(wacr: WacrHarness) -> None:
    wacr.server.contact_limit = 1000
    wacr.server.put_contact(f"+{ANA}")
    assert await wacr.adapter.limits() == [
        Usage("Total Contacts", 1, 1000),
        Usage("Conversations per Month", 0, None),
        Usage("Active Campaigns", 0, 5),
        Usage("Team Members", 2, 3),
        Usage("API Calls per Minute", None, 60),
    ]
    assert sorted(wacr.requests()) == ["GET /account/limits", "GET /account/usage"]


@pytest.mark.parametrize("body", ["{}", '{"data": []}', '{"success": false, "message": "Something went wrong"}'])
async def test_allowances_that_are_not_told_are_a_fault(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault("/account", status=200, body=body, times=-1)]
    with pytest.raises(ProviderFault):
        await wacr.adapter.limits()


@pytest.mark.parametrize("key", ["subscription", "plan"])
async def test_the_account_tells_its_plan_wherever_it_stands(wacr: WacrHarness, key: str) -> None:
    wacr.server.subscription_key = key
    assert "plan Business active" in (await wacr.adapter.account()).detail


@pytest.mark.parametrize(
    ("tenant", "subscription", "state"),
    [
        ("connected", "active", AccountState.CONNECTED),
        ("connected", "expired", AccountState.RESTRICTED),
        ("connected", "Expired", AccountState.RESTRICTED),
        ("connected", "cancelled", AccountState.CONNECTED),
        ("connected", None, AccountState.CONNECTED),
        ("restricted", "active", AccountState.RESTRICTED),
    ],
)
async def test_a_tenant_or_a_subscription_that_has_run_out_restricts_the_account(
    wacr: WacrHarness, tenant: str, subscription: str | None, state: AccountState
) -> None:
    wacr.server.account_state = tenant
    wacr.server.subscription_status = subscription
    account = await wacr.adapter.account()
    assert account.state is state
    assert f"plan Business {subscription or ''}".strip() in account.detail


async def test_a_full_plan_ends_the_texts_of_a_request_and_lets_the_connection_go_on(wacr: WacrHarness) -> None:
    wacr.server.contact_limit = 0
    with pytest.raises(AccountRestricted) as caught:
        await wacr.adapter.send_to_person(people(ANA)[0], "Hello")
    assert (caught.value.stops_sending, caught.value.cooldown) == (True, 0.0)


async def test_a_failure_of_whatsapps_is_definite_by_its_code_and_its_status_alone(wacr: WacrHarness) -> None:
    for status, body in ((500, '{"code": "INTERNAL_ERROR"}'), (500, ""), (502, '{"code": "MESSAGE_SEND_FAILED"}')):
        wacr.server.faults = [InjectedFault(TEXT, status=status, body=body)]
        with pytest.raises(OutcomeUnknown):
            await wacr.adapter.send_to_person(people(ANA)[0], "Hello")


async def test_a_refusal_that_is_not_about_the_scope_says_nothing_of_the_token(wacr: WacrHarness) -> None:
    wacr.server.faults = [InjectedFault("/account", status=403, body="<html>Blocked</html>")]
    with pytest.raises(PermissionMissing):
        await wacr.adapter.account()


async def test_a_text_goes_to_a_phone_once_and_gives_its_id(wacr: WacrHarness) -> None:
    assert await wacr.adapter.send_to_person(people(ANA)[0], "Hello @{contact_first_name}") == "wamid.1"
    assert [(sent.to, sent.text) for sent in wacr.world.sent] == [(ANA, "Hello Ada")]
    with pytest.raises(InvalidRequest):
        await wacr.adapter.send_to_person(Person("1@lid", lid="1@lid"), "Hello")
    assert wacr.requests() == ["POST /messages/text"]


@pytest.mark.parametrize(
    ("obstacle", "kind", "code"),
    [
        ("opted out", InvalidRequest, "CONTACT_OPTED_OUT"),
        ("not configured", AccountDisconnected, "WHATSAPP_NOT_CONFIGURED"),
        ("no settings", InvalidRequest, "VALIDATION_ERROR"),
        ("plan is full", AccountRestricted, "FEATURE_LIMIT_EXCEEDED"),
        ("whatsapp refuses", InvalidRequest, "MESSAGE_SEND_FAILED"),
        ("no scope", PermissionMissing, "INSUFFICIENT_SCOPE"),
        ("too many", RateLimited, "RATE_LIMIT_EXCEEDED"),
    ],
)
async def test_each_obstacle_to_a_text_is_told_by_its_own_code(
    wacr: WacrHarness, obstacle: str, kind: type[ProviderError], code: str
) -> None:
    match obstacle:
        case "opted out":
            wacr.server.put_contact(f"+{ANA}", is_opted_out=True)
        case "not configured":
            wacr.server.account_state = "disconnected"
        case "no settings":
            wacr.server.makes_contacts = False
        case "plan is full":
            wacr.server.contact_limit = 0
        case "whatsapp refuses":
            wacr.world.put_person(ANA, Disposition.NO_ACCOUNT)
        case "no scope":
            wacr.server.scopes.remove("messages:send")
        case _:
            wacr.server.calls_per_minute = 0
    with pytest.raises(kind) as caught:
        await wacr.adapter.send_to_person(people(ANA)[0], "Hello")
    assert caught.value.code == code
    assert wacr.requests() == ["POST /messages/text"]
    assert wacr.world.sent == []


@pytest.mark.parametrize("body", ['{"data": {"status": "failed", "message_id": "wamid.1"}}', '{"data": {}}', "{}"])
async def test_a_text_that_is_not_said_to_be_sent_is_unknown(wacr: WacrHarness, body: str) -> None:
    wacr.server.faults = [InjectedFault(TEXT, "after", 200, body)]
    with pytest.raises(OutcomeUnknown):
        await wacr.adapter.send_to_person(people(ANA)[0], "Hello")


@pytest.mark.parametrize(("body", "told"), [('{"message_id": "wamid.9"}', "wamid.9"), ('{"status": "sent"}', "")])
async def test_a_text_counts_as_sent_by_its_id_or_its_status(wacr: WacrHarness, body: str, told: str) -> None:
    wacr.server.faults = [InjectedFault(TEXT, "after", 200, body)]
    assert await wacr.adapter.send_to_person(people(ANA)[0], "Hello") == told
