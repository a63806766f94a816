"""A second look at a request when it begins: what was so when it was asked for, or approved, may not be so any more."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import structlog

from bot.domain.access import Actor, Denied
from bot.domain.followups import Followup
from bot.domain.groups import GroupCatalog, GroupRef, KnownGroup
from bot.domain.operations import required_actions
from bot.domain.requests import Request, RequestItem
from bot.services.authorization import Authorizer
from bot.services.sync_sources import SourceUnreadable, SyncSources
from providers.base import Operation, Person, ProviderError
from providers.identity import person_keys

log = structlog.get_logger(__name__)


class Revalidator:
    """Tells who is not to be sent after all.

    Args:
        rights: who may do what.
        actor_of: gives a person with their user groups.
        group_of: returns a group with what is known of its names.
        lists: reads the list that a sync follows.
        catalog: the groups of the configuration, for the phones that no sync removes.
    """

    def __init__(
        self,
        rights: Authorizer,
        actor_of: Callable[[str], Awaitable[Actor]],
        group_of: Callable[[GroupRef], KnownGroup],
        lists: SyncSources,
        catalog: GroupCatalog,
    ) -> None:
        self._rights = rights
        self._actor_of = actor_of
        self._group_of = group_of
        self._lists = lists
        self._catalog = catalog

    async def exclusions(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        """Give by position why people are not to be sent: everybody, where who asked may not do it any more."""
        if request.connection not in self._rights.lines:
            return {}
        if words := await self._refused(request, people):
            log.info("refused_at_start", request=request.id, user=request.requester)
            return dict.fromkeys((p.position for p in people), words)
        syncs = request.operation is Operation.SYNC and request.options.follow != Followup.UNDO
        return await self._left_by_sync(request, people) if syncs else {}

    async def _refused(self, request: Request, people: Sequence[RequestItem]) -> str:
        """Say why a request that waited may not run; empty where it may."""
        if request.rule is None and request.options.run_at is None:
            return ""
        about_people = any(p.person.is_person for p in people)
        actions = required_actions(request.operation, request.options, people=about_people)
        actor = await self._actor_of(request.requester)
        decision = self._rights.check_all(actor, actions, self._group_of(request.group))
        return f"Who asked may not do this any more. {decision.reason}" if isinstance(decision, Denied) else ""

    async def _left_by_sync(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        keep = self._catalog.get(request.group).keep
        source = request.options.source
        try:
            listed = None if source is None else _keys(await self._lists.read(source))
        except (SourceUnreadable, ProviderError) as error:
            log.warning("list_not_read_again", request=request.id, error=type(error).__name__)
            return dict.fromkeys((p.position for p in people), f"The list could not be read again: {error}")
        kept = _keys(Person(phone, phone) for phone in keep)
        return {p.position: words for p in people if (words := _why_left(p, kept, listed))}


def _why_left(p: RequestItem, kept: Collection[str], listed: Collection[str] | None) -> str:
    """Say why a sync leaves somebody alone who was to be added or removed; `listed` None: the list is as it was."""
    keys = person_keys(p.person.phone, p.person.lid)
    if p.operation is Operation.ADD:
        return "Not on the list any more." if listed is not None and keys.isdisjoint(listed) else ""
    if not keys.isdisjoint(kept):
        return "Kept by the configuration."
    return "" if listed is None or keys.isdisjoint(listed) else "On the list by now."


def _keys(people: Iterable[Person]) -> set[str]:
    return {key for person in people for key in person_keys(person.phone, person.lid)}
