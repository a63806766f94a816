import pytest

from bot.domain.roster import RejectionCode
from bot.domain.uploads import ColumnChoices, ColumnRef
from bot.services.uploads.contents import Unreadable
from bot.services.uploads.people import Found, people_in, people_in_column
from tests.bot.services.uploads.making import cards, delimited, workbook

NUMBERS = ["+1 415 555 0100", "+44 7700 900123", "+49 30 12345678", "+44 20 7946 0958"]
PHONES = ["+14155550100", "+447700900123", "+493012345678", "+442079460958"]
DATES = ["2026-01-05", "2026-02-06", "03.04.2026", "2026-03-04 10:11:12"]
NAMES = ["Ann", "Bob", "Cat", "Dan"]
OTHERS = ["+1 415 555 0111", "+44 7700 900133", "+49 30 12345633", "+44 20 7946 0933"]
IDS = ["4155550160", "4155550161", "4155550162", "4155550163"]


def _table(**columns: list[str]) -> bytes:
    """Make a CSV file; a column whose name begins with `_` has no heading."""
    headings = [] if all(name.startswith("_") for name in columns) else [[name.strip("_") for name in columns]]
    return delimited([*headings, *zip(*columns.values(), strict=True)])


def _found(content: bytes, name: str = "list.csv", region: str | None = "US") -> Found:
    found = people_in(name, content, default_region=region)
    assert isinstance(found, Found), found
    return found


def _phones(found: Found) -> list[str]:
    return [person.phone for person in found.roster.people]


@pytest.mark.parametrize(
    ("content", "source"),
    [
        (_table(_a=NUMBERS), "column A"),
        (_table(Numbers=NUMBERS), "column “Numbers”"),
        (_table(_a=NAMES, _b=DATES, _c=NUMBERS), "column C"),
        (_table(name=NAMES, born=DATES, x=NUMBERS), "column “x”"),
        (_table(name=NAMES, id=IDS, Telefon=NUMBERS), "column “Telefon”"),
        (_table(name=NAMES, Fax=OTHERS, número=NUMBERS), "column “número”"),
        (_table(Phone=OTHERS, WhatsApp=NUMBERS), "column “WhatsApp”"),
        (_table(Mobile_1=["", "", "", OTHERS[0]], Phone=NUMBERS), "column “Phone”"),
        (_table(Celular=["n/a"] * 4, PhoneNumber=NUMBERS), "column “PhoneNumber”"),
        (b"Team,,\n,,\nName,Phone\n" + delimited(zip(NAMES, NUMBERS, strict=True)), "column “Phone”"),
        (", ".join(NUMBERS).encode(), "the only line"),
        ("; ".join([*NUMBERS, NUMBERS[0]]).encode(), "the only line"),
        ("\n".join(NUMBERS).encode(), "column A"),
        (f"{NUMBERS[0]}, {NUMBERS[1]}\n{NUMBERS[2]}\n{NUMBERS[3]}".encode(), "column A"),
        (_table(_a=["Ann", "Bob"], _b=["; ".join(NUMBERS[:2]), "\n".join(NUMBERS[2:])]), "column B"),
        (_table(name=["Ann", "Bob"], tel=[" ::: ".join(NUMBERS[:2]), "/".join(NUMBERS[2:])]), "column “tel”"),
        (
            workbook([["Read me"]], [["Name", "Mobile"], *zip(NAMES, NUMBERS, strict=True)]),
            "column “Mobile” of sheet “Sheet2”",
        ),
        (cards(*NUMBERS), "4 contact cards"),
    ],
)
def test_the_numbers_are_found_where_they_stand(content: bytes, source: str) -> None:
    found = _found(content)
    assert found.source == source
    assert _phones(found) == PHONES
    assert found.roster.rejected == ()


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (_table(Phone=NUMBERS, Mobile=OTHERS), ["Phone", "Mobile"]),
        (_table(_a=NAMES, _b=NUMBERS, _c=IDS), ["column B", "column C"]),
        (_table(name=NAMES, code=["4155550100", "1", "2", "3"]), ["code"]),
        (_table(id=IDS, Phone=["", "", "", "tbd"]), ["id", "Phone"]),
        (workbook([["WhatsApp", "WA number"], [*NUMBERS[:2]]]), ["WhatsApp", "WA number"]),
    ],
)
def test_where_two_columns_may_be_meant_the_person_is_asked(content: bytes, labels: list[str]) -> None:
    found = people_in("list", content, default_region="US")
    assert isinstance(found, ColumnChoices)
    assert [column.label for column in found.columns] == labels
    assert all(1 <= len(column.samples) <= 2 for column in found.columns)


