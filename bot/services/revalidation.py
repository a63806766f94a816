"""Checking a request again when it starts: access and lists may have changed since it was made or approved."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import structlog

from bot.domain.access import Actor, Denied
from bot.domain.followups import Followup
from bot.domain.operations import required_actions
from bot.domain.requests import Request, RequestItem
from bot.services.authorization import Authorizer
from bot.services.groups import GroupDirectory
from bot.services.sync import SourceUnreadable, SyncSources
from providers.base import Operation, Person, ProviderError
from providers.identity import person_keys

log = structlog.get_logger(__name__)


class Revalidator:
    """Excludes people when a request starts. Implements `bot.execution.ports.Reviewer`.

    Args:
        authorizer: checks access.
        actor_of: returns a person with their user groups.
        directory: the groups, with the phones that no sync removes.
        sources: reads the list that a sync follows.
    """

    def __init__(
        self,
        authorizer: Authorizer,
        actor_of: Callable[[str], Awaitable[Actor]],
        directory: GroupDirectory,
        sources: SyncSources,
    ) -> None:
        self._authorizer = authorizer
        self._actor_of = actor_of
        self._directory = directory
        self._sources = sources

    async def exclusions(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        """Return, by position, why people aren't sent: all of them if the requester no longer has permission."""
        if reason := await self._denial(request, people):
            log.info("denied_at_start", request=request.id, user=request.requester)
            return dict.fromkeys((p.position for p in people), reason)
        syncs = request.operation is Operation.SYNC and request.options.follow != Followup.UNDO
        return await self._excluded_from_sync(request, people) if syncs else {}

    async def _denial(self, request: Request, people: Sequence[RequestItem]) -> str:
        """Return why a request that waited may not run; empty if it may."""
        if request.rule is None and request.options.run_at is None:
            return ""
        about_people = any(p.person.is_person for p in people)
        actions = required_actions(request.operation, request.options, people=about_people)
        actor = await self._actor_of(request.requester)
        decision = self._authorizer.check_all(actor, actions, self._directory.get(request.group))
        return f"The requester no longer has permission. {decision.reason}" if isinstance(decision, Denied) else ""

    async def _excluded_from_sync(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        keep = self._directory.catalog.get(request.group).keep
        source = request.options.source
        try:
            listed = None if source is None else _keys(await self._sources.read(source))
        except (SourceUnreadable, ProviderError) as error:
            log.warning("list_not_read_again", request=request.id, error=type(error).__name__)
            return dict.fromkeys((p.position for p in people), f"The list couldn't be read again: {error}")
        kept = _keys(Person(phone, phone) for phone in keep)
        return {p.position: reason for p in people if (reason := _exclusion(p, kept, listed))}


def _exclusion(p: RequestItem, kept: Collection[str], listed: Collection[str] | None) -> str:
    """Return why a sync no longer adds or removes a person; empty if it does.

    `listed` is None if the list can't have changed.
    """
    keys = person_keys(p.person.phone, p.person.lid)
    if p.operation is Operation.ADD:
        return "No longer on the list." if listed is not None and keys.isdisjoint(listed) else ""
    if not keys.isdisjoint(kept):
        return "Kept by the configuration."
    return "" if listed is None or keys.isdisjoint(listed) else "Now on the list."


def _keys(people: Iterable[Person]) -> set[str]:
    return {key for person in people for key in person_keys(person.phone, person.lid)}
