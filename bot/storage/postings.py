"""The messages posted to Slack: recorded before and after posting, so that a crash cannot cause a second post."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from bot.storage.database import Store, reads, writes
from bot.storage.tables import postings


@dataclass(frozen=True, slots=True)
class Posting:
    """A message of a request. `ts` is empty while it is unknown whether it was posted."""

    channel: str
    ts: str


class Postings(Store):
    """The record of messages, by their names within a request."""

    @reads
    def get(self, connection: Connection, request_id: str, name: str) -> Posting | None:
        """Return the posting of this name, None if it was never started."""
        row = connection.execute(
            select(postings).where(postings.c.request_id == request_id, postings.c.name == name)
        ).one_or_none()
        return None if row is None else Posting(row.channel, row.ts)

    @reads
    def names(self, connection: Connection, request_id: str, prefix: str) -> list[str]:
        """Return the names with this prefix under which a request has postings, in a fixed order."""
        mine = postings.c.request_id == request_id, postings.c.name.startswith(prefix, autoescape=True)
        rows = connection.scalars(select(postings.c.name).where(*mine).order_by(postings.c.name))
        return list(rows)

    @writes
    def reserve(self, connection: Connection, request_id: str, name: str, channel: str) -> None:
        """Record that this message is about to be posted."""
        connection.execute(insert(postings).values(request_id=request_id, name=name, channel=channel, ts=""))

    @writes
    def save(self, connection: Connection, request_id: str, name: str, posting: Posting) -> None:
        """Record where the message was posted."""
        connection.execute(
            update(postings)
            .where(postings.c.request_id == request_id, postings.c.name == name)
            .values(channel=posting.channel, ts=posting.ts)
        )
