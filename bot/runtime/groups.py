"""The directory of groups: the aliases of the configuration, and what each connection lists, read ahead of need."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.domain.groups import Found, KnownGroup, Resolution, resolve
from bot.domain.requests import Request, State
from bot.runtime.tasks import stop
from providers.base import Group, Operation, Provider, ProviderError

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
        self._outdated: set[str] = set()
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._index()

    def known(self) -> Sequence[KnownGroup]:
        """Give every group that is known now, aliased ones first."""
        return self._known

    def group(self, connection: str, group_id: str) -> KnownGroup:
        """Give a group by where it is, with what is known of its names."""
        return self._by_place.get((connection, group_id)) or KnownGroup(connection, group_id)

    def follow(self, request: Request) -> None:
        """Hear of a request that goes on: one that makes or names groups has its connection's list read again."""
        if request.operation in {Operation.CREATE, Operation.SETTINGS} and request.state in {State.RUNNING, State.DONE}:
            self.outdate(request.connection)

    def outdate(self, connection: str) -> None:
        """Have a connection's list read before it is used again, also where it is being read: it may be older."""
        self._read_at.pop(connection, None)
        self._outdated.add(connection)

    async def find(self, text: str, *, within: float) -> Resolution:
        """Find the group that `text` names; lists are read only for what the known ones do not tell.

        Args:
            text: an alias, an id or a subject.
            within: the most seconds to wait for connections to answer; what is known by then decides.
        """
        resolution = resolve(text, self._aliases)
        if isinstance(resolution, Found):
            return Found(self.group(resolution.group.connection, resolution.group.id))
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

    async def _read(self, name: str) -> None:
        try:
            self._outdated.add(name)
            while name in self._outdated:
                self._outdated.discard(name)
                self._lists[name] = tuple([group async for group in self._providers[name].groups()])
                self._index()
            self._read_at[name] = self._clock()
        except ProviderError as error:
            log.warning("groups_not_read", connection=name, error=type(error).__name__, code=error.code)
        except Exception:
            log.exception("groups_not_read", connection=name)
        finally:
            del self._reading[name]

    def _index(self) -> None:
        subjects = {(connection, g.id): g.subject for connection, groups in self._lists.items() for g in groups}
        aliased = [replace(a, subject=subjects.get((a.connection, a.id), "")) for a in self._aliases]
        taken = {(a.connection, a.id) for a in aliased}
        listed = [KnownGroup(*place, "", subject) for place, subject in subjects.items() if place not in taken]
        self._known = (*aliased, *listed)
        self._by_place = {(g.connection, g.id): g for g in reversed(self._known)}
