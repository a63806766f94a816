from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.sync import compare
from providers.base import Member, MembershipStatus, Person

ANA, BEN, CAI, DEE = "+14155550101", "+14155550102", "+14155550103", "+14155550104"


def listed(*phones: str) -> list[Person]:
    return [Person(phone, phone) for phone in phones]


def inside(*phones: str, standing: MembershipStatus = MembershipStatus.MEMBER) -> list[Member]:
    return [Member(phone, status=standing) for phone in phones]


def phones(people: Sequence[Person]) -> list[str]:
    return [person.phone for person in people]


def test_who_is_missing_is_added_and_who_is_too_many_is_removed() -> None:
    drift = compare(listed(ANA, BEN), inside(BEN, CAI), ())
    assert (phones(drift.missing), phones(drift.extra), drift.protected) == ([ANA], [CAI], ())


def test_admins_the_kept_and_those_whose_role_nobody_knows_stay() -> None:
    members = [
        *inside(ANA, standing=MembershipStatus.ADMIN),
        *inside(BEN, standing=MembershipStatus.PRESENT),
        *inside(CAI, DEE),
    ]
    drift = compare([], members, [CAI])
    assert (phones(drift.extra), phones(drift.protected)) == ([DEE], [ANA, BEN, CAI])


def test_where_there_are_no_admins_an_untold_role_protects_nobody() -> None:
    drift = compare([], inside(ANA, standing=MembershipStatus.PRESENT), (), has_admins=False)
    assert phones(drift.extra) == [ANA]


def test_two_forms_of_one_number_are_one_person() -> None:
    drift = compare(listed("+5511987654321"), inside("+551187654321"), ["+5215512345678"])
    assert (drift.missing, drift.extra) == ((), ())
    assert compare([], inside("+525512345678"), ["+5215512345678"]).extra == ()


def test_a_person_who_is_listed_twice_is_one_who_is_too_many() -> None:
    drift = compare([], inside("+5511987654321", ANA, "+551187654321", ANA), [ANA])
    assert (phones(drift.extra), phones(drift.protected)) == (["+5511987654321"], [ANA])


def test_a_member_without_a_phone_is_never_removed() -> None:
    drift = compare(listed(ANA), [Member(lid="7@lid", status=MembershipStatus.MEMBER)], ())
    assert (phones(drift.missing), drift.extra, drift.without_phone) == ([ANA], (), 1)
    assert compare([Person("7@lid", lid="7@lid")], [Member(lid="7@lid")], ()).missing == ()


_PHONES = st.sets(st.integers(100, 120).map(lambda n: f"+14155550{n}"))


@given(wanted=_PHONES, members=_PHONES, keep=_PHONES)
def test_after_a_mirror_the_group_is_the_list_and_the_kept(wanted: set[str], members: set[str], keep: set[str]) -> None:
    drift = compare(listed(*wanted), inside(*members), keep)
    after = (members | set(phones(drift.missing))) - set(phones(drift.extra))
    assert after == wanted | (members & keep)
    assert set(phones(drift.extra)).isdisjoint(wanted | keep)
