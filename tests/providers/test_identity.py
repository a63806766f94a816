import pytest

from providers.identity import lid_of, phone_digits, same_person_keys


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


def test_a_lid_is_not_a_phone() -> None:
    assert phone_digits("123456@lid") == ""
    assert lid_of("123456:7@lid") == "123456@lid"
    assert lid_of("123456@c.us") == ""
