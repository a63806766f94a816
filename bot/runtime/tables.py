"""The journal's tables. The migrations in `migrations/` make them; a test holds the two together."""

from sqlalchemy import Column, Dialect, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, TypeDecorator

metadata = MetaData()


class Words(TypeDecorator[str]):
    """Text from outside, of any length, without what JSON can hold and databases refuse.

    That is zero bytes, and half a surrogate pair, which comes from cutting a text in the middle of an emoji.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's call
        """Give what is kept of `value`."""
        return None if value is None else value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


requests = Table(
    "requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("operation", String(16), nullable=False),
    Column("connection", String(100), nullable=False),
    Column("group_id", String(200), nullable=False),
    Column("group_name", Words, nullable=False),
    Column("requester", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("reason", Words, nullable=False),
    Column("rule", Text),
    Column("duplicates", Integer, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("dispatched", String(16), nullable=False, server_default=""),
    Column("expires_at", Float),
    Index("requests_by_state", "state", "dispatched"),
)
"""`dispatched` is the state for which the engine already has the work; where it lags behind `state`, work is due."""

participants = Table(
    "participants",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("typed", Words, nullable=False),
    Column("phone", String(20), nullable=False),
    Column("lid", Words, nullable=False),
    Column("before", String(10), nullable=False),
    Column("chunk", Integer),
    Column("submissions", Integer, nullable=False),
    Column("outcome", String(20)),
    Column("evidence", String(10), nullable=False),
    Column("provider_code", Words, nullable=False),
    Column("provider_message", Words, nullable=False),
    Column("at", Float),
    Index("participants_by_chunk", "chunk", "request_id", "position"),
)
"""The index begins with `chunk`: begun with the request it was taken for looking up one person, by reading them all."""

decisions = Table(
    "decisions",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("user_id", String(32), primary_key=True),
    Column("choice", String(16), nullable=False),
    Column("at", Float, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("ts", String(32), nullable=False),
)
"""What was posted to Slack, by name. A row without `ts` was begun: whether it was posted, only Slack can tell."""

senders = Table(
    "senders",
    metadata,
    Column("connection", String(100), primary_key=True),
    Column("free_at", Float, nullable=False),
    Column("day", String(10), nullable=False),
    Column("used", Integer, nullable=False),
)
"""When each connection may next send, and how many people it sent on its day (UTC)."""
