from collections import Counter

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumber, PhoneNumberFormat

from bot.domain.roster import Duplicate, RejectedEntry, parse
from providers.base import Person

INVISIBLE = "\u200b\u200c\u200d\u200e\u202a\u202c\u2066\u2069\ufeff\u00ad\u2060"
SEPARATORS = [",", ", ", ";", "\n", "\r\n", "\t", "；", "、", "،", " • ", "\u2029"]
FORMATS = [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966]
DIGITS = ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"]


def _examples() -> list[tuple[str, PhoneNumber]]:
    return [
        (region, number)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]


EXAMPLES = _examples()


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@st.composite
def written(draw: st.DrawFn, number: PhoneNumber) -> str:
    """Write a number in one of the international formats, with other separators, digits and invisible characters."""
    text = phonenumbers.format_number(number, draw(st.sampled_from(FORMATS)))
    if not text.startswith("tel:"):
        separator = draw(st.sampled_from([" ", "-", ".", "/", "–", "\u00a0", " - ", ""]))
        text = text.replace(" ", separator)
        text = text.translate(str.maketrans(DIGITS[0], draw(st.sampled_from(DIGITS))))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(INVISIBLE)) + text[place:]
    return text


@pytest.mark.parametrize("style", [*FORMATS, PhoneNumberFormat.NATIONAL])
def test_an_example_of_every_country_reads_back_from_every_format(style: int) -> None:
    for region, number in EXAMPLES:
        roster = parse(phonenumbers.format_number(number, style), default_region=region)
        assert [person.phone for person in roster.people] == [_e164(number)]


@settings(max_examples=100)
@given(st.data())
def test_a_list_of_numbers_however_written_reads_back_in_its_order(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.sampled_from([n for _, n in EXAMPLES]), min_size=1, max_size=6))
    texts = [data.draw(written(number)) for number in numbers]
    roster = parse(data.draw(st.sampled_from(SEPARATORS)).join(texts))
    assert roster.rejected == ()
    assert [p.phone for p in roster.people] == list(dict.fromkeys(map(_e164, numbers)))
    assert len(roster.people) + len(roster.duplicates) == len(numbers)
    entries: list[Person | Duplicate] = [*roster.people, *roster.duplicates]
    shown = [entry.raw for entry in entries]
    assert Counter(t.strip(INVISIBLE) for t in shown) == Counter(t.strip(INVISIBLE) for t in texts)


FRAGMENTS = [
    *[
        "+1 415 555 0100",
        "+44",
        "07700 900123",
        "1. ",
        "<tel:",
        "<tel:+14155550100|",
        ">",
        "wa.me/",
        "https://",
        "@c.us",
    ],
    *["@lid", "E+11", "ext 5", ";ext=", "&lt;", "&#", "<@U1>", "(", ")", "%2B", "?phone=", "\n", ", ", " ", "\u202e"],
]
anything = st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4))).map("".join))


@settings(max_examples=300)
@given(anything, st.sampled_from([None, "GB", "US", "IT", "??"]))
def test_no_text_is_too_strange(text: str, region: str | None) -> None:
    for person in parse(text, default_region=region).people:
        assert bool(person.phone) != bool(person.lid)
        assert person.raw


def _letters_and_digits(text: str) -> Counter[str]:
    return Counter(char for char in text if char.isalnum() and char != "ー")  # a letter that is typed as a dash


@settings(max_examples=200)
@given(anything)
def test_every_letter_and_digit_that_was_typed_ends_in_exactly_one_list(text: str) -> None:
    assume("<" not in text and "&" not in text)  # the markup that Slack adds was not typed
    roster = parse(text, default_region="GB")
    entries: list[Person | RejectedEntry | Duplicate] = [*roster.people, *roster.rejected, *roster.duplicates]
    typed = [entry.raw for entry in entries]
    assert _letters_and_digits(text) == _letters_and_digits("".join(typed))


@settings(max_examples=200)
@given(anything, st.sampled_from([None, "GB", "US"]))
def test_reading_what_was_read_changes_nothing(text: str, region: str | None) -> None:
    keys = [person.key for person in parse(text, default_region=region).people]
    again = parse("\n".join(keys), default_region=region)
    assert [person.key for person in again.people] == keys
    assert again.rejected == ()
    assert again.duplicates == ()
