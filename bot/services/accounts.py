"""The states of the connections' accounts, read in the background: a slow provider delays no page."""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from bot.execution.connections import Connection
from bot.tasks import stop
from providers.base import Account, ProviderError

STATUS_TTL = 60.0
"""Seconds for which an account's state is shown without being read again."""
READ_TIMEOUT = 20.0
"""Seconds that a provider has to answer."""

AccountStatus = Account | Exception
"""The state of an account, or the error for which it couldn't be read: a `ProviderError`, `TimeoutError` or a bug."""

log = structlog.get_logger(__name__)


class AccountStatuses:
    """Caches the states of the accounts.

    Args:
        connections: the connections, by name.
        on_change: called with each person who looked and would see something else now.
        clock: gives seconds, for the age of what was read.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        on_change: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections = connections
        self._on_change = on_change
        self._clock = clock
        self._statuses: dict[str, AccountStatus] = {}
        self._read_at: dict[str, float] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._viewers: dict[str, set[str]] = {}

    def get(self, name: str, user_id: str) -> AccountStatus | None:
        """Return the last known status of a connection's account; None if it hasn't been read yet.

        An old one is read again, and `on_change` called with this person if it has changed.
        """
        if self._clock() - self._read_at.get(name, -STATUS_TTL) >= STATUS_TTL:
            self._viewers.setdefault(name, set()).add(user_id)
            if name not in self._reading:
                self._reading[name] = asyncio.create_task(self._read(name))
        return self._statuses.get(name)

    async def aclose(self) -> None:
        """Stop reading."""
        await stop(self._reading.values())

    async def _read(self, name: str) -> None:
        before = self._statuses.get(name)
        try:
            self._statuses[name] = await self._status(name)
            self._read_at[name] = self._clock()
        finally:
            del self._reading[name]
            viewers = self._viewers.pop(name, set())
        if before is None or _content(self._statuses[name]) != _content(before):
            for user_id in viewers:
                self._on_change(user_id)

    async def _status(self, name: str) -> AccountStatus:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await self._connections[name].provider.account()
        except (ProviderError, TimeoutError) as error:
            return error
        except Exception as error:
            log.exception("account_not_read", connection=name)
            return error


def _content(status: AccountStatus) -> tuple[type, str]:
    """Return what people see of a status: errors have no equality of their own."""
    return type(status), status.explanation if isinstance(status, ProviderError) else str(status)
