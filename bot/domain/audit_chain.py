"""The chain of the audit journal: each row is bound to the one before by its hash.

Anybody can check an export in JSON lines without Rollcall. Of each line take `hash` and `previous_hash` away, and
write what is left as canonical JSON (RFC 8785: keys sorted, no spaces, UTF-8). The SHA-256 of `previous_hash` followed
by that text is `hash`, both in lower-case hexadecimal. `previous_hash` is the `hash` of the line before, of the first
row 64 zeros; `seq` counts from 1 without a gap. Whoever can write to the database could make the whole chain anew: so
keep the last hash, which `rollcall audit verify` prints, where they cannot write.
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
    """An entry as it is stored: `payload` is canonical JSON, `at` ISO 8601 in UTC. It may have been tampered with."""

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
        """Read the entry. Raises `ValueError` when the row was changed into something that is none."""
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
        """Whether the row holds exactly what its hash was made of."""
        try:
            return seal(self.entry, ChainHead(self.seq - 1, self.previous_hash)) == self
        except ValueError:
            return False

    def as_dict(self) -> dict[str, Any]:
        """Give the row as an object of the export in JSON lines. Raises `ValueError` as `entry` does."""
        told = self.entry.as_dict()
        details = told.pop("details")
        return {**told, "seq": self.seq, "hash": self.hash, "details": details, "previous_hash": self.previous_hash}

    def as_json(self) -> str:
        """Give the row as a line of the export in JSON lines. Raises `ValueError` as `entry` does."""
        return json.dumps(self.as_dict(), ensure_ascii=False) + "\n"

    def as_csv(self) -> str:
        """Give the row as a row of the export in CSV. Raises `ValueError` as `entry` does."""
        line = self.as_dict()
        line["details"] = canonical_json(line["details"]) if line["details"] else ""
        return csv_row(str(line[column]) for column in EXPORT_COLUMNS)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of a chain: the place of its last row, and that row's hash."""

    seq: int = 0
    hash: str = GENESIS


class ChainFault(StrEnum):
    """What was done to a row."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """Where a chain is broken first, and how."""

    seq: int
    fault: ChainFault


@dataclass(frozen=True, slots=True)
class AuditGaps:
    """How much the database holds of which a whole chain has no row: then rows were cut off, and a new end was set.

    Attributes:
        ends: requests that expired, were withdrawn, or were stopped.
    """

    requests: int = 0
    decisions: int = 0
    answers: int = 0
    ends: int = 0
    syncs: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything of the kind."""
        return any(asdict(self).values())

    def __str__(self) -> str:
        """Name what there is.

        >>> str(Untold(requests=1, answers=20))
        'requests: 1, answers: 20'
        """
        return ", ".join(f"{name}: {number:,}" for name, number in asdict(self).items() if number)


def seal(entry: AuditEntry, head: ChainHead) -> AuditRow:
    """Bind an entry to the end of a chain."""
    seq, told = head.seq + 1, entry.as_dict()
    text = head.hash + canonical_json({**told, "seq": seq})
    return AuditRow(
        seq=seq,
        at=told["at"],
        kind=told["kind"],
        actor=entry.actor,
        request_id=entry.request_id,
        connection=entry.connection,
        group_id=entry.group_id,
        payload=canonical_json({name: told[name] for name in _IN_PAYLOAD}),
        previous_hash=head.hash,
        hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def verify_next(head: ChainHead, row: AuditRow) -> ChainHead | ChainBreak:
    """Go one row on from the end of what was found whole.

    A row that is intact but bound to another one than that before it says that the one before was made anew.
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
