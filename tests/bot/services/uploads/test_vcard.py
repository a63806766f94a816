import pytest

from bot.services.uploads.contents import Card, Cards, Unreadable
from bot.services.uploads.reader import read

IOS = """BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iPhone OS 17.1//EN
N:Lee;Ann;;;
FN:Ann Lee
ORG:Example Ltd;
item1.EMAIL;type=INTERNET;type=pref:ann@example.com
TEL;type=WORK;type=VOICE;type=pref:+44 20 7946 0958
TEL;type=CELL;type=VOICE:+44 7700 900123
item2.TEL:+1 415 555 0100
item2.X-ABLabel:_$!<Other>!$_
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD
 TEL:AAAA==
END:VCARD
"""
ANDROID = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=91=61;=4A=6F=73=C3=A9;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4A=6F=73=C3=A9=20=
=C3=91=61
TEL;HOME;FAX:020-7946-0958
TEL;CELL;PREF:07700-900-123
EMAIL;HOME:jose@example.com
END:VCARD
"""
GOOGLE = """BEGIN:VCARD
VERSION:3.0
FN:Bob\\, Ray
N:Ray;Bob;;;
TEL;TYPE=HOME:+44 1632 960001
item1.TEL:+44 7700 900124
item1.X-ABLabel:Mobile
CATEGORIES:myContacts
END:VCARD
"""
RFC_6350 = """BEGIN:VCARD
VERSION:4.0
FN:Simon Perreault
N:Perreault;Simon;;;ing. jr,M.Sc.
TEL;VALUE=uri;TYPE="work,voice";PREF=1:tel:+1-418-656-9254;ext=102
TEL;VALUE=uri;TYPE="work,cell,voice,video,text":tel:+1-418-262-6501
END:VCARD
"""
WHATSAPP = """BEGIN:VCARD
VERSION:3.0
N:;Cat;;;
FN:Cat
TEL;type=CELL;type=PREF:+52 55 1234 5678
item1.TEL;waid=14155550101:+1 (415) 555-0101
item1.X-ABLabel:Mobile
END:VCARD
"""


def _cards(text: str, name: str = "contacts.vcf") -> tuple[Card, ...]:
    found = read(name, text.encode())
    assert isinstance(found, Cards)
    return found.cards


@pytest.mark.parametrize(
    ("text", "card"),
    [
        (IOS, Card(9, "Ann Lee", "+44 7700 900123", others=2)),
        (ANDROID, Card(7, "José Ña", "07700-900-123")),
        (GOOGLE, Card(6, "Bob, Ray", "+44 7700 900124", others=1)),
        (RFC_6350, Card(6, "Simon Perreault", "tel:+1-418-262-6501", others=1)),
        (WHATSAPP, Card(6, "Cat", "+14155550101", others=1)),
    ],
    ids=["iOS", "Android", "Google", "RFC 6350", "WhatsApp"],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_card_as_exporters_write_it_gives_the_number_that_whatsapp_is_likeliest_to_know(
    text: str, card: Card, line_end: str
) -> None:
    assert _cards(text.replace("\n", line_end)) == (card,)


@pytest.mark.parametrize(
    ("phones", "number"),
    [
        ("TEL:1\nTEL;TYPE=pref:2", "2"),
        ("TEL;PREF=2:1\nTEL;PREF=1:2", "2"),
        ("TEL;TYPE=fax:1\nTEL:2", "2"),
        ("TEL;TYPE=fax:1", "1"),
        ("TEL;TYPE=cell:1\nTEL;TYPE=cell:2", "1"),
        ("TEL;WORK:1\ntel;cell:2", "2"),
        ("TEL:\nTEL:2", "2"),
        ("TEL;ENCODING=QUOTED-PRINTABLE:=2B44=\n 7700", "+44 7700"),
        ("TEL;CELL:+44\n  7700\n\t900", "+44 7700900"),
        ('TEL;X-NOTE="a:b;c":2', "2"),
        ("TEL;waid=none:2", "2"),
        ("NOTE:no phone", ""),
    ],
)
def test_of_several_numbers_the_best_is_taken(phones: str, number: str) -> None:
    (card,) = _cards(f"BEGIN:VCARD\n{phones}\nEND:VCARD")
    assert card.number == number


def test_a_hundred_thousand_cards_are_the_most() -> None:
    assert isinstance(read("a.vcf", b"BEGIN:VCARD\n" * 100_001), Unreadable)


def test_a_file_of_many_cards_is_read_card_by_card_even_where_an_end_is_missing() -> None:
    text = "BEGIN:VCARD\nTEL:1\nEND:VCARD\nTEL:9\nBEGIN:VCARD\nN:Lee;Ann\nBEGIN:VCARD\nORG:Firm;Unit\nTEL:3"
    assert _cards(text, "cards.csv") == (Card(2, "", "1"), Card(5, "Ann Lee", ""), Card(9, "Firm Unit", "3"))


def test_half_an_emoji_in_a_name_is_replaced() -> None:
    text = (
        "BEGIN:VCARD\nFN;CHARSET=unicode_escape;ENCODING=QUOTED-PRINTABLE:Ann \\ud83d\nTEL:+447700900123\nEND:VCARD\n"
    )
    contents = read("a.vcf", text.encode())
    assert isinstance(contents, Cards)
    assert [card.name for card in contents.cards] == ["Ann \ufffd"]
