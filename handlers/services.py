"""The stores, clients and use cases that listeners call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.access import Actor
from bot.domain.audit import disclosure_entry
from bot.domain.groups import KnownGroup
from bot.domain.requests import Request, RequestDraft
from bot.execution.connections import Connection
from bot.services.authorization import Authorizer
from bot.services.groups import GroupDirectory
from bot.services.preview import PreviewService
from bot.services.submission import Rejected, Submissions
from bot.services.sync import SyncRequest, SyncService
from bot.services.sync_scheduler import SyncScheduler
from bot.storage.stores import Stores
from bot.storage.sync_schedules import ScheduleResult
from bot.tasks import OpenRequests
from handlers.clients import SlackClients
from handlers.delivery import Delivery
from handlers.errors import UserError
from handlers.views import answers


@dataclass(frozen=True, slots=True)
class Services:
    """The stores, clients and use cases that listeners call, built by `bot.bootstrap`.

    Attributes:
        stores: the database, one store for each noun.
        slack: reads from Slack.
        delivery: posts to Slack.
        directory: the groups of all connections.
        connections: the accounts at the providers, by name.
        open_requests: Slack's requests that aren't acknowledged yet.
    """

    stores: Stores
    slack: SlackClients
    delivery: Delivery
    directory: GroupDirectory
    connections: Mapping[str, Connection]
    authorizer: Authorizer
    submissions: Submissions
    previews: PreviewService
    syncs: SyncService
    sync_scheduler: SyncScheduler
    open_requests: OpenRequests

    async def record_disclosure(
        self, user_id: str, what: str, connection: str, group_id: str, *, request_id: str = ""
    ) -> None:
        """Record in the audit journal what a person is about to be shown or sent."""
        at = datetime.now(UTC)
        entry = disclosure_entry(
            actor=user_id, what=what, connection=connection, group_id=group_id, at=at, request_id=request_id
        )
        await self.stores.audit.add(entry)

    def group_of(self, request: Request) -> KnownGroup:
        """Return the group of a request, by the name that people know."""
        group = self.directory.get(request.group)
        return replace(group, subject=group.subject or request.group_name)

    async def submit(self, draft: RequestDraft) -> str:
        """Submit a draft, and return the answer. Raises `UserError` if it is rejected."""
        result = await self.submissions.submit(draft)
        if isinstance(result, Rejected):
            raise UserError(answers.refused(result.reason, draft.roster, draft.id))
        warning = self.directory.catalog.get(draft.group.ref).warning
        return answers.submitted(
            result.request, draft.roster, draft.items, again=result.already_submitted, warning=warning
        )

    async def start_sync(self, request: SyncRequest, every: timedelta | None) -> str:
        """Start a sync that runs now, and again if it is repeated. Return the answer. Raises `UserError`."""
        result = await self.sync_scheduler.start(request, every)
        if isinstance(result, Rejected):
            raise UserError(result.reason, reference=request.id)
        if result is ScheduleResult.EXISTING:
            return answers.sync_started_before(request.group)
        return answers.sync_started(request.group, every, replaces=result is ScheduleResult.REPLACED)

    async def end_sync(self, actor: Actor, group: KnownGroup) -> str:
        """End the repeated syncs of a group and their waiting requests. Return the answer. Raises `UserError`."""
        result = await self.sync_scheduler.end(actor, group)
        if isinstance(result, Rejected):
            raise UserError(result.reason)
        if result.withdrawn:
            self.submissions.dispatch()
        return answers.syncs_ended(result.schedules, result.withdrawn)
