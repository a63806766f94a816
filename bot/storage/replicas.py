"""The replicas of the bot on PostgreSQL: which ones run, and which ones lost their place. SQLite has one process."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Float, cast, column, delete, func, insert, select, table, update

from bot.storage.database import Store, reads, writes
from bot.storage.tables import replicas, schedules, senders

KEEP_SECONDS = 86_400
"""How long a fenced replica stays in the table: work that it started too late is recovered until then."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica: its last renewal, in seconds since 1970 by the server's clock, and whether it lost its place."""

    id: str
    seen_at: float
    fenced: bool


class Replicas(Store):
    """The table of replicas. All times are the server's.

    A replica is fenced when it leaves, or when another one finds that it no longer renews its row. From then on,
    each of its write transactions fails (`Database.write`), so that two replicas never do the same work. Joining and
    renewing are single statements, for which that doesn't apply.
    """

    @reads
    def join(self, connection: Connection, replica_id: str) -> None:
        """Add a replica, and forget those that were fenced long ago."""
        connection.execute(delete(replicas).where(replicas.c.fenced_at < _now() - KEEP_SECONDS))
        connection.execute(insert(replicas).values(id=replica_id, seen_at=_now()))

    @reads
    def renew(self, connection: Connection, replica_id: str) -> bool:
        """Record that a replica runs. Return False if it is fenced."""
        mine = replicas.c.id == replica_id, replicas.c.fenced_at.is_(None)
        return bool(connection.execute(update(replicas).where(*mine).values(seen_at=_now())).rowcount)

    @reads
    def others(self, connection: Connection, replica_id: str) -> list[Replica]:
        """Return the other replicas, running and fenced."""
        statement = select(replicas).where(replicas.c.id != replica_id).order_by(replicas.c.id)
        rows = connection.execute(statement).all()
        return [Replica(row.id, row.seen_at, row.fenced_at is not None) for row in rows]

    @writes
    def fence(self, connection: Connection, replica: Replica) -> bool:
        """Fence a replica that has not renewed its row since `replica` was read, and free what it had reserved.

        It waits for the replica's transactions in progress, which the server ends when they idle.

        Return False if the replica renewed its row, or another replica fenced it.
        """
        locked = select(replicas).where(replicas.c.id == replica.id).with_for_update()
        row = connection.execute(locked).one_or_none()
        if row is None or row.fenced_at is not None or row.seen_at != replica.seen_at:
            return False
        connection.execute(update(replicas).where(replicas.c.id == replica.id).values(fenced_at=_now()))
        connection.execute(update(senders).where(senders.c.replica == replica.id).values(replica=""))
        connection.execute(update(schedules).where(schedules.c.replica == replica.id).values(replica=""))
        return True

    @reads
    def gone_with_work(self, connection: Connection) -> list[str]:
        """Return the ids of replicas that aren't running but have work in progress, from the engine's own table."""
        running = select(replicas.c.id).where(replicas.c.fenced_at.is_(None))
        statement = select(_work.c.executor_id).where(_work.c.status == "PENDING", _work.c.executor_id.not_in(running))
        return list(connection.scalars(statement.distinct()))

    async def leave(self, replica_id: str) -> None:
        """Fence a replica that stops, so that the others take over its work immediately."""
        mine = select(replicas.c.seen_at).where(replicas.c.id == replica_id)
        seen_at = await self.database.read(lambda connection: connection.scalar(mine))
        if seen_at is not None:
            await self.fence(Replica(replica_id, seen_at, fenced=False))


_work = table("workflow_status", column("executor_id"), column("status"), schema="dbos")
"""A part of the engine's table. A test holds it against the installed dbos."""


def _now() -> ColumnElement[float]:
    return cast(func.extract("epoch", func.clock_timestamp()), Float)