def test_the_column_that_was_chosen_is_read() -> None:
    content = workbook([["Phone", "Mobile"], *zip(NUMBERS, OTHERS, strict=True)])
    choices = people_in("a.xlsx", content)
    assert isinstance(choices, ColumnChoices)
    place = ColumnRef.from_text(str(choices.columns[1].ref))
    assert place is not None
    found = people_in_column("a.xlsx", content, place)
    assert isinstance(found, Found)
    assert [person.raw for person in found.roster.people] == OTHERS
    assert isinstance(people_in_column("a.xlsx", content, ColumnRef(0, 2)), ColumnChoices)
    assert isinstance(people_in_column("a.xlsx", b"", place), Unreadable)


@pytest.mark.parametrize("text", ["", "0", "0:", "-1:0", "1:2:3", "٣:٣", "0:9999999"])
def test_no_other_text_is_a_place(text: str) -> None:
    assert ColumnRef.from_text(text) is None


def test_every_entry_that_is_no_number_is_told_with_its_line() -> None:
    rows = [["Name", "Phone"], ["Ann", NUMBERS[0]], ["Bob", "none"], [], ["Cat\nLee", "12; " + NUMBERS[1]], ["Dan"]]
    for content in (delimited(rows), workbook(rows)):
        found = _found(content)
        lines = [(entry.line, entry.raw) for entry in found.roster.rejected]
        assert lines == [(3, "none"), (5, "12")]
        assert found.without in {(6,), (7,)}  # of the text file the cell of Cat takes two lines
        assert _phones(found) == PHONES[:2]


@pytest.mark.parametrize(
    ("headings", "source"),
    [
        (("Who", "Reachable"), "column “Reachable”; line 1 is used as the headings"),
        (("Wer?", "Erreichbar unter"), "column “Erreichbar unter”; line 1 is used as the headings"),
        (("Teilnehmer", "Kontakt"), "column “Kontakt”"),
        (("Who", "Contact"), "column “Contact”"),
    ],
)
def test_a_first_row_of_words_above_numbers_is_headings(headings: tuple[str, str], source: str) -> None:
    found = _found(delimited([headings, *zip([*NAMES, "Eve", "Fay"], [*NUMBERS, "", "12"], strict=True)]))
    assert found.source == source
    assert [(entry.line, entry.raw) for entry in found.roster.rejected] == [(7, "12")]
    assert (_phones(found), found.without) == (PHONES, (6,))


@pytest.mark.parametrize("heading", ["Contact", "Participants", "Gäste", "Members"])
def test_a_word_for_people_above_a_list_is_its_heading(heading: str) -> None:
    found = _found(f"{heading}\n{NUMBERS[0]}\n{NUMBERS[1]}".encode())
    assert found.source == f"column “{heading}”"
    assert (_phones(found), found.roster.rejected) == (PHONES[:2], ())


@pytest.mark.parametrize(
    ("first", "last"),
    [(["Alice"], []), (["Alice", "nobody"], ["Eve", "none"]), (["Alice", "12"], []), (["Alice", ""], ["Eve", "none"])],
)
def test_a_first_row_that_may_be_somebody_is_an_entry_too(first: list[str], last: list[str]) -> None:
    numbers = zip(NAMES * 3, NUMBERS * 3, strict=True)
    rows = [[name, number] if len(first) > 1 else [number] for name, number in numbers]
    found = _found(delimited([first, *rows, last]))
    assert 1 in {*(entry.line for entry in found.roster.rejected), *found.without}
    assert "headings" not in found.source


def test_a_column_of_numbers_without_their_country_code_is_found_and_answered() -> None:
    found = _found(_table(name=NAMES, phone=IDS), region=None)
    assert {entry.code for entry in found.roster.rejected} == {RejectionCode.NO_COUNTRY_CODE}
    assert [entry.line for entry in found.roster.rejected] == [2, 3, 4, 5]


