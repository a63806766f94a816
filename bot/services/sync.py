"""Syncs: a group is compared with a list, and the differences become one request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain import roster
from bot.domain.access import Actor, Denied
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft, RequestItem, RequestOptions, request_id
from bot.domain.roster import Roster
from bot.domain.sync import Drift, SyncMode, SyncSchedule, SyncSource, compare, describe_unchanged, summarize_changes
from bot.services.authorization import Authorizer
from bot.services.groups import GroupDirectory
from bot.services.submission import Rejected, Submissions, Submitted
from providers.base import Action, Operation, Outcome, Person, Provider

_ANYONE = (RequestItem(0, Person("an entry"), Operation.ADD),)
"""The items of a sync before its list is read."""
_REPORTED = {Operation.ADD: "Would be added.", Operation.REMOVE: "Would be removed."}


class SourceUnreadable(Exception):
    """A list that can't be read; the text is a sentence for people."""


class SyncSources:
    """Reads the lists that syncs follow: a Slack user group, another group, or fixed phones.

    Args:
        providers: the adapter of each connection.
        phones_of: returns the E.164 phones of the members of a Slack user group. Raises `SourceUnreadable`.
    """

    def __init__(self, providers: Mapping[str, Provider], phones_of: Callable[[str], Awaitable[list[str]]]) -> None:
        self._providers = providers
        self._phones_of = phones_of

    async def read(self, source: SyncSource) -> tuple[Person, ...]:
        """Return everyone on a list.

        Raises:
            SourceUnreadable: it can't be read, or is empty: a sync never empties a group.
            ProviderError: the other group can't be read.
        """
        people = await self._people(source)
        if not people:
            raise SourceUnreadable("The list is empty, and a sync never empties a group. Nothing was compared.")
        return people

    async def _people(self, source: SyncSource) -> tuple[Person, ...]:
        if source.group is not None:
            provider = self._providers.get(source.group.connection)
            if provider is None:
                raise SourceUnreadable("The other group's connection is no longer in the configuration.")
            members = provider.members(source.group.id)
            return tuple([Person(m.phone or m.lid, m.phone, m.lid) async for m in members if m.phone or m.lid])
        phones = list(source.phones) if source.phones else await self._phones_of(source.usergroup)
        return roster.parse("\n".join(phones)).people


@dataclass(frozen=True, slots=True)
class AlreadyInSync:
    """A group that doesn't differ from its list, so that there is nothing to request."""

    drift: Drift


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A sync that a person requested.

    Attributes:
        id: from `request_id`, derived from Slack's delivery, so that a second delivery changes nothing.
        group: the group that is to match the list.
    """

    id: str
    group: KnownGroup
    source: SyncSource
    mode: SyncMode
    requester: Actor
    channel: str
    reason: str = ""
    thread_ts: str = ""

    @classmethod
    def for_run(cls, schedule: SyncSchedule, group: KnownGroup, requester: Actor) -> "SyncRequest":
        """Return the request of a schedule's next run."""
        return cls(
            id=request_id(schedule.id, str(schedule.run)),
            group=group,
            source=schedule.source,
            mode=schedule.mode,
            requester=requester,
            channel=schedule.channel,
            reason=schedule.reason,
        )


class SyncService:
    """Compares groups with lists, and submits the differences.

    Args:
        submissions: takes the requests.
        authorizer: checks access to the other group.
        directory: the groups, with the phones that no sync removes.
        sources: reads the lists.
        providers: the adapter of each connection.
    """

    def __init__(
        self,
        submissions: Submissions,
        authorizer: Authorizer,
        directory: GroupDirectory,
        sources: SyncSources,
        providers: Mapping[str, Provider],
    ) -> None:
        self._submissions = submissions
        self._authorizer = authorizer
        self._directory = directory
        self._sources = sources
        self._providers = providers

    async def drift(self, request: SyncRequest) -> Drift:
        """Read the list and the group, and compare them. Raises `SourceUnreadable` and `ProviderError`."""
        listed = await self._sources.read(request.source)
        provider = self._providers[request.group.connection]
        members = [member async for member in provider.members(request.group.id)]
        keep = self._directory.catalog.get(request.group.ref).keep
        return compare(listed, members, keep, has_admins=Action.PROMOTE in provider.abilities)

    async def submit(self, request: SyncRequest) -> Submitted | Rejected | AlreadyInSync:
        """Compare, and submit what the mode asks for. Raises `SourceUnreadable` and `ProviderError`."""
        if rejected := await self.check_and_record(request):
            return rejected
        drift = await self.drift(request)
        items = [RequestItem(0, person, Operation.ADD) for person in drift.missing]
        if request.mode is not SyncMode.ADD:
            items += [RequestItem(0, person, Operation.REMOVE) for person in drift.extra]
        if not items:
            return AlreadyInSync(drift)
        if request.mode is SyncMode.REPORT:
            items = [_reported(item) for item in items]
        unchanged = "" if request.mode is SyncMode.ADD else describe_unchanged(drift)
        changes = summarize_changes(item.operation for item in items)
        note = f"List: {request.source.name}. {changes} {unchanged}".strip()
        return await self._submissions.submit(_draft(request, tuple(items), note))

    async def check_and_record(self, request: SyncRequest) -> Rejected | None:
        """Check a sync as `check` does, and record a rejection by a role in the audit journal."""
        return self._check_groups(request) or await self._submissions.check_and_record(_draft(request, _ANYONE))

    def check(self, request: SyncRequest) -> Rejected | None:
        """Return why a sync would be rejected, before anything is read; None if it wouldn't be."""
        return self._check_groups(request) or self._submissions.check(_draft(request, _ANYONE))

    def _check_groups(self, request: SyncRequest) -> Rejected | None:
        other = request.source.group
        if request.group.connection not in self._providers:
            return Rejected("The group's connection is no longer in the configuration.", "no_connection")
        if other == request.group.ref:
            return Rejected("The list is the group itself. Choose another list.", "same_group")
        if other and other.connection in self._providers:
            decision = self._authorizer.check(request.requester, Action.LIST_MEMBERS, self._directory.get(other))
            if isinstance(decision, Denied):
                return Rejected(f"The list is another group. {decision.text}", decision.code)
        return None


def _draft(request: SyncRequest, items: tuple[RequestItem, ...], note: str = "") -> RequestDraft:
    source = request.source
    readable_again = replace(source, phones=()) if source.usergroup or source.group else None
    return RequestDraft(
        id=request.id,
        operation=Operation.SYNC,
        group=request.group,
        roster=Roster(),
        reason=request.reason,
        requester=request.requester,
        channel=request.channel,
        options=RequestOptions(
            look_only=request.mode is SyncMode.REPORT,
            source=readable_again,
            note=note,
            thread_ts=request.thread_ts,
        ),
        items=items,
    )


def _reported(item: RequestItem) -> RequestItem:
    return replace(
        item, outcome=Outcome.NOT_ATTEMPTED, provider_message=_REPORTED[item.operation], at=datetime.now(UTC)
    )
