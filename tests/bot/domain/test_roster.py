import functools

import pytest

from bot.domain import entries, roster
from bot.domain.roster import RejectionCode, Roster, parse
from tests.counting import work_of


def _phones(roster: Roster) -> list[str]:
    assert roster.rejected == ()
    return [person.key for person in roster.people]


def _codes(text: str, region: str | None = None) -> list[RejectionCode]:
    roster = parse(text, default_region=region)
    assert roster.people == ()
    return [entry.code for entry in roster.rejected]


@pytest.mark.parametrize(
    "typed",
    [
        "+14155550100",
        "+1 415 555 0100",
        "+1 (415) 555-0100",
        "+1.415.555.0100",
        "+1/415/555/0100",
        "+1–415—555−0100",
        "+1ー415ー555ー0100",
        "(+1) 415 555 0100",
        "++1 415 555 0100",
        "001 415 555 0100",
        "tel:+1-415-555-0100",
        "tel:+14155550100;isub=7",
        "TEL:%2B14155550100",
        "tel:4155550100;phone-context=+1",
        "<tel:+14155550100|+1 415 555 0100>",
        "<tel:+14155550100>",
        "＋１ ４１５ ５５５ ０１００",
        "+١ ٤١٥ ٥٥٥ ٠١٠٠",
        "\ufeff+1\u00a0415\u200b555\u202d0100\u202c\u2069",
        "+1415\u00ad555\u200d0100",
        "wa.me/14155550100",
        "www.wa.me/+14155550100",
        "https://wa.me/14155550100?text=hello",
        "<https://wa.me/14155550100|wa.me/14155550100>",
        "api.whatsapp.com/send?phone=14155550100",
        "https://api.whatsapp.com/send/?phone=%2B1%20415%20555%200100&amp;text=hi",
        "whatsapp://send?phone=14155550100",
        "14155550100@s.whatsapp.net",
        "14155550100:12@s.whatsapp.net",
        "14155550100.0:3@s.whatsapp.net",
        "14155550100@c.us",
        "<mailto:14155550100@c.us|14155550100@c.us>",
        "'+14155550100",
        '"+1 415 555 0100"',
        "“+1 415 555 0100”",
        "*+1 415 555 0100*",
        "Ann Lee <+1 415 555 0100>",
        "Ann Lee &lt;+1 415 555 0100&gt;",
        "Ann &lt;<tel:+14155550100|+1 415 555 0100>&gt;",
        "Ann: +1 415 555 0100",
        "TEL;TYPE=CELL:+1-415-555-0100",
        "+1 415 555 0100 (Ann)",
        "1. +1 415 555 0100",
        "12) +1 415 555 0100",
        "- +1 415 555 0100",
        "• +1 415 555 0100",
        "&#43;1 415 555 0100",
    ],
)
def test_one_person_is_read_from_any_way_of_writing(typed: str) -> None:
    assert _phones(parse(typed)) == ["+14155550100"]


