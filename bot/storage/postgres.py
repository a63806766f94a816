"""PostgreSQL as Rollcall needs it: a timeout for every wait, one migration at a time, and fenced replicas."""

from typing import Any

from sqlalchemy import Connection, select, text

from bot.storage.tables import replicas

KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}
"""How soon this side notices that the server is gone, in seconds (libpq's connection parameters)."""
_UPGRADE_LOCK = 7_265_211_012
"""The key of the advisory lock under which the tables are migrated."""
_LIMITS = {
    "statement_timeout": "60s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "5s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""How long a session may wait, and how soon the server notices that this side is gone and frees its locks.

A process that is paused within a transaction would block the other replicas, so an idle transaction ends soon.
"""


class ReplicaFenced(Exception):
    """Another replica has taken over this one's work, because this one did not renew its row in time."""


def set_session_limits(session: Any, _record: object) -> None:
    """Set the limits of a new session; called by SQLAlchemy's `connect` event."""
    cursor = session.cursor()
    for name, value in _LIMITS.items():
        cursor.execute(f"SET {name} = '{value}'")
    cursor.close()
    session.commit()


def begin_upgrade(connection: Connection) -> None:
    """Wait until no other process migrates the tables, and remove the time limits of this transaction."""
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {name} = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})


def require_unfenced(connection: Connection, replica: str) -> None:
    """Check that a replica may write, and that it can't be fenced before this transaction ends.

    The lock doesn't block the renewal of the row, which changes no key.

    Raises:
        ReplicaFenced: the replica is fenced, or its row is gone.
    """
    unfenced = select(replicas.c.id).where(replicas.c.id == replica, replicas.c.fenced_at.is_(None))
    row = connection.execute(unfenced.with_for_update(read=True, key_share=True))
    if row.one_or_none() is None:
        raise ReplicaFenced(f"Another replica has taken over the work of {replica}.")
