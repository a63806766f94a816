"""What the listeners work with, made once by `bot.bootstrap`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.access import Actor, Allowed
from bot.domain.audit import disclosure_entry
from bot.domain.groups import GroupCatalog, KnownGroup
from bot.execution.connections import Connection
from bot.execution.dispatcher import Dispatcher
from bot.execution.ports import Notifier
from bot.services.authorization import Authorizer
from bot.services.groups import GroupDirectory
from bot.services.preview import PreviewService
from bot.services.submission import Submissions
from bot.services.sync import SyncScheduler, SyncService
from bot.storage.audit import AuditJournal
from bot.storage.drafts import DraftStore
from bot.storage.request_queries import RequestQueries
from bot.storage.requests import RequestStore
from bot.storage.sync_schedules import SyncSchedules
from bot.storage.votes import Votes
from bot.tasks import BackgroundTasks
from handlers.clients.permalinks import Permalinks
from handlers.clients.time_zones import TimeZones
from handlers.clients.user_groups import UserGroups
from handlers.delivery.request_events import RequestEvents
from providers.base import Action


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a listener may need.

    Attributes:
        links: the addresses of the requests' parent messages.
        lines: the connections, by name.
        catalog: the groups of the configuration.
    """

    submissions: Submissions
    authorizer: Authorizer
    previews: PreviewService
    drafts: DraftStore
    directory: GroupDirectory
    usergroups: UserGroups
    time_zones: TimeZones
    requests: RequestStore
    queries: RequestQueries
    audit: AuditJournal
    votes: Votes
    dispatcher: Dispatcher
    notifier: Notifier
    events: RequestEvents
    background: BackgroundTasks
    permalinks: Permalinks
    syncs: SyncService
    schedules: SyncSchedules
    sync_scheduler: SyncScheduler
    connections: Mapping[str, Connection]
    catalog: GroupCatalog

    async def record_disclosure(
        self, user_id: str, what: str, connection: str, group_id: str, *, request_id: str = ""
    ) -> None:
        """Keep in the audit journal what somebody is about to be shown or given."""
        at = datetime.now(UTC)
        entry = disclosure_entry(
            actor=user_id, what=what, connection=connection, group_id=group_id, at=at, request_id=request_id
        )
        await self.audit.add(entry)

    def visible_groups(self, actor: Actor, groups: Iterable[KnownGroup]) -> list[KnownGroup]:
        """Give the groups whose names the person may learn: those that they may list, or add somebody to."""
        return [
            group
            for group in groups
            if any(
                isinstance(self.authorizer.check(actor, action, group), Allowed)
                for action in (Action.LIST_GROUPS, Action.ADD)
            )
        ]
