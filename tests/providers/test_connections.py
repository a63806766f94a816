"""Addresses and accounts of connections: what the configuration needs, and what an account's state is."""

import httpx
import pytest

from providers.base import Account, AccountState, GroupNotFound, InvalidRequest
from sandbox.providers.server import InjectedFault
from tests.contracts import NO_CERTIFICATES
from tests.providers.harness import ANA, TOKEN, ProviderCase, open_provider, people
from tests.providers.provider_cases import PROVIDER_CASES, TWOCHAT, WACR, WAGATEWAY, WASEND, WUTS


class Diversion(httpx.AsyncHTTPTransport):
    """Sends every request to a simulator, and records the address that it was for."""

    def __init__(self, url: str) -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self._url = httpx.URL(url)
        self.addresses: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.addresses.append(str(request.url))
        request.url = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        return await super().handle_async_request(request)


@pytest.mark.parametrize(
    ("provider", "address"),
    [
        (TWOCHAT, f"https://api.p.2chat.io/open/whatsapp/group/{TWOCHAT.group}"),
        (WACR, f"https://app.wa.cr/api/v2/groups/{WACR.group}"),
        (WASEND, f"https://api.wasend.dev/{WASEND.account}/groups/{WASEND.group}/info"),
        (WUTS, f"https://api.wuts.com.br/groups/{WUTS.group}"),
    ],
    ids=str,
)
async def test_the_default_address_is_the_providers_own(provider: ProviderCase, address: str) -> None:
    async with open_provider(provider) as harness:
        diversion = Diversion(harness.url)
        adapter = provider.make_adapter(base_url=None, token=TOKEN, account=provider.account, transport=diversion)
        assert (await adapter.group(provider.group)).subject == "Launch team"
        await adapter.aclose()
        assert diversion.addresses == [address]


@pytest.mark.parametrize(
    ("provider", "suffix"),
    [
        (TWOCHAT, "/open/"),
        *((WACR, suffix) for suffix in ("", "/", "/api/v2", "/api/v2/")),
        *((WAGATEWAY, suffix) for suffix in ("", "/", "/api/v1", "/api/v1/")),
    ],
)
async def test_the_address_may_end_in_the_base_path(provider: ProviderCase, suffix: str) -> None:
    async with open_provider(provider) as harness:
        adapter = provider.make_adapter(
            base_url=harness.url + suffix, token=TOKEN, account=provider.account, transport=harness.transport
        )
        assert (await adapter.group(provider.group)).subject == "Launch team"


@pytest.mark.parametrize(
    ("provider", "base_url", "account", "missing"),
    [
        (TWOCHAT, None, "", "connected phone number"),
        (WAGATEWAY, None, "sess_1", "base_url"),
        (WAGATEWAY, "https://gateway.example", "", "account"),
        (WASEND, None, " ", "uniqueSessionId"),
    ],
)
def test_what_a_connection_needs_must_be_configured(
    provider: ProviderCase, base_url: str | None, account: str, missing: str
) -> None:
    with pytest.raises(ValueError, match=missing):
        provider.make_adapter(base_url=base_url, token=TOKEN, account=account)


@pytest.mark.parametrize("group_id", ["../groups?x=1", "../x?y@g.us"])
@pytest.mark.parametrize("provider", PROVIDER_CASES.values(), ids=str)
async def test_a_group_id_stays_one_segment_of_the_path(provider: ProviderCase, group_id: str) -> None:
    async with open_provider(provider, checked=False) as harness:
        with pytest.raises((GroupNotFound, InvalidRequest)):
            await harness.adapter.membership(group_id, people(ANA))
        assert [call.path for call in harness.server.calls if call.query or group_id not in call.path] == []


@pytest.mark.parametrize(
    ("provider", "simulated", "account", "calls"),
    [
        (TWOCHAT, "connected", Account(AccountState.CONNECTED, "connected"), 2),
        (WAGATEWAY, "connected", Account(AccountState.CONNECTED, "working"), 1),
        (WAGATEWAY, "disconnected", Account(AccountState.DISCONNECTED, "scan_qr_code"), 1),
        (WAGATEWAY, "restricted", Account(AccountState.DISCONNECTED, "scan_qr_code"), 1),
        (WASEND, "connected", Account(AccountState.CONNECTED, "connected"), 1),
        (WASEND, "disconnected", Account(AccountState.DISCONNECTED, "the session is STOPPED"), 1),
        (WASEND, "restricted", Account(AccountState.DISCONNECTED, "the session is ERROR"), 1),
        (WUTS, "connected", Account(AccountState.CONNECTED, "connected"), 1),
        (WUTS, "disconnected", Account(AccountState.DISCONNECTED, "disconnected"), 1),
        (WUTS, "restricted", Account(AccountState.DISCONNECTED, "restricted"), 1),
    ],
    ids=str,
)
async def test_an_account_has_the_state_and_the_words_of_its_provider(
    provider: ProviderCase, simulated: str, account: Account, calls: int
) -> None:
    async with open_provider(provider) as harness:
        harness.server.account_state = simulated
        assert await harness.adapter.account() == account
        assert len(harness.server.calls) == calls
        assert harness.breaches() == []


CONNECTED_SMS = '{"phone_number": "+595981048477", "connection_status": "C", "channel_type": "SMS"}'


@pytest.mark.parametrize(
    ("provider", "body", "state"),
    [
        (
            TWOCHAT,
            '{"numbers": [{"phone_number": "595981048477", "connection_status": "F"}]}',
            AccountState.DISCONNECTED,
        ),
        (TWOCHAT, '{"numbers": [{"phone_number": "+595981048477", "connection_status": "Z"}]}', AccountState.UNKNOWN),
        (TWOCHAT, f'{{"numbers": [{CONNECTED_SMS}]}}', AccountState.DISCONNECTED),
        (WACR, '{"data": {"name": "Example Ltd"}}', AccountState.UNKNOWN),
        (WAGATEWAY, '{"status": "starting"}', AccountState.DISCONNECTED),
        (WAGATEWAY, "{}", AccountState.UNKNOWN),
        (WASEND, '{"session": {}, "downstream": {"status": "CONNECTED"}}', AccountState.CONNECTED),
        (WASEND, '{"status": "connected"}', AccountState.CONNECTED),
        (WASEND, '{"status": "SCAN_QR_CODE"}', AccountState.UNKNOWN),
        (WASEND, "{}", AccountState.UNKNOWN),
        (WUTS, '{"success": true, "data": {"status": "pairing"}}', AccountState.UNKNOWN),
    ],
)
async def test_an_undocumented_account_status_is_not_guessed(
    provider: ProviderCase, body: str, state: AccountState
) -> None:
    async with open_provider(provider, checked=False) as harness:
        harness.server.faults = [InjectedFault(status=200, body=body, times=-1)]
        assert (await harness.adapter.account()).state is state
