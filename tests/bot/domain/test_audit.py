import csv
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import AuditEntry, EntryKind, configuration_entry, request_entries, verdict_entry
from bot.domain.audit_chain import (
    EXPORT_COLUMNS,
    GENESIS,
    AuditRow,
    ChainBreak,
    ChainFault,
    ChainHead,
    seal,
    verify_next,
)
from bot.domain.requests import RequestItem, RequestOptions
from providers.base import Evidence, GroupChange, Operation, Outcome, Person, Picture, Verdict
from tests.bot.storage.samples import person, request, rule

AT = datetime(2026, 3, 1, 16, 5, 30, tzinfo=timezone(timedelta(hours=2)))
COLUMNS = (
    "request_id,operation,connection,group_id,typed,phone,outcome,evidence,provider_code,provider_message,at"
    ",kind,actor,seq,hash,details"
)
anything = st.text(st.characters(exclude_categories=()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
)


def sealed(*entries: AuditEntry) -> list[AuditRow]:
    rows, head = list[AuditRow](), ChainHead()
    for entry in entries:
        rows.append(seal(entry, head))
        head = ChainHead(rows[-1].seq, rows[-1].hash)
    return rows


def checked_by_anybody(line: str, previous: str) -> bool:
    """Do what the documentation tells people who do not have Rollcall."""
    told = json.loads(line)
    claimed = told.pop("hash")
    assert told.pop("previous_hash") == previous
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return bool(hashlib.sha256((previous + text).encode()).hexdigest() == claimed)


@given(words=anything, group_id=anything, details=st.dictionaries(anything, json_values, max_size=4))
def test_any_words_are_kept_intact_and_can_be_checked_by_anybody(
    words: str, group_id: str, details: dict[str, Any]
) -> None:
    entry = AuditEntry(
        EntryKind.VERDICT, AT, "U1", group_id=group_id, typed=words, provider_message=words, details=details
    )
    first, second = sealed(entry, entry)

    assert first.entry == entry
    assert verify_next(ChainHead(), first) == ChainHead(1, first.hash)
    assert verify_next(ChainHead(1, first.hash), second) == ChainHead(2, second.hash)
    assert checked_by_anybody(first.as_json(), GENESIS)
    assert checked_by_anybody(second.as_json(), first.hash)
    for column in (first.payload, first.group_id):
        assert "\0" not in column
        column.encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"at": "2026-03-01T14:05:30Z"},
        {"at": "yesterday"},
        {"kind": "gossip"},
        {"actor": "U2"},
        {"group_id": "2@g.us"},
        {"payload": "{}"},
        {"payload": "[" * 100_000},
        {"payload": "{"},
        {"seq": 2},
        {"hash": "f" * 64},
    ],
    ids=str,
)
def test_no_column_can_be_changed_unnoticed(changed: dict[str, Any]) -> None:
    (row,) = sealed(AuditEntry(EntryKind.STATE, AT, "U1", group_id="1@g.us", details={"state": "expired"}))

    assert row.intact
    assert not replace(row, **changed).intact


def test_spaces_in_the_payload_are_noticed() -> None:
    (row,) = sealed(AuditEntry(EntryKind.STATE, AT))

    assert not replace(row, payload=row.payload.replace(":", ": ")).intact


def test_a_row_made_anew_with_its_hash_is_found_by_the_next_one() -> None:
    first, second, third = sealed(*(AuditEntry(EntryKind.STATE, AT, name) for name in "abc"))
    forged = seal(AuditEntry(EntryKind.STATE, AT, "x"), ChainHead(1, first.hash))

    assert verify_next(ChainHead(1, first.hash), forged) == ChainHead(2, forged.hash)
    assert verify_next(ChainHead(2, forged.hash), third) == ChainBreak(2, ChainFault.CHANGED)
    assert verify_next(ChainHead(2, second.hash), third) == ChainHead(3, third.hash)


def test_a_verdict_is_exported_with_the_columns_that_scripts_rely_on() -> None:
    told = verdict_entry(
        request(), RequestItem(0, person(7)), Verdict("", Outcome.REFUSED, Evidence.REPORTED, "403", "=1+1"), AT
    )
    (row,) = sealed(told)
    [cells] = csv.reader([row.as_csv()])
    line = json.loads(row.as_json())

    assert ",".join(EXPORT_COLUMNS) == COLUMNS
    assert list(line) == [*EXPORT_COLUMNS, "previous_hash"]
    assert cells[:11] == [
        *("R1", "add", "support", "120363041234567890@g.us", "07", "+14150000007", "refused", "reported", "403"),
        *("'=1+1", "2026-03-01T14:05:30.000000Z"),
    ]
    assert cells[11:] == ["verdict", "U0ASKED", "1", row.hash, ""]
    assert (line["kind"], line["provider_message"], line["phone"]) == ("verdict", "=1+1", "+14150000007")


def test_a_request_is_told_with_everybody_in_it_and_the_answers_that_it_has_already() -> None:
    picture = Picture(jpeg=b"\xff\xd8")
    details = RequestOptions(parent="R0", run_at=AT, change=GroupChange(subject="Ops", picture=picture))
    bogus = RequestItem(1, Person("415 bogus"), outcome=Outcome.INVALID, provider_message="too short", at=AT)
    wanted = replace(request(needs=rule(quorum=2)), options=details)
    first, second = request_entries(wanted, [RequestItem(0, person(0)), bogus])

    assert (first.kind, first.actor, first.details["people"]) == (EntryKind.REQUEST, "U0ASKED", ["+14150000000"])
    assert first.details["rule"]["quorum"] == 2
    assert first.details["rule"]["operations"] == ["add", "remove"]
    assert first.details["asked"] == {
        "parent": "R0",
        "run_at": "2026-03-01T14:05:30.000000Z",
        "change": {"subject": "Ops", "picture": {"jpeg": f"sha256:{hashlib.sha256(picture.jpeg).hexdigest()}"}},
    }
    assert (second.kind, second.typed, second.phone, second.outcome) == (EntryKind.VERDICT, "415 bogus", "", "invalid")


def test_a_configuration_is_told_apart_by_its_digest() -> None:
    first = configuration_entry({"pace": {"jitter": 0.3, "gap": timedelta(seconds=5)}}, AT)
    again = configuration_entry({"pace": {"gap": timedelta(seconds=5), "jitter": 0.3}}, datetime.now(UTC))
    other = configuration_entry({"pace": {"jitter": 0.4, "gap": timedelta(seconds=5)}}, AT)

    assert first.details["configuration"] == {"pace": {"jitter": "0.3", "gap": "5s"}}
    assert first.details["digest"] == again.details["digest"] != other.details["digest"]


def test_a_person_of_a_sync_is_told_with_what_was_wanted_of_them() -> None:
    participant = RequestItem(0, Person("1@lid", lid="1@lid"), operation=Operation.REMOVE)
    told = verdict_entry(replace(request(), operation=Operation.SYNC), participant, Verdict("", Outcome.REMOVED), AT)

    assert told.details == {"lid": "1@lid", "operation": "remove"}
