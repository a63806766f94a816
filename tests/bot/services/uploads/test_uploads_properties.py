import functools
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from bot.domain import entries, roster
from bot.domain.roster import Duplicate, Roster, parse
from bot.services.uploads import columns, delimited, headings, message, reader, vcard
from bot.services.uploads.contents import Unreadable
from bot.services.uploads.message import numbers_in
from bot.services.uploads.people import Found, people_in
from tests.bot.services.uploads.making import cards, with_part, workbook
from tests.bot.services.uploads.making import delimited as delimited_file
from tests.counting import work_of

EXAMPLES = [
    number
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)) is not None
]
FORMATS = [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL]
written = st.builds(phonenumbers.format_number, st.sampled_from(EXAMPLES), st.sampled_from(FORMATS))
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
FRAGMENTS = [
    *["BEGIN:VCARD\n", "TEL;", "TEL:", "CELL", "ENCODING=QUOTED-PRINTABLE", "END:VCARD\n", "sep=;\n", "Phone"],
    *["+1 415 555 0100", "07700 900123", ":", ";", '"', ",", "<", "\t", "\r", "\n ", "=\n", "\0", "\ufeff"],
]
strange = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(FRAGMENTS), max_size=30).map(lambda pieces: "".join(pieces).encode()),
    st.text(max_size=100).map(lambda text: text.encode("utf-16", errors="surrogatepass")),
)


@settings(max_examples=30)
@given(st.lists(written, min_size=1, max_size=12), st.sampled_from("\t;|,"), encodings)
def test_a_list_reads_back_from_every_format(numbers: list[str], delimiter: str, encoding: str) -> None:
    expected = parse("\n".join(numbers))
    rows = [["Name", "Phone"], *(["Ann Lee", number] for number in numbers)]
    for content, name in (
        (delimited_file(rows, delimiter=delimiter, encoding=encoding), "Ann Lee"),
        ("\n".join(numbers).encode(encoding), ""),
        (workbook(rows), "Ann Lee"),
        (cards(*numbers), "Ann Lee"),
    ):
        found = people_in("list", content)
        assert isinstance(found, Found)
        named = tuple(replace(person, name=name) for person in expected.people)
        first = {person.phone: person for person in named}
        assert found.roster == Roster(
            named, expected.rejected, tuple(Duplicate(d.raw, first[d.first.phone]) for d in expected.duplicates)
        )
    picked = parse(numbers_in("Hello, please add " + ", ".join(numbers) + " thanks"))
    assert [person.phone for person in picked.people] == [person.phone for person in expected.people]


@settings(max_examples=150)
@given(st.sampled_from(["a.csv", "a.vcf", "a.xlsx", ""]), strange, st.sampled_from([None, "GB", "US"]))
@example("a.csv", b"PK\x03\x04", None)
def test_no_file_is_too_strange(name: str, content: bytes, region: str | None) -> None:
    found = people_in(name, content, default_region=region)
    if isinstance(found, Unreadable):
        assert found.reason.endswith(".")


WORKBOOK = workbook([["Name", "Phone"], ["Ann", "+1 415 555 0100"]])
"""Saved once: a workbook contains the time when it was saved, and its size varies with it."""


@settings(max_examples=30)
@given(st.data())
def test_no_damaged_workbook_is_too_strange(data: st.DataObject) -> None:
    content = bytearray(WORKBOOK)
    name = data.draw(st.sampled_from(zipfile.ZipFile(io.BytesIO(content)).namelist()))
    part = bytearray(zipfile.ZipFile(io.BytesIO(content)).read(name))
    for target in (part, content):
        for _ in range(data.draw(st.integers(0, 3))):
            target[data.draw(st.integers(0, len(target) - 1))] = data.draw(st.integers(0, 255))
    people_in("a.xlsx", with_part(workbook([["a"]]), name, bytes(part)))
    people_in("a.xlsx", bytes(content))


@settings(max_examples=100)
@given(st.text(max_size=200), st.sampled_from([None, "GB", "US"]))
def test_no_message_is_too_strange(text: str, region: str | None) -> None:
    parse(numbers_in(text, region), default_region=region)


READERS = (entries, roster, columns, delimited, headings, message, reader, vcard)


@pytest.mark.parametrize(
    "piece", ['"', '",', "a\n", "+1 ", "1-", 'TEL;""', "<tel:", "1@", "BEGIN:VCARD\nTEL;a=", "=\n"]
)
@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda text: people_in("a.csv", text.encode(), default_region="GB"), id="table"),
        pytest.param(
            lambda text: people_in("a.vcf", f"BEGIN:VCARD\nTEL;ENCODING=QUOTED-PRINTABLE{text}".encode()), id="card"
        ),
        pytest.param(lambda text: numbers_in(text, "GB"), id="message"),
    ],
)
def test_twice_as_much_of_a_file_without_sense_is_at_most_twice_the_work(
    read: Callable[[str], object], piece: str
) -> None:
    half, whole = (
        work_of(functools.partial(read, piece * (length // len(piece))), *READERS) for length in (5_000, 10_000)
    )
    assert whole < 2.1 * half
    read(piece * (20_000 // len(piece)))