@pytest.mark.parametrize(
    ("typed", "region", "phone"),
    [
        ("07700 900123", "GB", "+447700900123"),
        ("(0)20 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("447700900123", "GB", "+447700900123"),
        ("447700900123.0", "GB", "+447700900123"),
        ("Bob 07700 900123", "GB", "+447700900123"),
        ("2. 020 7946 0958", "GB", "+442079460958"),
        ("(415) 555-0100", "US", "+14155550100"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("0011 44 20 7946 0958", "AU", "+442079460958"),
        ("8 10 44 20 7946 0958", "RU", "+442079460958"),
        ("06 12345678", "IT", "+390612345678"),
    ],
)
def test_national_numbers_and_dialling_prefixes_are_read_for_the_default_country(
    typed: str, region: str | None, phone: str
) -> None:
    assert _phones(parse(typed, default_region=region)) == [phone]


@pytest.mark.parametrize(
    "separator", [",", ", ", ";", "\n", "\r\n", "\t", "；", "，", "、", "،", "؛", "\u2028", " • ", "|", " "]
)
def test_people_are_separated_in_any_script(separator: str) -> None:
    text = separator.join(["+1 415 555 0100", "+44 7700 900123", "+49 30 12345678"])
    assert _phones(parse(text)) == ["+14155550100", "+447700900123", "+493012345678"]


@pytest.mark.parametrize(
    "text",
    [
        "+1 415 555 0100 +44 7700 900123",
        "+14155550100+447700900123",
        "<tel:+14155550100|+1 415 555 0100> <tel:+447700900123|+44 7700 900123>",
        "<tel:+14155550100> 07700 900123",
        "wa.me/14155550100 https://wa.me/447700900123",
        "14155550100@c.us 447700900123@s.whatsapp.net",
        "+1 415 555 0100 447700900123@c.us",
        "+1 415 555 0100 and +44 7700 900123",
        "+1 415 555 0100 / +44 7700 900123",
        "Ann +1 415 555 0100 Bob +44 7700 900123",
        "(+1 415 555 0100) (+44 7700 900123)",
        "1. +1 415 555 0100 2. +44 7700 900123",
        "1. wa.me/14155550100 2. wa.me/447700900123",
    ],
)
def test_spaces_separate_where_a_new_person_surely_begins(text: str) -> None:
    assert _phones(parse(text, default_region="GB")) == ["+14155550100", "+447700900123"]


def test_digits_before_the_next_number_stay_with_the_number_they_follow() -> None:
    roster = parse("+49 30 1234 5678. +44 7700 900123")
    assert _phones(roster) == ["+493012345678", "+447700900123"]
    assert _phones(parse("3. +49 30 1234 5678 4. +44 7700 900123")) == ["+493012345678", "+447700900123"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Alice", RejectionCode.NOT_A_NUMBER),
        ("🙂", RejectionCode.NOT_A_NUMBER),
        ("+", RejectionCode.NOT_A_NUMBER),
        ("ann@example.com", RejectionCode.NOT_A_NUMBER),
        ("14155550100@example.com", RejectionCode.NOT_A_NUMBER),
        ("+1 415 55=5 0100", RejectionCode.NOT_A_NUMBER),
        ("+1 415", RejectionCode.TOO_SHORT),
        ("112", RejectionCode.TOO_SHORT),
        ("+1", RejectionCode.TOO_SHORT),
        ("+1 415 555 0100 0100", RejectionCode.TOO_LONG),
        ("07700 900123 07700 900124", RejectionCode.TOO_LONG),
        ("9" * 300, RejectionCode.TOO_LONG),
        ("+1 999 123 4567", RejectionCode.NOT_VALID),
        ("+44 7700 12", RejectionCode.TOO_SHORT),
        ("07700 900123", RejectionCode.NO_COUNTRY_CODE),
        ("4155550100", RejectionCode.NO_COUNTRY_CODE),
        ("+999 123 4567", RejectionCode.UNKNOWN_COUNTRY_CODE),
        ("wa.me/07700900123", RejectionCode.UNKNOWN_COUNTRY_CODE),
        ("+1 415 555 0100 ext. 5", RejectionCode.EXTENSION),
        ("+1 415 555 0100x5", RejectionCode.EXTENSION),
        ("+1 415 555 0100 #5", RejectionCode.EXTENSION),
        ("tel:+14155550100;ext=5", RejectionCode.EXTENSION),
        ("1-800-FLOWERS", RejectionCode.LETTERS),
        ("+1 415 555 O1OO", RejectionCode.LETTERS),
        ("+1 415 555 0100 Ann", RejectionCode.LETTERS),
        ("4.47700900123E+11", RejectionCode.SPREADSHEET),
        ("4,47700900123E+11", RejectionCode.SPREADSHEET),
        ("120363041234567890@g.us", RejectionCode.NOT_A_PERSON),
        ("14155550100-1612345678@g.us", RejectionCode.NOT_A_PERSON),
        ("status@broadcast", RejectionCode.NOT_A_NUMBER),
        ("120363041234567890@newsletter", RejectionCode.NOT_A_PERSON),
        ("https://chat.whatsapp.com/AbCd1234", RejectionCode.NOT_A_PERSON),
        ("https://wa.me/message/ABC123", RejectionCode.LINK),
        ("https://example.com/+14155550100", RejectionCode.LINK),
        ("https://[::1/14155550100", RejectionCode.LINK),
        ("<@U01ALICE|alice>", RejectionCode.SLACK_MENTION),
    ],
)
def test_an_entry_that_is_no_person_says_why(typed: str, code: RejectionCode) -> None:
    assert _codes(typed) == [code]


def test_a_national_number_of_another_country_is_not_guessed() -> None:
    assert _codes("14155550100", "GB") == [RejectionCode.TOO_LONG]
    assert _codes("5550100", "US") == [RejectionCode.TOO_SHORT]


def test_every_reason_has_a_sentence_that_never_repeats_the_number() -> None:
    for code in RejectionCode:
        [entry] = parse("+1 999 123 4567").rejected
        sentence = type(entry)("+1 999 123 4567", code).reason
        assert sentence.endswith(".")
        assert not any(char.isdigit() for char in sentence)


def test_an_unknown_default_region_is_as_none() -> None:
    assert _codes("07700 900123", "UK") == [RejectionCode.NO_COUNTRY_CODE]
    assert _phones(parse("+44 7700 900123", default_region="UK")) == ["+447700900123"]


@pytest.mark.parametrize("typed", ["+44 7700 900123", "+44 1632 960999", "+1 415 555 0100", "+1 555 000 0001"])
def test_numbers_set_aside_for_examples_are_people(typed: str) -> None:
    assert len(parse(typed).people) == 1


@pytest.mark.parametrize("typed", ["+44 7700 910123", "+44 1632 950999", "+1 999 555 0100"])
def test_numbers_beside_the_ranges_for_examples_are_not(typed: str) -> None:
    assert _codes(typed) == [RejectionCode.NOT_VALID]


def test_a_lid_is_a_person_without_a_phone() -> None:
    [person] = parse("123456789012345:7@lid").people
    assert (person.phone, person.lid) == ("", "123456789012345@lid")


def test_what_was_typed_is_kept_without_the_markup_that_slack_added() -> None:
    text = "Ann &lt;+1 (415) 555-0100&gt;, <tel:+447700900123|+44 7700 900 123>; 1x2; \u202a+49 30 12345678\u202c"
    roster = parse(text)
    assert [p.raw for p in roster.people] == ["Ann <+1 (415) 555-0100>", "+44 7700 900 123", "+49 30 12345678"]
    assert [r.raw for r in roster.rejected] == ["1x2"]


def test_the_same_person_in_another_form_is_a_duplicate_of_the_first() -> None:
    roster = parse("+1 415 555 0100, 14155550100:3@c.us, wa.me/14155550100, 1@lid, 1:2@lid")
    first, lid = roster.people
    assert [(d.raw, d.first) for d in roster.duplicates] == [
        ("14155550100:3@c.us", first),
        ("wa.me/14155550100", first),
        ("1:2@lid", lid),
    ]


@pytest.mark.parametrize(
    ("listed", "dialled"), [("+52 1 55 1234 5678", "+52 55 1234 5678"), ("551187654321@c.us", "+55 11 98765 4321")]
)
def test_the_forms_in_which_whatsapp_writes_an_account_are_one_person(listed: str, dialled: str) -> None:
    roster = parse(f"{listed}\n{dialled}")
    assert len(roster.people) == len(roster.duplicates) == 1
    assert roster.people[0].raw == listed


@pytest.mark.parametrize("text", ["", "   ", "\n,;\t", "-- … --", "\u200b\ufeff", "<>", '""'])
def test_punctuation_alone_is_nobody(text: str) -> None:
    assert parse(text) == Roster()


@pytest.mark.parametrize(
    "piece", ["1", "+1", "1-", "<tel:", "a", "x1", "wa.me/", "1 x", "1:1@", "( ", "1. ", "&#9", "-1@"]
)
def test_twice_as_much_text_without_sense_is_at_most_twice_the_work(piece: str) -> None:
    half, whole = (
        work_of(functools.partial(parse, piece * (length // len(piece)), default_region="GB"), entries, roster)
        for length in (5_000, 10_000)
    )
    assert whole < 2.1 * half
    parse(piece * (40_000 // len(piece)), default_region="GB")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Rita: +1 415 555 0100", "Rita"),
        ("Rita Ora +1 415 555 0100", "Rita Ora"),
        ("1. Rita - +1 415 555 0100", "Rita"),
        ("• José Ña <+1 415 555 0100>", "José Ña"),
        ("Rita (+1 415 555 0100)", "Rita"),
        ("“Rita” = 415 555 0100", "Rita"),
        ("+1 415 555 0100 (Rita)", "Rita"),
        ("Rita: https://wa.me/14155550100", "Rita"),
        ("Rita 14155550100@s.whatsapp.net", "Rita"),
        ("Rita: <tel:+14155550100|+1 415 555 0100>", "Rita"),
        ("شمس +1 415 555 0100", "شمس"),
        ("and Rita +1 415 555 0100", "Rita"),
        ("Rita tel. +1 415 555 0100", "Rita"),
        ("Mobile: +1 415 555 0100", ""),
        ("and +1 415 555 0100", ""),
        ("tel:+14155550100", ""),
        ("+1 415 555 0100 (mobile)", ""),
        ("+1 (415) 555-0100", ""),
        ("https://wa.me/14155550100", ""),
        ("x" * 500 + ": +1 415 555 0100", "x" * 100),
    ],
)
def test_a_name_beside_a_number_is_kept(typed: str, name: str) -> None:
    (person,) = parse(typed, default_region="US").people

    assert (person.phone, person.name) == ("+14155550100", name)


def test_each_number_has_its_own_name() -> None:
    people = parse("Rita: +14155550100, +14155550101; Bo Li +14155550102 Cem +14155550103\nDee: 1@lid").people

    assert [person.name for person in people] == ["Rita", "", "Bo Li", "Cem", "Dee"]