def test_cells_are_data_and_never_markup_of_slack() -> None:
    cells = ["<tel:+14155550100|+44 7700 900123>", "&lt", "<!channel>", "1 &amp 2"]
    roster = _found(delimited([[cell] for cell in cells]), region=None).roster
    assert [entry.raw for entry in roster.rejected] == cells
    assert roster.people == ()


def test_cards_without_a_number_are_told_with_their_line() -> None:
    found = _found(cards(NUMBERS[0], "", "12", NUMBERS[0]), name="a.vcf")
    assert _phones(found) == PHONES[:1]
    assert found.without == (6,)
    assert [(entry.line, entry.raw) for entry in found.roster.rejected] == [(14, "12")]
    assert len(found.roster.duplicates) == 1


def test_which_number_of_a_card_with_several_is_taken_is_said() -> None:
    twice, mobile = (
        f"TEL:{NUMBERS[0]}\nTEL;FAX:{NUMBERS[1]}\nTEL:{PHONES[0]}",
        f"TEL:{OTHERS[0]}\nTEL;CELL:{NUMBERS[2]}",
    )
    text = "".join(f"BEGIN:VCARD\n{phones}\nEND:VCARD\n" for phones in (twice, mobile))
    found = _found(text.encode(), name="a.vcf")
    assert _phones(found) == [PHONES[0], PHONES[2]]
    assert found.source == (
        "2 contact cards, 1 with several numbers: the mobile, preferred or first one of each is used"
    )


@pytest.mark.parametrize(
    "start", ["<html><body>", "\n<!DOCTYPE html>", "<?xml version='1.0'?>", r"{\rtf1 ", "\x89PNG\0\0"]
)
def test_a_file_that_is_only_called_a_workbook_is_refused(start: str) -> None:
    found = people_in("list.xlsx", f"{start}{NUMBERS[0]}".encode("latin-1") + bytes(range(9)))
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("This isn't an Excel workbook, despite its name.")


def test_a_file_without_numbers_says_so() -> None:
    found = people_in("a.csv", _table(name=NAMES, born=DATES))
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("This file has no column of phone numbers.")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"Name,Phone\nAnn Lee,+14155550101\n,+14155550102\n", ["Ann Lee", ""]),
        (b"Phone;Last name;First name\n+14155550101;Lee;Ann\n+14155550102;;Bo\n", ["Ann Lee", "Bo"]),
        ("Téléphone,Prénom,Nom\n+14155550101,Ann,Lee\n+14155550102,Bo,Li\n".encode(), ["Ann Lee", "Bo Li"]),
        (b"Vorname,Handy,Firma\nAnn,+14155550101,ACME\nBo,+14155550102,ACME\n", ["Ann", "Bo"]),
        (b"Ann,+14155550101\nBo,+14155550102\n", ["Ann", "Bo"]),
        (b"Ann,x1,+14155550101\nBo,x2,+14155550102\n", ["", ""]),
        (b"Company,Phone\nACME,+14155550101\nACME,+14155550102\n", ["", ""]),
        (b"Phone,Email\n+14155550101,ann@x.example\n+14155550102,bo@x.example\n", ["", ""]),
        (b"Phone\nAnn: +14155550101\n+14155550102\n", ["Ann", ""]),
    ],
)
def test_a_column_of_names_is_kept(content: bytes, names: list[str]) -> None:
    found = people_in("team.csv", content)

    assert isinstance(found, Found)
    assert [person.name for person in found.roster.people] == names


def test_an_entry_that_is_not_a_number_keeps_the_name_beside_it() -> None:
    found = people_in("team.csv", b"Name,Phone\nAnn,+14155550101\nDee,12\n")

    assert isinstance(found, Found)
    assert [(entry.raw, entry.name) for entry in found.roster.rejected] == [("12", "Dee")]


def test_a_contact_card_keeps_its_name() -> None:
    card = b"BEGIN:VCARD\nVERSION:3.0\nFN:Ann Lee\nTEL;TYPE=CELL:+14155550101\nEND:VCARD\n"
    found = people_in("team.vcf", card)

    assert isinstance(found, Found)
    assert [person.name for person in found.roster.people] == ["Ann Lee"]
