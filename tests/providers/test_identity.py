import pytest

from providers.identity import digits_of, lid_of, phone_beside, phone_digits, same_person_keys


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("5511987654321", "551187654321"),
        ("525512345678", "5215512345678"),
        ("541123456789", "5491123456789"),
        ("14155550100", "14155550100"),
    ],
)
def test_both_written_forms_of_a_number_are_one_person(asked: str, listed: str) -> None:
    assert same_person_keys(asked) == same_person_keys(listed)
    assert listed in same_person_keys(asked)


def test_a_brazilian_landline_has_one_form() -> None:
    assert same_person_keys("551133334444") == {"551133334444"}


def test_the_two_suffixes_of_a_phone_jid_are_one_person() -> None:
    assert phone_digits("14155550100@c.us") == phone_digits("14155550100:3@s.whatsapp.net") == "14155550100"


@pytest.mark.parametrize(
    "text", ["14155550100", "+14155550100", " +1 415 555 0100 ", "14155550100@c.us", "14155550100:3@s.whatsapp.net"]
)
def test_a_number_and_a_user_jid_have_the_same_digits(text: str) -> None:
    assert digits_of(text) == "14155550100"


@pytest.mark.parametrize("text", ["", "Ana", "911", "14155550100@lid", "14155550100@g.us", "1415-555-0100"])
def test_what_is_neither_a_number_nor_a_user_jid_has_no_digits(text: str) -> None:
    assert digits_of(text) == ""


def test_the_digits_of_a_lid_are_no_phone_beside_it() -> None:
    assert phone_beside("123456@lid", "+123456", None, "123456@lid") == ""
    assert phone_beside("123456@lid", "123456", "14155550100@c.us") == "14155550100"
    assert phone_beside("", "123456") == "123456"


def test_a_lid_is_not_a_phone() -> None:
    assert phone_digits("123456@lid") == ""
    assert lid_of("123456:7@lid") == "123456@lid"
    assert lid_of("123456@c.us") == ""
