"""The chain of the audit journal: each row is bound to the one before by its hash.

An export in JSON lines can be checked without Rollcall. Remove `hash` and `previous_hash` from each line, and write
the rest as canonical JSON (RFC 8785: keys sorted, no spaces, UTF-8). The SHA-256 of `previous_hash` followed by that
text is `hash`, both in lower-case hexadecimal. `previous_hash` is the `hash` of the line before, 64 zeros for the first
row. `seq` counts from 1 without a gap. A person who can write to the database could rewrite the whole chain. So keep
the last hash, which `rollcall audit verify` prints, in a place where that person can't write.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.audit import AuditEntry, EntryKind, canonical_json
from bot.domain.csv_rows import COLUMNS, csv_row

GENESIS = "0" * 64
"""The previous hash of the first row."""
_IN_PAYLOAD = (
    "operation",
    "typed",
    "phone",
    "outcome",
    "evidence",
    "provider_code",
    "provider_message",
    "details",
)
EXPORT_COLUMNS = (*COLUMNS, "kind", "actor", "seq", "hash", "details")
"""The columns of the CSV export."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored entry: `payload` is canonical JSON, `at` ISO 8601 in UTC. It may have been altered."""

    seq: int
    at: str
    kind: str
    actor: str
    request_id: str
    connection: str
    group_id: str
    payload: str
    previous_hash: str
    hash: str

    @property
    def entry(self) -> AuditEntry:
        """The entry. Raises `ValueError` if the row was altered and is unreadable."""
        try:
            return AuditEntry(
                kind=EntryKind(self.kind),
                at=datetime.fromisoformat(self.at),
                actor=self.actor,
                request_id=self.request_id,
                connection=self.connection,
                group_id=self.group_id,
                **json.loads(self.payload),
            )
        except (ValueError, TypeError, RecursionError):
            raise ValueError(f"row {self.seq} of the audit journal was changed into something unreadable") from None

    @property
    def intact(self) -> bool:
        """Whether the row has exactly the content that its hash was computed from."""
        try:
            return seal(self.entry, ChainHead(self.seq - 1, self.previous_hash)) == self
        except ValueError:
            return False

    def as_dict(self) -> dict[str, Any]:
        """Return the row as an object of the export in JSON lines. Raises `ValueError` as `entry` does."""
        values = self.entry.as_dict()
        details = values.pop("details")
        return {**values, "seq": self.seq, "hash": self.hash, "details": details, "previous_hash": self.previous_hash}

    def as_json(self) -> str:
        """Return the row as a line of the export in JSON lines. Raises `ValueError` as `entry` does."""
        return json.dumps(self.as_dict(), ensure_ascii=False) + "\n"

    def as_csv(self) -> str:
        """Return the row as a row of the export in CSV. Raises `ValueError` as `entry` does."""
        values = self.as_dict()
        values["details"] = canonical_json(values["details"]) if values["details"] else ""
        return csv_row(str(values[column]) for column in EXPORT_COLUMNS)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of a chain: the number and the hash of its last row."""

    seq: int = 0
    hash: str = GENESIS


class ChainFault(StrEnum):
    """How a row was tampered with."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first broken row of a chain, and how it is broken."""

    seq: int
    fault: ChainFault


@dataclass(frozen=True, slots=True)
class AuditGaps:
    """The stored things without a row in an intact chain: its last rows were removed, and a new end was set.

    Attributes:
        ends: requests that expired, were withdrawn, or were stopped.
    """

    requests: int = 0
    decisions: int = 0
    answers: int = 0
    ends: int = 0
    syncs: int = 0

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return any(asdict(self).values())

    def __str__(self) -> str:
        """Return the counts in words.

        >>> str(AuditGaps(requests=1, answers=20))
        'requests: 1, answers: 20'
        """
        return ", ".join(f"{name}: {number:,}" for name, number in asdict(self).items() if number)


def seal(entry: AuditEntry, head: ChainHead) -> AuditRow:
    """Return an entry as the next row of a chain."""
    seq, values = head.seq + 1, entry.as_dict()
    text = head.hash + canonical_json({**values, "seq": seq})
    return AuditRow(
        seq=seq,
        at=values["at"],
        kind=values["kind"],
        actor=entry.actor,
        request_id=entry.request_id,
        connection=entry.connection,
        group_id=entry.group_id,
        payload=canonical_json({name: values[name] for name in _IN_PAYLOAD}),
        previous_hash=head.hash,
        hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def verify_next(head: ChainHead, row: AuditRow) -> ChainHead | ChainBreak:
    """Check the row after an intact part of a chain. Return the new end, or how the chain is broken.

    If a row is intact but has another previous hash, the row before it was altered and sealed again.
    """
    if row.seq != head.seq + 1:
        return (
            ChainBreak(row.seq, ChainFault.ADDED)
            if row.seq <= head.seq
            else ChainBreak(head.seq + 1, ChainFault.REMOVED)
        )
    if row.previous_hash != head.hash:
        return (
            ChainBreak(max(head.seq, 1), ChainFault.CHANGED)
            if row.intact
            else ChainBreak(row.seq, ChainFault.REORDERED)
        )
    return ChainHead(row.seq, row.hash) if row.intact else ChainBreak(row.seq, ChainFault.CHANGED)
