import pytest

from bot.domain.roster import parse
from bot.services.uploads.message import numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call (415) 555-0132 or +44 7700 900123!", ["(415) 555-0132", "+44 7700 900123"]),
        ("<tel:+14155550100|+1 415 555 0100> is Ann", ["<tel:+14155550100|+1 415 555 0100>"]),
        (
            "<https://wa.me/447700900123|Bob>, wa.me/14155550100",
            ["<https://wa.me/447700900123|Bob>", "wa.me/14155550100"],
        ),
        ("14155550101@c.us 1@lid", ["14155550101@c.us", "1@lid"]),
        ("<mailto:14155550102@s.whatsapp.net|x>", ["<mailto:14155550102@s.whatsapp.net|x>"]),
        (
            "Ann &lt;+44 20 7946 0958&gt;\n\u202a+49\u00a030\u202f12\u200b34567\u202c.",
            ["+44 20 7946 0958", "+49 30 1234567"],
        ),
        ("＋１ ４１５ ５５５ ０１００", ["+1 415 555 0100"]),
        ("+1 999 123 4567, 415 555 0100 x5", ["+1 999 123 4567", "415 555 0100 x5"]),
        ("order #4155550199, $4155550100, 4155550100 €, id=4155550101, 4155550100%", []),
        (
            "Order 4155550101, order no. 4155550102, PO-4155550103, Ref: 4155550104, case-4155550105",
            [],
        ),
        (
            "invoice number: 4155550106; USD 4155550107 4155550108 EUR; order 00447700900123",
            [],
        ),
        ("In case 415 555 0100 is busy; to order, call (415) 555-0101", ["415 555 0100", "(415) 555-0101"]),
        ("0044 7700 900124, (0049) 30 1234567 or 00-00-1234", ["+44 7700 900124", "(+49) 30 1234567"]),
        ("2026-01-05 12.03.2026 10:30, 1.234.567,00 €, 20240105", []),
        (
            "<https://example.com/4155550190> ann4155550100@example.com 120363041234567890@g.us <@U4155550100> <#C1|x>",
            [],
        ),
        ("12 people, 3 groups", []),
        ("", []),
    ],
)
def test_numbers_are_picked_out_of_what_people_write(text: str, numbers: list[str]) -> None:
    assert numbers_in(text, "US").splitlines() == numbers


def test_without_a_default_country_only_international_numbers_are_picked() -> None:
    assert numbers_in("415 555 0132 or +44 7700 900123") == "+44 7700 900123"


def test_the_roster_reads_what_was_picked() -> None:
    text = (
        "Please add Ann (<tel:+14155550100|+1 415 555 0100>), Bob: 020 7946 0958, https://wa.me/493012345678 – thanks!"
    )
    roster = parse(numbers_in(text, "GB"), default_region="GB")
    assert [person.phone for person in roster.people] == ["+14155550100", "+442079460958", "+493012345678"]
    assert roster.rejected == ()
