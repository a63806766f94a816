"""The messages posted to Slack: recorded before and after posting, so that a crash cannot cause a second post."""

from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from bot.storage.database import Database, Store, insert_if_new, reads, writes
from bot.storage.tables import postings

_KEPT = 10_000
"""How many places of messages a process keeps."""
_ONE = postings.c.request_id == bindparam("request"), postings.c.name == bindparam("message")
_GET = select(postings).where(*_ONE)
_SAVE = update(postings).where(*_ONE).values(channel=bindparam("at"), ts=bindparam("posted"))


@dataclass(frozen=True, slots=True)
class Posting:
    """A message of a request. `ts` is empty while it is unknown whether it was posted."""

    channel: str
    ts: str


class Postings(Store):
    """The record of messages, by their names within a request.

    A message stays where it was posted, so a place is read once in a process.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._posted: OrderedDict[tuple[str, str], Posting] = OrderedDict()

    async def get(self, request_id: str, name: str) -> Posting | None:
        """Return the posting of this name, None if it was never started."""
        return self._posted.get((request_id, name)) or self._keep(request_id, name, await self._read(request_id, name))

    async def reserve(self, request_id: str, name: str, channel: str) -> Posting | None:
        """Record that this message is about to be posted, unless that is recorded already: return that posting."""
        return self._posted.get((request_id, name)) or await self._reserve(request_id, name, channel)

    async def save(self, request_id: str, name: str, posting: Posting) -> None:
        """Record where the message was posted."""
        await self._write(request_id, name, posting)
        self._keep(request_id, name, posting)

    @reads
    def names(self, connection: Connection, request_id: str, prefix: str) -> list[str]:
        """Return the names with this prefix under which a request has postings, in a fixed order."""
        mine = postings.c.request_id == request_id, postings.c.name.startswith(prefix, autoescape=True)
        rows = connection.scalars(select(postings.c.name).where(*mine).order_by(postings.c.name))
        return list(rows)

    @reads
    def _read(self, connection: Connection, request_id: str, name: str) -> Posting | None:
        return _get(connection, request_id, name)

    @writes
    def _reserve(self, connection: Connection, request_id: str, name: str, channel: str) -> Posting | None:
        values = {"request_id": request_id, "name": name, "channel": channel, "ts": ""}
        return None if insert_if_new(connection, postings, values) else _get(connection, request_id, name)

    @writes
    def _write(self, connection: Connection, request_id: str, name: str, posting: Posting) -> None:
        values = {"request": request_id, "message": name, "at": posting.channel, "posted": posting.ts}
        connection.execute(_SAVE, values)

    def _keep(self, request_id: str, name: str, posting: Posting | None) -> Posting | None:
        """Keep where a message was posted, if that is known, and return it."""
        if posting is not None and posting.ts:
            self._posted[request_id, name] = posting
            if len(self._posted) > _KEPT:
                self._posted.popitem(last=False)
        return posting


def _get(connection: Connection, request_id: str, name: str) -> Posting | None:
    row = connection.execute(_GET, {"request": request_id, "message": name}).one_or_none()
    return None if row is None else Posting(row.channel, row.ts)
