"""The stores, clients and use cases that listeners call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.audit import disclosure_entry
from bot.execution.connections import Connection
from bot.services.authorization import Authorizer
from bot.services.groups import GroupDirectory
from bot.services.preview import PreviewService
from bot.services.submission import Submissions
from bot.services.sync import SyncService
from bot.services.sync_scheduler import SyncScheduler
from bot.storage.stores import Stores
from handlers.clients import SlackClients
from handlers.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Services:
    """The stores, clients and use cases that listeners call, built by `bot.bootstrap`.

    Attributes:
        stores: the database, one store for each noun.
        slack: reads from Slack.
        delivery: posts to Slack.
        directory: the groups of all connections.
        connections: the accounts at the providers, by name.
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

    async def record_disclosure(
        self, user_id: str, what: str, connection: str, group_id: str, *, request_id: str = ""
    ) -> None:
        """Record in the audit journal what a person is about to be shown or sent."""
        at = datetime.now(UTC)
        entry = disclosure_entry(
            actor=user_id, what=what, connection=connection, group_id=group_id, at=at, request_id=request_id
        )
        await self.stores.audit.add(entry)
