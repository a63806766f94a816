"""How the connections' accounts stand, read behind the back of whoever looks: a slow provider delays no page."""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from bot.execution.connections import Connection
from bot.tasks import stop
from handlers.views import answers
from providers.base import Account, ProviderError

STATUS_TTL = 60.0
"""Seconds for which what a provider said is shown without asking again."""
READ_TIMEOUT = 20.0
"""Seconds that a provider has to answer."""

log = structlog.get_logger(__name__)


class AccountStatuses:
    """What the providers said of their accounts last.

    Args:
        lines: the connections.
        news: is called with each person who looked and would see something else now.
        clock: gives seconds, to tell what is fresh.
    """

    def __init__(
        self,
        lines: Mapping[str, Connection],
        news: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = lines
        self._news = news
        self._clock = clock
        self._told: dict[str, Account | str] = {}
        self._read_at: dict[str, float] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._curious: dict[str, set[str]] = {}

    def get(self, name: str, user_id: str) -> Account | str | None:
        """Give what is known of a connection now: a sentence where its account cannot be read; None: nothing yet."""
        if self._clock() - self._read_at.get(name, -STATUS_TTL) >= STATUS_TTL:
            self._curious.setdefault(name, set()).add(user_id)
            if name not in self._reading:
                self._reading[name] = asyncio.create_task(self._read(name))
        return self._told.get(name)

    async def aclose(self) -> None:
        """Stop reading."""
        await stop(self._reading.values())

    async def _read(self, name: str) -> None:
        before = self._told.get(name)
        try:
            self._told[name] = await self._ask(name)
            self._read_at[name] = self._clock()
        finally:
            del self._reading[name]
            curious = self._curious.pop(name, set())
        if self._told[name] != before:
            for user_id in curious:
                self._news(user_id)

    async def _ask(self, name: str) -> Account | str:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await self._lines[name].provider.account()
        except ProviderError as error:
            return answers.provider_answer(error)
        except TimeoutError:
            return "the provider does not answer."
        except Exception:
            log.exception("account_not_read", connection=name)
            return "something went wrong on my side."
