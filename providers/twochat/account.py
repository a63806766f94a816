"""The account at 2Chat: the state of the connected number, the limits and the usage."""

from collections.abc import Mapping, Sequence

from providers.base import Account, AccountRestricted, AccountState, ProviderError, Usage
from providers.http import Query
from providers.identity import digits_of, same_person_keys
from providers.responses import to_provider_text
from providers.twochat.api import Api
from providers.twochat.errors import NO_PATH
from providers.twochat.models import Channel, ChannelsReply, InfoReply

_INFO_PATHS = ("/info", "/open/info")
"""The paths of getAccountInfo: by the billing page, and as the vendor's own n8n node calls it."""

_STATES: Mapping[str, tuple[AccountState, str]] = {
    "C": (AccountState.CONNECTED, "connected"),
    "D": (AccountState.DISCONNECTED, "disconnected"),
    "F": (AccountState.DISCONNECTED, "the connection failed"),
}


class AccountStatus:
    """Reads the account. The path that answered is remembered.

    Args:
        api: the API of the number.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._info_path = _INFO_PATHS[0]

    async def state(self) -> Account:
        """Read the state of the connected number (listNumbers), and whether 2Chat has blocked the account."""
        try:
            account = await self._number_state()
            if account.state is AccountState.CONNECTED:
                await self._check_not_blocked()
        except AccountRestricted as error:
            return Account(AccountState.RESTRICTED, error.provider_text or error.message)
        return account

    async def allowances(self) -> Sequence[Usage]:
        """Read the credits, the number checks and the calls a minute. Raises `AccountRestricted` if blocked."""
        return (await self._read_info()).allowances

    async def _number_state(self) -> Account:
        channel = await self._channel()
        if channel is None:
            return Account(AccountState.DISCONNECTED, "2Chat doesn't list the number among its connected ones.")
        status = channel.connection_status or ""
        return Account(*_STATES.get(status, (AccountState.UNKNOWN, f"connection_status {to_provider_text(status)!r}")))

    async def _check_not_blocked(self) -> None:
        """Raise `AccountRestricted` if 2Chat has blocked the account. A read that fails proves nothing."""
        try:
            await self._read_info()
        except AccountRestricted:
            raise
        except ProviderError:
            return

    async def _read_info(self) -> InfoReply:
        """Read getAccountInfo at either of its two paths. Raises `AccountRestricted` for a blocked account."""
        try:
            info = await self._api.read(self._info_path, InfoReply, not_found=NO_PATH)
        except ProviderError as error:
            if error.code != "404" or self._info_path == _INFO_PATHS[1]:
                raise
            info = await self._api.read(_INFO_PATHS[1], InfoReply, not_found=NO_PATH)
            self._info_path = _INFO_PATHS[1]
        if info.account.blocked:
            raise AccountRestricted("2Chat has blocked the account.", code="blocked")
        return info

    async def _channel(self) -> Channel | None:
        """Find the connected number. No page is marked as the last: the first one without new numbers is."""
        own = same_person_keys(digits_of(self._api.number))
        seen: set[str] = set()
        page = 0
        while True:
            query: Query = {"status": "all", "page_number": page, "results_per_page": 100}
            reply = await self._api.read("/open/whatsapp/get-numbers", ChannelsReply, query, not_found=NO_PATH)
            for channel in reply.numbers:
                if channel.channel_type in {None, "WW"} and digits_of(channel.phone_number or "") in own:
                    return channel
            new = {c.phone_number or "" for c in reply.numbers} - seen
            if not new:
                return None
            seen |= new
            page += 1
