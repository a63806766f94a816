"""The directory of groups: the aliases of the configuration, and the groups of each connection, read in advance."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.domain.groups import GroupCatalog, GroupFound, GroupRef, KnownGroup, Resolution, resolve
from bot.domain.operations import OPERATIONS
from bot.domain.requests import Request, RequestState
from bot.tasks import stop
from providers.base import Group, Provider, ProviderError

GROUP_LIST_TTL = 60.0
"""Seconds for which the list of a connection's groups is used without being read again."""

log = structlog.get_logger(__name__)


class GroupDirectory:
    """Knows the groups of all connections.

    Args:
        catalog: the groups of the configuration.
        providers: the adapter of each connection.
        clock: gives seconds, for the age of the lists.
    """

    def __init__(
        self,
        catalog: GroupCatalog,
        providers: Mapping[str, Provider],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.catalog = catalog
        self._aliases = tuple(catalog.aliased())
        self._providers = providers
        self._clock = clock
        self._lists: dict[str, tuple[Group, ...]] = {}
        self._read_at: dict[str, float] = {}
        self._outdated: set[str] = set()
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._index()

    def known(self) -> Sequence[KnownGroup]:
        """Return every known group, those with an alias first."""
        return self._known

    def get(self, ref: GroupRef) -> KnownGroup:
        """Return a group with its known names."""
        return self._by_ref.get(ref) or KnownGroup.unnamed(ref)

    def follow(self, request: Request) -> None:
        """Invalidate the list of a connection when a request creates or renames a group."""
        if OPERATIONS[request.operation].changes_list and request.state in {RequestState.RUNNING, RequestState.DONE}:
            self.invalidate(request.connection)

    def invalidate(self, connection: str) -> None:
        """Read a connection's list before it is used again. If it is being read now, it is read once more."""
        self._read_at.pop(connection, None)
        self._outdated.add(connection)

    async def find(self, text: str, *, max_wait: float) -> Resolution:
        """Find the group that `text` names. Lists are read only if no alias matches.

        Args:
            text: an alias, an id or a subject.
            max_wait: the maximum seconds to wait for the lists; then the known groups decide.
        """
        resolution = resolve(text, self._aliases)
        if isinstance(resolution, GroupFound):
            return GroupFound(self.get(resolution.group.ref))
        await self.refresh(max_wait=max_wait)
        return resolve(text, self.known())

    async def refresh(self, *, max_wait: float, max_age: float = GROUP_LIST_TTL) -> None:
        """Read the lists older than `max_age` seconds. Wait at most `max_wait` seconds; reading continues."""
        stale = [
            name for name in self._providers if self._clock() - self._read_at.get(name, -GROUP_LIST_TTL) >= max_age
        ]
        for name in stale:
            if name not in self._reading:
                self._reading[name] = asyncio.create_task(self._read(name))
        tasks = [self._reading[name] for name in stale]
        if tasks:
            await asyncio.wait(tasks, timeout=max_wait)

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
        subjects = {GroupRef(connection, g.id): g.subject for connection, groups in self._lists.items() for g in groups}
        aliased = [replace(a, subject=subjects.get(a.ref, "")) for a in self._aliases]
        taken = {a.ref for a in aliased}
        listed = [
            KnownGroup(ref.connection, ref.id, "", subject) for ref, subject in subjects.items() if ref not in taken
        ]
        self._known = (*aliased, *listed)
        self._by_ref = {g.ref: g for g in reversed(self._known)}
