"""The directory of groups: the aliases of the configuration, and what each connection lists, read ahead of need."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from bot.domain.groups import Found, KnownGroup, Resolution, resolve
from bot.runtime.tasks import stop
from providers.base import Group, Provider, ProviderError

FRESH = 60.0
"""Seconds for which a connection's list is used without being read again."""

log = structlog.get_logger(__name__)


class Directory:
    """Knows the groups of all connections.

    Args:
        aliases: the groups of the configuration.
        providers: by the connection's name.
        clock: gives seconds, to tell which lists are fresh.
    """

    def __init__(
        self,
        aliases: Sequence[KnownGroup],
        providers: Mapping[str, Provider],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._aliases = tuple(aliases)
        self._providers = providers
        self._clock = clock
        self._lists: dict[str, tuple[Group, ...]] = {}
        self._read_at: dict[str, float] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    def known(self) -> list[KnownGroup]:
        """Give every group that is known now, aliased ones first."""
        subjects = {(c, g.id): g.subject for c, groups in self._lists.items() for g in groups}
        aliased = [
            KnownGroup(a.connection, a.id, a.alias, subjects.get((a.connection, a.id), "")) for a in self._aliases
        ]
        taken = {(a.connection, a.id) for a in self._aliases}
        listed = [
            KnownGroup(connection, id_, "", subject)
            for (connection, id_), subject in subjects.items()
            if (connection, id_) not in taken
        ]
        return aliased + listed

    def group(self, connection: str, group_id: str) -> KnownGroup:
        """Give a group by where it is, with what is known of its names."""
        known = (g for g in self.known() if _place(g) == (connection, group_id))
        return next(known, KnownGroup(connection, group_id))

    async def find(self, text: str, *, within: float) -> Resolution:
        """Find the group that `text` names; lists are read only for what the known ones do not tell.

        Args:
            text: an alias, an id or a subject.
            within: the most seconds to wait for connections to answer; what is known by then decides.
        """
        resolution = resolve(text, self._aliased_only())
        if isinstance(resolution, Found):
            return Found(next(g for g in self.known() if (g.connection, g.id) == _place(resolution.group)))
        await self.refresh(within=within)
        return resolve(text, self.known())

    async def refresh(self, *, within: float, fresh: float = FRESH) -> None:
        """Read the lists older than `fresh` seconds, for at most `within` seconds; reading goes on behind that."""
        stale = [name for name in self._providers if self._clock() - self._read_at.get(name, -FRESH) >= fresh]
        for name in stale:
            if name not in self._reading:
                self._reading[name] = asyncio.create_task(self._read(name))
        tasks = [self._reading[name] for name in stale]
        if tasks:
            await asyncio.wait(tasks, timeout=within)

    async def aclose(self) -> None:
        """Stop reading."""
        await stop(self._reading.values())

    def _aliased_only(self) -> list[KnownGroup]:
        return [KnownGroup(a.connection, a.id, a.alias) for a in self._aliases]

    async def _read(self, name: str) -> None:
        try:
            self._lists[name] = tuple([group async for group in self._providers[name].groups()])
            self._read_at[name] = self._clock()
        except ProviderError as error:
            log.warning("groups_not_read", connection=name, error=type(error).__name__, code=error.code)
        except Exception:
            log.exception("groups_not_read", connection=name)
        finally:
            del self._reading[name]


def _place(group: KnownGroup) -> tuple[str, str]:
    return group.connection, group.id
