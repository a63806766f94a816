"""Drafts: what a form asks for, stored while its preview is open, since no Slack form can hold thousands of people.

They are in the database and not in memory, so that a restart between preview and submission loses nothing, and the
submission may reach any process.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.domain.requests import RequestDraft
from bot.domain.roster import Roster
from bot.storage.database import Database, Store, reads, writes
from bot.storage.rows import options_from_json, options_json
from bot.storage.tables import drafts
from providers.base import Operation

DRAFT_TTL = timedelta(days=1)
"""How long a draft waits for its submission; after that its phone numbers are deleted."""
_ROSTER = TypeAdapter(Roster)


class DraftStore(Store):
    """Stores drafts.

    Args:
        database: the database.
        clock: returns the current time, aware.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(database)
        self._clock = clock

    @writes
    def save(self, connection: Connection, draft: RequestDraft) -> str:
        """Store a draft and return its key. Drafts older than `DRAFT_TTL` are deleted."""
        key, now = secrets.token_hex(16), self._clock()
        connection.execute(delete(drafts).where(drafts.c.at < (now - DRAFT_TTL).timestamp()))
        connection.execute(insert(drafts).values(id=key, at=now.timestamp(), body=_json(draft)))
        return key

    @reads
    def find(self, connection: Connection, key: str) -> RequestDraft | None:
        """Return a draft, as often as it is asked for; None if it is too old or there never was one."""
        oldest = (self._clock() - DRAFT_TTL).timestamp()
        body = connection.scalar(select(drafts.c.body).where(drafts.c.id == key, drafts.c.at >= oldest))
        return None if body is None else _draft(body)


def _json(draft: RequestDraft) -> str:
    return json.dumps(
        {
            "id": draft.id,
            "operation": draft.operation,
            "group": asdict(draft.group),
            "roster": _ROSTER.dump_python(draft.roster, mode="json"),
            "reason": draft.reason,
            "requester": {"user_id": draft.requester.user_id, "usergroups": sorted(draft.requester.usergroups)},
            "channel": draft.channel,
            "details": options_json(draft.options),
        }
    )


def _draft(body: str) -> RequestDraft:
    values = json.loads(body)
    return RequestDraft(
        id=values["id"],
        operation=Operation(values["operation"]),
        group=KnownGroup(**values["group"]),
        roster=_ROSTER.validate_python(values["roster"]),
        reason=values["reason"],
        requester=Actor(values["requester"]["user_id"], frozenset(values["requester"]["usergroups"])),
        channel=values["channel"],
        options=options_from_json(values["details"]),
    )
