import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.views.text import person_name, shorten_numbers
from providers.base import Person


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+14155550100", "+1 415 ••• 0100"),
        ("+447700900123", "+44 770 ••• 0123"),
        ("+525512345678", "+52 551 ••• 5678"),
        ("+2904123", "+290 ••• 23"),
        ("+6834002", "+683 ••• 02"),
    ],
)
def test_a_short_number_shows_where_it_is_from_and_how_it_ends(phone: str, shown: str) -> None:
    assert person_name(Person(phone, phone), short=True) == shown


@given(st.from_regex(r"\A\+[1-9][0-9]{7,14}\Z"))
def test_a_short_number_leaves_something_out(phone: str) -> None:
    try:
        national = phonenumbers.national_significant_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return
    shown = person_name(Person(phone, phone), short=True)

    assert sum(c.isdigit() for c in shown.split(" ", 1)[1]) <= max(2, len(national) - 3)
    assert national not in shown.replace(" ", "")


@given(st.text(), st.from_regex(r"\A[0-9]{3}[ .()-]?[0-9]{3}[ .-]?[0-9]{4,6}\Z"), st.text())
def test_no_number_stays_whole_in_foreign_words(before: str, number: str, after: str) -> None:
    said = shorten_numbers(f"{before} {number} {after}")

    assert number not in said or number in before + after


def test_a_moment_in_foreign_words_stays() -> None:
    assert shorten_numbers("until 2026-11-21 12:05 UTC, 14155550100") == "until 2026-11-21 12:05 UTC, 141 ••• 0100"


def test_a_lid_is_no_number() -> None:
    assert person_name(Person("1@lid", lid="123456789012@lid"), short=True) == "123456789012@lid"


@pytest.mark.parametrize(
    ("person", "short", "shown"),
    [
        (Person("x", "+14155550100", name="Rita"), False, "+1 415-555-0100 Rita"),
        (Person("x", "+14155550100", name="Rita"), True, "+1 415 ••• 0100 Rita"),
        (Person("x", "+14155550100", name="+1 415 555 0101"), True, "+1 415 ••• 0100 +141 ••• 0101"),
        (Person("x", lid="1@lid", name="Rita"), True, "1@lid Rita"),
        (Person("12", name="Dee"), False, "“12” Dee"),
        (Person("x", "+14155550100", name="R" * 50), False, f"+1 415-555-0100 {'R' * 39}…"),
    ],
)
def test_a_name_is_shown_beside_the_number(person: Person, short: bool, shown: str) -> None:
    assert person_name(person, short=short) == shown
