import csv
import io
from datetime import datetime, timedelta, timezone

import pytest

from handlers.views import results
from providers.base import Evidence, Outcome, Person
from tests.handlers.samples import changed, mix, person

FORMULAS = (
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "＝1+1",
    '=HYPERLINK("x")',
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_columns_are_those_that_scripts_rely_on() -> None:
    header = results.csv_file(changed(), []).split("\r\n")[0]

    assert header == (
        "request_id,operation,connection,group_id,typed,phone,outcome,evidence,provider_code,provider_message,at,name"
    )


def test_a_row_says_all_that_is_known_of_a_person() -> None:
    at = datetime(2026, 3, 1, 16, 5, 30, tzinfo=timezone(timedelta(hours=2)))
    rita = Person("Rita: +14155550007", "+14155550007", name="Rita")
    known = person(7, Outcome.REFUSED, person=rita, provider_code="403", provider_message="private", at=at)

    assert rows(results.csv_file(changed(), [known])) == [
        {
            "request_id": "RABCDEFGHIJKLMNOP",
            "operation": "add",
            "connection": "support",
            "group_id": "120363041234567890@g.us",
            "typed": "Rita: +14155550007",
            "phone": "+14155550007",
            "outcome": "refused",
            "evidence": "reported",
            "provider_code": "403",
            "provider_message": "private",
            "at": "2026-03-01T14:05:30.000000Z",
            "name": "Rita",
        }
    ]


def test_a_rejected_entry_has_no_phone() -> None:
    rejected = person(0, Outcome.INVALID, person=Person("415 bogus"), evidence=Evidence.NONE, provider_message="why")
    (row,) = rows(results.csv_file(changed(), [rejected]))

    assert (row["typed"], row["phone"], row["outcome"], row["evidence"]) == ("415 bogus", "", "invalid", "")


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_foreign_cell_runs_as_a_formula(formula: str) -> None:
    hostile = person(0, person=Person(formula), provider_code=formula, provider_message=formula)
    (row,) = rows(results.csv_file(changed(group_id=formula), [hostile]))

    for column in ("group_id", "typed", "provider_code", "provider_message"):
        assert row[column] == f"'{formula}"


def test_a_number_stays_as_it_was_typed() -> None:
    (row,) = rows(results.csv_file(changed(), [person(0, person=Person("+1 (415) 555-0100", "+14155550100"))]))

    assert row["typed"] == "+1 (415) 555-0100"


def test_words_with_separators_quotes_and_line_breaks_come_back_whole() -> None:
    words = 'said "no", then\r\nleft;\n"\x00'
    text = results.csv_file(changed(), [person(0, person=Person(words), provider_message=words)])

    assert [(row["typed"], row["provider_message"]) for row in rows(text)] == [(words, words)]
    assert text.count("\r\n") == 4


def test_everybody_has_a_row_in_the_order_of_the_roster() -> None:
    people = mix(1024)

    assert [row["phone"] for row in rows(results.csv_file(changed(), people))] == [p.person.phone for p in people]
