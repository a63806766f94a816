"""What was posted to Slack: kept so that a crash between posting and keeping cannot make a second post."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from bot.storage.database import Database
from bot.storage.tables import postings


@dataclass(frozen=True, slots=True)
class Posting:
    """A message by its name within a request. `ts` is empty while nobody knows whether it was posted."""

    channel: str
    ts: str


class Postings:
    """The ledger of messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, request_id: str, name: str) -> Posting | None:
        """Give the posting of this name, None when it was never begun."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(postings).where(postings.c.request_id == request_id, postings.c.name == name)
                )
            ).one_or_none()
        return None if row is None else Posting(row.channel, row.ts)

    async def names(self, request_id: str, prefix: str) -> list[str]:
        """Give the names, of those that begin so, under which something of a request was posted, in a fixed order."""
        mine = postings.c.request_id == request_id, postings.c.name.startswith(prefix, autoescape=True)
        async with self._database.read() as connection:
            rows = await connection.scalars(select(postings.c.name).where(*mine).order_by(postings.c.name))
            return list(rows)

    async def reserve(self, request_id: str, name: str, channel: str) -> None:
        """Keep that this message is about to be posted."""
        async with self._database.write() as connection:
            await connection.execute(insert(postings).values(request_id=request_id, name=name, channel=channel, ts=""))

    async def save(self, request_id: str, name: str, posting: Posting) -> None:
        """Keep where the message stands."""
        async with self._database.write() as connection:
            await connection.execute(
                update(postings)
                .where(postings.c.request_id == request_id, postings.c.name == name)
                .values(channel=posting.channel, ts=posting.ts)
            )
