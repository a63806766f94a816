"""The stores of one database, built together."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.access import Role
from bot.domain.groups import GroupCatalog
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.drafts import DraftStore
from bot.storage.postings import Postings
from bot.storage.request_queries import RequestQueries
from bot.storage.requests import RequestStore
from bot.storage.sync_schedules import SyncSchedules
from bot.storage.votes import Votes
from bot.storage.work_queue import WorkQueue


@dataclass(frozen=True, slots=True)
class Stores:
    """One store for each noun."""

    requests: RequestStore
    queries: RequestQueries
    votes: Votes
    drafts: DraftStore
    schedules: SyncSchedules
    postings: Postings
    audit: AuditJournal
    work: WorkQueue

    @classmethod
    def of(cls, database: Database, roles: Sequence[Role], catalog: GroupCatalog | None = None) -> "Stores":
        """Build the stores of a database.

        Args:
            database: the database.
            roles: the roles of the configuration, which decide whose votes count.
            catalog: the groups of the configuration; None: it names none.
        """
        return cls(
            requests=RequestStore(database),
            queries=RequestQueries(database),
            votes=Votes(database, roles, catalog),
            drafts=DraftStore(database),
            schedules=SyncSchedules(database),
            postings=Postings(database),
            audit=AuditJournal(database),
            work=WorkQueue(database),
        )
