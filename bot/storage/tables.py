"""The tables. The migrations in `migrations/` create them, and a test compares the two.

Names of tables and columns, and the values in them, are stored: they are older than today's terms (`participants` are
a request's items, `chunk` is the batch, `decisions` are votes, `senders` are throttles, `rests_until` is the end of a
cooldown) and can change only by a migration.
"""

from sqlalchemy import Column, Dialect, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, TypeDecorator

from providers.text import clean_text

metadata = MetaData()


class CleanText(TypeDecorator[str]):
    """Text from outside, of any length, without the characters that JSON allows and databases refuse.

    These are zero bytes, and half a surrogate pair, which comes from cutting a text in the middle of an emoji.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's call
        """Return `value` without these characters."""
        return None if value is None else clean_text(value.replace("\0", ""))


requests = Table(
    "requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("operation", String(16), nullable=False),
    Column("connection", String(100), nullable=False),
    Column("group_id", String(200), nullable=False),
    Column("group_name", CleanText, nullable=False),
    Column("requester", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("reason", CleanText, nullable=False),
    Column("rule", Text),
    Column("duplicates", Integer, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("dispatched", String(16), nullable=False, server_default=""),
    Column("expires_at", Float),
    Column("details", Text, nullable=False, server_default="{}"),
    Column("parent", String(32), nullable=False, server_default=""),
    Column("run_at", Float),
    Column("stopped_by", String(32), nullable=False, server_default=""),
    Column("hidden", Text),
    Column("remind_at", Float),
    Column("reminders", Integer, nullable=False, server_default="0"),
    Index("requests_by_state", "state", "dispatched"),
    Index("requests_by_requester", "requester", "asked_at"),
    Index("requests_by_parent", "parent"),
)
"""`dispatched` is the state for which the engine has the work. If it differs from `state`, work is due."""

participants = Table(
    "participants",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("typed", CleanText, nullable=False),
    Column("phone", String(20), nullable=False),
    Column("lid", CleanText, nullable=False),
    Column("operation", String(16), nullable=False, server_default=""),
    Column("before", String(10), nullable=False),
    Column("chunk", Integer),
    Column("submissions", Integer, nullable=False),
    Column("invited", Integer, nullable=False, server_default="0"),
    Column("outcome", String(20)),
    Column("evidence", String(10), nullable=False),
    Column("provider_code", CleanText, nullable=False),
    Column("provider_message", CleanText, nullable=False),
    Column("cause", String(20), nullable=False, server_default=""),
    Column("at", Float),
    Column("name", CleanText, nullable=False, server_default=""),
    Index("participants_by_chunk", "chunk", "request_id", "position"),
    Index("participants_by_time", "at"),
)
"""The first index begins with `chunk`: the planner used one that begins with the request to look up one person."""

decisions = Table(
    "decisions",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("user_id", String(32), primary_key=True),
    Column("choice", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", CleanText, nullable=False, server_default=""),
)

postings = Table(
    "postings",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("ts", String(32), nullable=False),
)
"""Messages in Slack, by name. A row without `ts` was started: only Slack knows whether it was posted."""

senders = Table(
    "senders",
    metadata,
    Column("connection", String(100), primary_key=True),
    Column("free_at", Float, nullable=False),
    Column("day", String(10), nullable=False),
    Column("used", Integer, nullable=False),
    Column("rests_until", Float, nullable=False, server_default="0"),
    Column("rests_for", CleanText, nullable=False, server_default=""),
    Column("replica", String(100), nullable=False, server_default=""),
)
"""When each connection may next send, how many people it sent on its day (UTC), its cooldown and the reason, and the
replica that has a call in progress."""

replicas = Table(
    "replicas",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("seen_at", Float, nullable=False),
    Column("fenced_at", Float),
)
"""The replicas on PostgreSQL: `bot.storage.replicas`."""

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The audit journal, rows of `bot.domain.audit_chain.AuditRow`. Triggers reject changing or deleting a row."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row, of id 1: the seq and hash of the last row of `audit`, so that missing last rows are noticed."""

schedules = Table(
    "schedules",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("connection", String(100), nullable=False),
    Column("group_id", String(200), nullable=False),
    Column("requester", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("source", Text, nullable=False),
    Column("mode", String(10), nullable=False),
    Column("reason", CleanText, nullable=False),
    Column("every", Float),
    Column("run", Integer, nullable=False),
    Column("next_at", Float),
    Column("request", String(32), nullable=False, server_default=""),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("replica", String(100), nullable=False, server_default=""),
)
"""Scheduled syncs; those without `next_at` have ended.

`run` counts the runs, and is part of each run's request id, so that a crash makes no second request; `request` is the
id of the last request, and `failed` counts the failed runs in a row. `replica` is the replica that runs it now.
"""

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Float, nullable=False),
    Column("body", CleanText, nullable=False),
    Index("drafts_by_age", "at"),
)
"""Drafts of open previews: `bot.storage.drafts`."""
