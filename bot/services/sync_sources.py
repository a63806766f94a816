"""The list that a sync follows, read anew each time: a Slack user group, another group, or phones given once."""

from collections.abc import Awaitable, Callable, Mapping

from bot.domain import roster
from bot.domain.sync import SyncSource
from bot.execution.connections import Connection
from providers.base import Person


class SourceUnreadable(Exception):
    """The list could not be read; the text is a sentence for people."""


class SyncSources:
    """Reads lists.

    Args:
        lines: the connections.
        phones_of: gives the E.164 phones of the members of a Slack user group. Raises `SourceUnreadable`.
    """

    def __init__(self, lines: Mapping[str, Connection], phones_of: Callable[[str], Awaitable[list[str]]]) -> None:
        self._lines = lines
        self._phones_of = phones_of

    async def read(self, source: SyncSource) -> tuple[Person, ...]:
        """Give everybody on a list.

        Raises:
            SourceUnreadable: it cannot be read, or is empty: a sync never empties a group.
            ProviderError: the other group cannot be read.
        """
        people = await self._people(source)
        if not people:
            raise SourceUnreadable("The list is empty, so nothing was compared: a sync never empties a group.")
        return people

    async def _people(self, source: SyncSource) -> tuple[Person, ...]:
        if source.group is not None:
            connection, group_id = source.group.connection, source.group.id
            if connection not in self._lines:
                raise SourceUnreadable("The connection of the other group is not in the configuration any more.")
            members = self._lines[connection].provider.members(group_id)
            return tuple([Person(m.phone or m.lid, m.phone, m.lid) async for m in members if m.phone or m.lid])
        phones = list(source.phones) if source.phones else await self._phones_of(source.usergroup)
        return roster.parse("\n".join(phones)).people
